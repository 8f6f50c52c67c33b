"""The commands on image files."""

import numpy as np
import pytest
import tensorflow as tf

from tsdsae_keras.cli import main
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd.baselines import Linear
from tsdsae_keras.families.cpd.commands import align, axis_and_angle, embed
from tsdsae_keras.families.cpd.model import CPD


@pytest.fixture
def files(tmp_path):
    images = np.random.default_rng(0).integers(0, 256, (2, 64, 64, 1), dtype="uint8")
    paths = [tmp_path / "a.png", tmp_path / "b.png"]
    for path, image in zip(paths, images, strict=True):
        path.write_bytes(tf.io.encode_png(image).numpy())
    return paths, images


def test_align_and_embed_give_what_the_model_says(files, tmp_path):
    paths, images = files
    model = CPD(width=2, seed=0)
    codes = model.encode(images)["code"]
    np.testing.assert_allclose(align(model, *paths), codes[1, :3] - codes[0, :3], atol=1e-5)
    embed(model, paths, tmp_path / "codes.npz")
    with np.load(tmp_path / "codes.npz") as found:
        np.testing.assert_allclose(found["pose"], codes[:, :3], atol=1e-5)
        np.testing.assert_allclose(found["class"], codes[:, 3:], atol=1e-5)
        assert found["name"].tolist() == [str(path) for path in paths]


def test_the_command_line_opens_the_model(files, tmp_path, capsys):
    (first, second), images = files
    model = CPD(width=2, seed=0)
    model.save(tmp_path / "model.keras")
    assert main(["align", str(tmp_path / "model.keras"), str(first), str(second)]) == 0
    assert (
        np.array2string(model.relative(*images[:, None])[0], precision=4, suppress_small=True)
        in capsys.readouterr().out
    )
    assert main(["embed-images", str(tmp_path / "model.keras"), str(first), "--out", str(tmp_path / "c.npz")]) == 0
    assert (tmp_path / "c.npz").is_file()


def test_a_rotation_is_told_by_angle_and_axis():
    about_y = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    assert axis_and_angle(about_y) == "90.0 degrees about (0.00, 1.00, 0.00)"
    assert axis_and_angle(np.eye(3)) == "0.0 degrees about (0.00, 0.00, 0.00)"


def test_what_cannot_be_used_is_refused(files, tmp_path):
    with pytest.raises(InputError, match="Linear"):
        align(Linear(width=2), *files[0])
    (tmp_path / "c.png").write_bytes(b"no image")
    with pytest.raises(InputError, match=r"c\.png cannot be read"):
        align(CPD(width=2), files[0][0], tmp_path / "c.png")
