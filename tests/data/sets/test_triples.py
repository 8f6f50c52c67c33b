"""Triples of one's own and the authors' files: what is read, and what is refused in one line."""

import csv
import pickle

import numpy as np
import pytest
import tensorflow as tf

from tsdsae_keras.data.sets.solids import Solids
from tsdsae_keras.data.sets.sprites import Sprites
from tsdsae_keras.data.sets.triple_files import read_arrays, read_chairs, read_table
from tsdsae_keras.data.sets.triples import TripleData
from tsdsae_keras.errors import InputError

pytestmark = pytest.mark.no_backend


def triples_of(scene, n):
    """x, y, actions and classes of n triples; no image is in two of them."""
    rng = np.random.default_rng(0)
    classes = rng.integers(0, scene.classes, n)
    first, second = (scene.draw_poses(rng, classes) for _ in range(2))
    images = [scene.render(poses, classes) for poses in (first, second)]
    return *images, scene.relative(first, second).astype("float32"), classes


def sprites(n=40):
    return triples_of(Sprites(), n)


def write_table(folder, rows):
    with open(folder / "triples.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def write_folder(folder, n=40, size=64):
    x, y, actions, classes = sprites(n)
    rows = []
    for i in range(n):
        row = {}
        for name, image in (("image_1", x[i]), ("image_2", y[i])):
            row[name] = f"{name}-{i}.png"
            large = np.repeat(np.repeat(image, size // 64, axis=0), size // 64, axis=1)
            (folder / row[name]).write_bytes(tf.io.encode_png(large).numpy())
        row |= {f"action_{k + 1}": float(value) for k, value in enumerate(actions[i])}
        rows.append(row | {"class": "abc"[classes[i]]})
    write_table(folder, rows)
    return rows


@pytest.mark.parametrize("size", [64, 128])
def test_a_table_of_ones_own_images_is_read(tmp_path, size):
    write_folder(tmp_path, size=size)
    data = read_table(tmp_path, "translate")
    assert (data.group, data.dims, data.channels, data.steps) == ("translate", 3, 3, (1,))
    x, y, actions, _ = sprites()
    batch = data.triples("train", np.random.default_rng(0), 6)
    for first, action, second in zip(*(batch[name] for name in ("x", "action", "y")), strict=True):
        rows = [k for k in range(40) if (x[k] == first[..., :1]).all() and (y[k] == second[..., :1]).all()]
        assert any(np.allclose(action, actions[row]) for row in rows)
    assert data.identity == read_table(tmp_path, "translate").identity


def test_no_image_is_in_two_splits():
    x, y, actions, classes = sprites(80)
    for second in (y, np.roll(x, 1, axis=0)):  # pairs apart, and pairs that all hang together
        data = TripleData("t", "translate", x, second, actions, classes, folder=".")
        images = [{image.tobytes() for image in data.pool(split).images} for split in ("train", "validation", "test")]
        assert not images[0] & images[1] and not images[0] & images[2] and not images[1] & images[2]


def test_of_photographs_of_a_few_things_every_split_shows_all():
    """Pairs of one thing hang together, and a thing in one split alone would teach the model nothing about classes."""
    classes, rng = np.repeat(np.arange(3), 60), np.random.default_rng(0)
    first = rng.integers(0, 60, (180, 8)) + 60 * classes[:, None]
    second = rng.integers(0, 60, (180, 8)) + 60 * classes[:, None]
    images = np.zeros((180, 64, 64, 1), "uint8")
    images[:, 0, 0, 0] = np.arange(180)
    x, y = images[first.ravel()], images[second.ravel()]
    data = TripleData("t", "translate", x, y, np.zeros((1440, 2), "float32"), np.repeat(classes, 8), folder=".")
    shown = [set(data.pool(split).images[:, 0, 0, 0]) for split in ("train", "validation", "test")]
    assert not (shown[0] & shown[1] | shown[0] & shown[2] | shown[1] & shown[2])
    assert all(len(np.unique(data.pool(split).classes)) == 3 for split in ("train", "test"))
    assert len(data.pool("train").images) // 2 > 0.6 * len(x) and "left out" in data.warning


def test_candidates_are_different_images():
    x, y, actions, classes = sprites(60)
    y = np.repeat(y[::2], 2, axis=0)
    pool = TripleData("t", "translate", x, y, actions, classes, folder=".").pool("train")
    rows = pool.rows(np.random.default_rng(0), 20, distinct=10)
    assert len({pool.images[row].tobytes() for row in rows[:10, 1]}) == 10
    with pytest.raises(InputError, match="do not make"):
        pool.rows(np.random.default_rng(0), 64, distinct=64)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"action_2": "north"}, r"row 5 .* has 'north' in action_2"),
        ({"image_2": "missing.png"}, r"row 5 .*missing.png cannot be read as an image"),
        ({"image_2": "../secret.png"}, "outside"),
        ({"image_2": "triples.csv"}, "cannot be read as an image"),
    ],
)
def test_a_faulty_row_is_named(tmp_path, change, reason):
    rows = write_folder(tmp_path, 8)
    rows[3] |= change
    write_table(tmp_path, rows)
    with pytest.raises(InputError, match=reason) as caught:
        read_table(tmp_path, "translate")
    assert "\n" not in str(caught.value)


def test_faulty_tables_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"has no triples\.csv"):
        read_table(tmp_path, "translate")
    rows = write_folder(tmp_path, 8)
    with pytest.raises(InputError, match="3 numbers an action; the group rotate takes 9"):
        read_table(tmp_path, "rotate")
    write_table(tmp_path, [row | {"group": "rotate" if i else "translate"} for i, row in enumerate(rows)])
    with pytest.raises(InputError, match="names 2 groups"):
        read_table(tmp_path, "translate")
    write_table(tmp_path, [row | {"group": "dihedral"} for row in rows])
    with pytest.raises(InputError, match="'dihedral'"):
        read_table(tmp_path, "translate")
    write_table(tmp_path, [row | {"class": "a"} for row in rows])
    with pytest.raises(InputError, match="one class only"):
        read_table(tmp_path, "translate")
    write_table(tmp_path, [{"image_1": "a.png"}])
    with pytest.raises(InputError, match="header"):
        read_table(tmp_path, "translate")


def write_arrays(folder, n=40):
    x, y, actions, classes = sprites(n)
    images = np.stack([x, y], axis=1)[..., 0] / 255
    np.save(folder / "equiv_data.npy", images.astype("float32"))
    np.save(folder / "equiv_lbls.npy", actions)
    np.save(folder / "equiv_classes.npy", classes)
    return images, actions, classes


def test_the_authors_arrays_are_read_with_their_trajectories(tmp_path):
    images, actions, classes = write_arrays(tmp_path)
    np.save(tmp_path / "equiv_data_10.npy", images)
    np.save(tmp_path / "equiv_lbls_10.npy", np.repeat(actions[:, None] / 10, 10, axis=1))
    np.save(tmp_path / "equiv_classes_10.npy", classes)
    data = read_arrays(tmp_path, "translate")
    assert data.steps == (1, 10) and data.channels == 1 and data.pool("train").images.shape[1:] == (64, 64, 1)
    long = data.pool("test", 10)
    rows = long.rows(np.random.default_rng(0), 8)
    np.testing.assert_allclose(long.actions(rows).sum(axis=1), actions[rows[:, 0]], rtol=1e-4, atol=1e-5)
    for name, wrong, reason in (
        ("equiv_lbls", actions[:30], "30 actions"),
        ("equiv_data", images[:, :1], "should be"),
        ("equiv_classes", np.zeros(40), "one class only"),
    ):
        write_arrays(tmp_path)
        np.save(tmp_path / f"{name}.npy", wrong)
        with pytest.raises(InputError, match=reason):
            read_arrays(tmp_path, "translate")


def test_the_authors_chairs_are_read_without_running_them(tmp_path):
    triples = triples_of(Solids(), 40)
    objects = [[each[:3] for each in zip(*triples, strict=True) if each[3] == kind] for kind in range(3)]
    path = tmp_path / "chairs.pkl"
    path.write_bytes(pickle.dumps(objects))
    data = read_chairs(path)
    assert data.group == "rotate" and "4 test" in data.summary
    assert data.triples("train", np.random.default_rng(0), 5)["action"].shape == (5, 3, 3)
    assert len(np.unique(data.pool("train").classes)) == 3
    path.write_bytes(pickle.dumps([[(1, 2, 3)]]))
    with pytest.raises(InputError, match="does not hold"):
        read_chairs(path)
    path.write_bytes(b"cos\nsystem\n(S'touch " + str(tmp_path).encode() + b"/ran'\ntR.")
    with pytest.raises(InputError, match=r"os\.system"):
        read_chairs(path)
    assert not (tmp_path / "ran").exists()
