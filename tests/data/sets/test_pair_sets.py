"""Natural sprites, masks, published files and folders of frames: what they draw, read and refuse."""

import pickle

import h5py
import numpy as np
import pytest
from PIL import Image, ImageDraw

from tsdsae_keras.cli import main
from tsdsae_keras.data.sets import masks, natural_sprites, open_data, outlines, published_images
from tsdsae_keras.data.sets.dsprites_render import render
from tsdsae_keras.data.sets.steps import MASKS, SPRITES, draw_steps, walk
from tsdsae_keras.data.sets.transitions import Grid
from tsdsae_keras.errors import InputError
from tsdsae_keras.settings import Settings

pytestmark = pytest.mark.no_backend


def open_set(data, **given):
    return open_data(Settings(model="slowvae", data=data, **given))


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.mark.parametrize("data", ["dsprites", "natural-sprites", "masks", "mixed"])
def test_what_is_drawn_depends_on_the_generator_alone(data):
    made = open_set(data)
    x, factors = made.pairs(rng(), 6)
    again, _ = open_set(data).pairs(rng(), 6)
    np.testing.assert_array_equal(x, again)
    assert x.shape == (12, *made.x_shape) and x.dtype == np.float32
    assert factors.shape == (12, len(made.factors))
    single, values = made.sample(rng(), 5)
    assert single.shape == (5, *made.x_shape) and values.shape == (5, len(made.factors))
    assert made.identity == open_set(data).identity


@pytest.mark.parametrize("law", [*SPRITES.values(), *MASKS.values()])
def test_steps_follow_their_law(law):
    from scipy.stats import gennorm, kstest

    assert kstest(draw_steps(law, rng(), 5000), gennorm(*law).cdf).pvalue > 1e-3


def test_walks_stay_within_their_range():
    ends = walk(np.full(5, 3.0), np.array([0.5, -2, 5, 40, -17.5]), 2.0, 6.0)
    np.testing.assert_allclose(ends, [3.5, 3, 4, 3, 2.5])


def test_outlines_have_area_one_and_are_drawn_where_they_should_be():
    for outline in (*natural_sprites.SHAPES, outlines.pedestrian()):
        assert outlines.area(outline) == pytest.approx(1)
    square = outlines.place(natural_sprites.SHAPES[0], 0.25, 0.75, 0.25)
    frame = outlines.draw([square])[0, ..., 0]
    assert frame.sum() == pytest.approx(256, rel=0.05)
    assert frame[9:23, 9:23].min() > 0.95 and frame[:, 28:].max() < 0.05 and frame[28:].max() < 0.05
    triangle = outlines.draw([outlines.place(natural_sprites.SHAPES[1], 0.5, 0.5, 0.4)])[0, ..., 0]
    assert triangle[:32].sum(axis=1).argmax() > triangle[:20].sum(axis=1).argmax()  # point up
    turned = [outlines.place(natural_sprites.SHAPES[1], 0.5, 0.5, 0.4, angle) for angle in (0, 2 * np.pi / 3)]
    np.testing.assert_allclose(*outlines.draw(turned), atol=0.25)


@pytest.mark.parametrize("shape", natural_sprites.SHAPES)
def test_drawing_is_filling_a_fine_canvas_and_resizing_it(shape):
    for x, y, angle in ((0.4, 0.55, 0.3), (0.02, 0.9, 1.1), (1.05, 0.5, 0.0)):  # the last two reach over the edge
        corners = outlines.place(shape, x, y, 0.3, angle)
        canvas = Image.new("L", (320, 320))
        points = [(320 * u - 0.5, 320 * (1 - v) - 0.5) for u, v in corners]
        ImageDraw.Draw(canvas).polygon(points, fill=255)
        expected = np.asarray(canvas.resize((64, 64), Image.Resampling.LANCZOS), "float32") / 255
        found = outlines.draw([corners])[0, ..., 0]
        # A pixel of the canvas on the outline may fall to either side, which is a tenth of a pixel of the frame.
        np.testing.assert_allclose(found, expected, atol=0.1)
        assert np.abs(found - expected).mean() < 1e-3 and expected.max() == 1


def test_natural_sprites_keep_angle_and_shape():
    x, factors = open_set("natural-sprites").pairs(rng(), 40)
    np.testing.assert_array_equal(factors[::2, 3:], factors[1::2, 3:])
    assert (factors[::2, :3] != factors[1::2, :3]).all()
    inside = (factors[:, :2] > 0.3).all(axis=1) & (factors[:, :2] < 0.7).all(axis=1)  # whole in the frame
    np.testing.assert_allclose(x[inside, ..., 0].sum(axis=(1, 2)), (64 * factors[inside, 2]) ** 2, rtol=0.12)
    np.testing.assert_array_equal(x[..., 0], x[..., 2])
    discrete = open_set("natural-sprites", discrete=True)
    assert discrete.grid.sizes == (32, 32, 6, 40, 4)
    assert discrete.pairs(rng(), 3)[0].shape == (6, 64, 64, 3)


def test_a_table_of_masks_in_videos(tmp_path):
    # A track of one object that moves by a pixel, an empty cell, and one with an area far from all others.
    rows = [f'{i},"({20 + i}, {10 + i}, {100 + i})","({21 + i}, 12, 101)",,"(1, 1, 5)"' for i in range(40)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(rows))
    data = open_set("natural-sprites", file=str(path))
    assert data.table.shape == (36, 2, 3)  # the areas of two pairs at either end are beyond the quantiles
    np.testing.assert_allclose(data.table[:, 1, 1] - data.table[:, 0, 1], 1 / 64)
    for text, named in (("(1, 2)", "not a table"), ("(__import__('os'),)", "not a table"), ("nothing", "no two")):
        path.write_text(text)
        with pytest.raises(InputError, match=named):
            natural_sprites.read_table(path)


def test_drawn_masks_are_where_they_say():
    x, factors = open_set("masks", max_dt=1).pairs(rng(), 30)
    assert set(np.unique(x)) == {0.0, 1.0}
    one = masks.moments(np.pad(np.ones((1, 4, 2, 1)), ((0, 0), (10, 50), (20, 42), (0, 0))))
    np.testing.assert_allclose(one, [[11.5, 20.5, 8]])
    np.testing.assert_allclose(factors, masks.moments(x))
    assert np.abs(factors[1::2] - factors[::2]).mean(axis=0)[0] < 3


def sequences(lengths=(3, 1, 4)):
    frames = [rng(length).random((length, 64, 64)) < 0.1 for length in lengths]
    return frames, [masks.moments(each[..., None]).astype("float32") for each in frames]


def write_masks(path, frames, latents):
    path.write_bytes(pickle.dumps({masks.FRAMES: frames, masks.LATENTS: latents}))
    return str(path)


def test_masks_of_videos(tmp_path):
    frames, latents = sequences()
    data = open_set("masks", file=write_masks(tmp_path / "masks.pickle", frames, latents), max_dt=2)
    x, factors = data.pairs(rng(), 60)
    stack, known = np.concatenate(frames), np.concatenate(latents)
    rows = [np.flatnonzero((stack == frame[..., 0].astype(bool)).all(axis=(1, 2)))[0] for frame in x]
    np.testing.assert_array_equal(factors, known[rows])
    apart = set(zip(rows[::2], rows[1::2], strict=True))
    assert apart == {(0, 1), (0, 2), (1, 2), (4, 5), (4, 6), (5, 6), (5, 7), (6, 7)}
    arrays = {masks.FRAMES: stack, masks.LATENTS: known, masks.LENGTHS: [3, 1, 4]}
    np.savez(tmp_path / "masks.npz", **arrays)
    same = open_set("masks", file=str(tmp_path / "masks.npz"), max_dt=2)
    np.testing.assert_array_equal(same.pairs(rng(), 60)[0], x)


class Attack:
    def __reduce__(self):
        return eval, ("open('/tmp/attacked', 'w')",)


@pytest.mark.parametrize(
    "frames, latents, named",
    [
        ([Attack()], [Attack()], "builtins.eval"),
        ([], [], "not a dict with"),
        ([np.zeros((3, 64, 64), "uint8")], [np.zeros((3, 3))], "masks of uint8"),
        ([np.zeros((3, 32, 64), bool)], [np.zeros((3, 3))], r"frames \(3, 32, 64\)"),
        ([np.zeros((3, 64, 64), bool)], [np.zeros((2, 3))], "should be"),
        ([np.zeros((1, 64, 64), bool)], [np.zeros((1, 3))], "no sequence of two frames"),
    ],
)
def test_bad_files_of_masks_are_refused(tmp_path, frames, latents, named):
    with pytest.raises(InputError, match=named):
        open_set("masks", file=write_masks(tmp_path / "bad.pickle", frames, latents))


def test_the_published_dsprites(tmp_path):
    sizes = (3, 2, 1, 2, 2)
    classes = np.stack(np.meshgrid(*map(np.arange, sizes), indexing="ij"), axis=-1).reshape(-1, 5)
    images = render(classes)[..., 0].astype("uint8")
    path, cache = str(tmp_path / "dsprites.npz"), str(tmp_path / "cache")
    ones = np.concatenate([np.zeros((len(classes), 1), int), classes], axis=1)
    np.savez_compressed(path, imgs=images, latents_classes=ones)
    data = open_set("dsprites", file=path, cache=cache)
    assert data.grid.sizes == sizes and data.x_shape == (64, 64, 1)
    x, factors = data.pairs(rng(), 20)
    np.testing.assert_array_equal(x, render(factors))
    assert (factors[::2, 0] == factors[1::2, 0]).all()
    np.testing.assert_array_equal(open_set("dsprites", file=path, cache=cache).pairs(rng(), 20)[0], x)  # from the cache
    np.savez(path, imgs=images[1:], latents_classes=ones[1:])
    with pytest.raises(InputError, match="factors are missing"):
        open_set("dsprites", file=path, cache=cache)
    np.savez(path, imgs=images.astype("float32"), latents_classes=ones)
    with pytest.raises(InputError, match="holds float32"):
        open_set("dsprites", file=path, cache=cache)
    for arrays, named in (({"other": images}, "'imgs'"), ({"imgs": images}, "'latents_classes'")):
        np.savez(path, **arrays)
        with pytest.raises(InputError, match=named):
            open_set("dsprites", file=path, cache=cache)


@pytest.mark.parametrize("name", ["shapes3d", "mpi3d"])
def test_the_other_published_files(tmp_path, monkeypatch, name):
    monkeypatch.setattr(published_images, name.upper(), Grid(tuple("abc"), (2, 3, 4), ("a",)))
    images = rng().integers(0, 255, (24, 16, 16, 3)).astype("uint8")
    path = tmp_path / ("3dshapes.h5" if name == "shapes3d" else "mpi3d.npz")
    if name == "shapes3d":
        with h5py.File(path, "w") as file:
            file["images"] = images
    else:
        np.savez_compressed(path, images=images)
    data = open_set(name, file=str(path), cache=str(tmp_path))
    x, factors = data.pairs(rng(), 10)
    np.testing.assert_allclose(x, images[data.grid.index(factors)] / np.float32(255))
    with pytest.raises(InputError, match="give its published file"):
        open_set(name)
    monkeypatch.setattr(published_images, name.upper(), Grid(tuple("abc"), (2, 3, 5), ("a",)))
    with pytest.raises(InputError, match="holds 24 frames; a grid of 2 x 3 x 5 factors has 30"):
        open_set(name, file=str(path), cache=str(tmp_path))
    path.write_bytes(b"something else")
    with pytest.raises(InputError, match="cannot be read"):
        open_set(name, file=str(path), cache=str(tmp_path))


def pictures(folder, count=4, size=(40, 30)):
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(8, 8 + count):  # 8, 9, 10, 11: in the order of numbers, not of letters
        Image.new("RGB", size, (20 * i, 0, 0)).save(folder / f"frame{i}.png")


def test_frames_of_ones_own(tmp_path):
    pictures(tmp_path / "first")
    pictures(tmp_path / "second", 2)
    data = open_set("frames", folder=str(tmp_path), side=16)
    assert data.x_shape == (16, 16, 3)
    x, factors = data.pairs(rng(), 30)
    red = np.round(x[:, 0, 0, 0] * 255 / 20)
    assert set(zip(red[::2], red[1::2], strict=True)) == {(8, 9), (9, 10), (10, 11)}
    assert set(np.round(factors[:, 0], 3)) == {0.0, 0.333, 0.667, 1.0}
    assert open_set("frames", folder=str(tmp_path), side=16, grey=True).x_shape == (16, 16, 1)


def test_an_animated_picture_is_a_video(tmp_path):
    pictures(tmp_path, 2)
    pages = [Image.new("RGB", (40, 30), (0, 0, 60 * i)) for i in range(4)]
    pages[0].save(tmp_path / "moves.gif", save_all=True, append_images=pages[1:])
    x, _ = open_set("frames", folder=str(tmp_path), side=16).pairs(rng(), 40)
    colours = np.round(x[:, 0, 0, [0, 2]] * 255)
    assert {tuple(pair.ravel()) for pair in colours.reshape(-1, 2, 2)} == {
        (160, 0, 180, 0),
        *((0, 60 * i, 0, 60 * i + 60) for i in range(3)),
    }


def test_frames_are_prepared_by_the_command(tmp_path, capsys):
    pictures(tmp_path / "video")
    assert main(["prepare", "frames", str(tmp_path), "--side", "16", "--cache", str(tmp_path / "cache")]) == 0
    (folder,) = (tmp_path / "cache").iterdir()
    assert f"4 frames (16, 16, 3) of 1 videos: train with --data {folder}" in capsys.readouterr().out
    prepared, direct = open_set(str(folder)), open_set("frames", folder=str(tmp_path / "video"), side=16)
    assert (prepared.identity, prepared.folder) == (direct.identity, folder)
    np.testing.assert_array_equal(prepared.pairs(rng(), 9)[0], direct.pairs(rng(), 9)[0])
    content = (folder / "frames.npy").read_bytes()
    (folder / "frames.npy").write_bytes(content[:-1] + b"1")
    with pytest.raises(InputError, match="has changed since"):
        open_set(str(folder))
    np.save(folder / "frames.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(InputError, match="cannot be read"):
        open_set(str(folder))
    with pytest.raises(InputError, match="holds no frames"):
        open_set(str(tmp_path))


def test_bad_folders_of_frames_are_refused(tmp_path):
    for given, named in (
        ({}, "need their folder"),
        ({"folder": str(tmp_path / "none")}, "is not a folder"),
        ({"folder": str(tmp_path), "side": 20}, "multiple of 16"),
        ({"folder": str(tmp_path)}, "has no frames"),
    ):
        with pytest.raises(InputError, match=named):
            open_set("frames", **given)
    (tmp_path / "clip.mp4").write_bytes(b"")
    with pytest.raises(InputError, match=r"clip\.mp4 is a video"):
        open_set("frames", folder=str(tmp_path))
    pictures(tmp_path, 1)
    with pytest.raises(InputError, match="1 frame"):
        open_set("frames", folder=str(tmp_path))
    Image.new("RGB", (41, 30)).save(tmp_path / "frame9.png")
    with pytest.raises(InputError, match="must be of one size"):
        open_set("frames", folder=str(tmp_path))
    (tmp_path / "frame9.png").write_bytes(b"not a picture")
    with pytest.raises(InputError, match="is not a picture"):
        open_set("frames", folder=str(tmp_path))
    Image.fromarray(np.full((30, 40), 1 << 12, "uint16")).save(tmp_path / "frame9.png")
    with pytest.raises(InputError, match="8 bits a channel"):
        open_set("frames", folder=str(tmp_path))
