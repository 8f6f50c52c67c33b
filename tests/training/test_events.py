"""What TensorBoard's own readers find in the files that are written."""

import io
import resource
import time

import keras  # noqa: F401 - before tensorflow
import numpy as np
import pytest
import soundfile
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from tsdsae_keras.errors import InputError
from tsdsae_keras.report.figures import loss_figure, png_bytes
from tsdsae_keras.training.events import EventWriter

pytestmark = pytest.mark.no_backend

TONE = 1.5 * np.sin(np.arange(800) / 5)  # beyond full scale
PICTURE = png_bytes(loss_figure({"loss": [1.0, 0.5]}), dpi=50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "logs"
    with EventWriter(folder) as writer:
        for step in range(3):
            writer.scalars({"epoch/loss": 2.0 - step, "epoch/recon": 0.25}, step)
        writer.picture("swap", PICTURE, 2)
        writer.sound("swap/global", TONE, 16000, 2)
    return folder


def read(folder, tag):
    """[(step, array)] of a tag, as TensorBoard shows them."""
    events = EventAccumulator(str(folder)).Reload().Tensors(tag)
    return [(event.step, tf.make_ndarray(event.tensor_proto)) for event in events]


def test_everything_is_read_back(folder):
    assert read(folder, "epoch/loss") == [(0, 2.0), (1, 1.0), (2, 0.0)]
    ((step, (width, height, png)),) = read(folder, "swap")
    assert (step, width, height) == (2, b"400", b"210") and png.startswith(b"\x89PNG")
    np.testing.assert_array_equal(tf.io.decode_png(png), tf.io.decode_png(PICTURE))
    ((_, sound),) = read(folder, "swap/global")
    samples, rate = soundfile.read(io.BytesIO(sound[0]))
    assert rate == 16000
    np.testing.assert_allclose(samples, np.clip(TONE, -1, 1), atol=2**-14)


def test_the_viewers_plugins_find_their_runs(folder):
    events = EventAccumulator(str(folder)).Reload()
    found = {name: set(events.PluginTagToContent(name)) for name in ("scalars", "images", "audio")}
    assert found == {"scalars": {"epoch/loss", "epoch/recon"}, "images": {"swap"}, "audio": {"swap/global"}}


def test_a_resumed_run_takes_back_what_lost_epochs_wrote(tmp_path):
    """Begun, killed after step 3 without closing, resumed from 2, and again from 1."""
    for first, value in ((0, 0.0), (2, 10.0), (1, 20.0)):
        time.sleep(1.0)  # TensorBoard sorts files by the second and then the number in their names, 10 before 9
        writer = EventWriter(tmp_path, first)
        for step in range(first, 4):
            writer.scalars({"a": value + step}, step)
        if first == 2:
            assert read(tmp_path, "a") == [(0, 0.0), (1, 1.0), (2, 12.0), (3, 13.0)]
    assert read(tmp_path, "a") == [(0, 0.0), (1, 21.0), (2, 22.0), (3, 23.0)]


def test_two_writers_in_one_folder_do_not_collide(tmp_path):
    for _ in range(2):
        EventWriter(tmp_path).close()
    assert len(list(tmp_path.iterdir())) == 2


def test_what_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write"):
        EventWriter(tmp_path / "file")
    with EventWriter(tmp_path) as writer, pytest.raises(InputError, match="PNG"):
        writer.picture("a", b"GIF89a", 0)


def test_a_full_disk_is_an_os_error(tmp_path):
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    with EventWriter(tmp_path) as writer:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
            with pytest.raises(OSError, match="File too large") as caught:
                for step in range(100):
                    writer.scalars({"a": 1.0}, step)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.filename == str(tmp_path)
