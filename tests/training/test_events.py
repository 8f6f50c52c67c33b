import io
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tsdsae_keras.errors import InputError
from tsdsae_keras.report.figures import loss_figure, png_bytes
from tsdsae_keras.training.events import EventWriter

TONE = 0.5 * np.sin(np.arange(800) / 5)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "logs"
    with EventWriter(folder) as writer:
        for step in range(3):
            writer.scalars({"epoch/loss": 2.0 - step, "epoch/recon": 0.25}, step)
        writer.picture("swap", png_bytes(loss_figure({"loss": [1.0, 0.5]}), dpi=50), 2)
        writer.sound("swap/global", TONE, 16000, 2)
    return folder


def test_the_event_accumulator_reads_everything_back(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    assert [(event.step, event.value) for event in events.Scalars("epoch/loss")] == [
        (0, 2.0),
        (1, 1.0),
        (2, 0.0),
    ]
    image = events.Images("swap")[0]
    assert (image.step, image.width, image.height) == (2, 400, 210)
    sound = events.Audio("swap/global")[0]
    samples, rate = soundfile.read(io.BytesIO(sound.encoded_audio_string))
    assert (rate, sound.sample_rate, sound.content_type) == (16000, 16000, "audio/wav")
    np.testing.assert_allclose(samples, TONE, atol=2**-15)


def test_the_viewers_plugins_find_their_runs(folder):
    from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder)).Reload()
    found = {name: set(events.PluginTagToContent(name)) for name in ("scalars", "images", "audio")}
    assert found == {"scalars": {"epoch/loss", "epoch/recon"}, "images": {"swap"}, "audio": {"swap/global"}}


def test_tensorflow_is_not_imported(tmp_path):
    code = (
        "import sys; from tsdsae_keras.training.events import EventWriter\n"
        f"writer = EventWriter({str(tmp_path)!r})\n"
        "writer.scalars({'a': 1}, 0); writer.sound('b', [0.0], 8000, 0); writer.close()\n"
        "sys.exit('tensorflow' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


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
