"""docs/your-own-sound.md followed word for word, in real processes, on files rendered here."""

import os
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from tests.sounds import read_audio
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.sound_files import write_audio
from tsdsae_keras.data.audio.synthesis import open_synth
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.families.tsdsae.evaluation.judges import FrameJudge
from tsdsae_keras.metrics.pitch import PyinTracker, hz_of_notes, melody_accuracy

GUIDE = Path(__file__).parents[1] / "docs" / "your-own-sound.md"
VIOLIN, TRUMPET = 40, 56
RATE, CLIPS, FILES = 16000, 4, 10
SLOT, HOP = 0.25, 256  # seconds of a note, samples of a frame of pitch


def lines_of_the_guide():
    block = re.search(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL).group(1)
    return [shlex.split(line) for line in block.splitlines()]


class Band:
    """Renders files of four melodies that no other file has."""

    def __init__(self, synth):
        self.synth = synth
        self.pool = iter(np.random.default_rng(0).permutation(grid.paper_subset((4,), ("C",), ("major",))))

    def write(self, path, program):
        """Writes a file and returns its notes, (slots,) MIDI numbers with 0 for a rest."""
        notes = grid.notes_of(np.array([next(self.pool) for _ in range(CLIPS)]))
        sound = np.concatenate([self.synth.render(grid.timed_notes(bars), program, grid.SECONDS) for bars in notes])
        write_audio(path, 0.5 * sound.astype("float32"), RATE)
        return notes.reshape(-1)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with `sounds`, twenty files of two instruments, and two files next to it; the melody of the first."""
    folder = tmp_path_factory.mktemp("place")
    with open_synth("auto", (VIOLIN, TRUMPET), None, RATE) as synth:
        synth.load()
        band = Band(synth)
        for name, program in (("violin", VIOLIN), ("trumpet", TRUMPET)):
            (folder / "sounds" / name).mkdir(parents=True)
            for number in range(FILES):
                band.write(folder / "sounds" / name / f"{number}.wav", program)
        melody = band.write(folder / "melody.wav", VIOLIN)
        band.write(folder / "timbre.wav", TRUMPET)
    return folder, melody


def frames_of(path):
    """Log-mel segments of 4 s: (n, time, bands)."""
    samples = read_audio(path, RATE)
    return np.stack([FrontEnd().log_mel(part) for part in np.split(samples[: CLIPS * 4 * RATE], CLIPS)])


def raw_pitch_accuracy(path, notes):
    """The share of the melody's frames at which a pitch tracker hears its note within 50 cents."""
    hz, _ = PyinTracker()(read_audio(path, RATE), RATE)
    slot = (np.arange(len(hz)) * HOP / (SLOT * RATE)).astype(int)
    return melody_accuracy(hz_of_notes(notes[np.minimum(slot, len(notes) - 1)]), hz)["rpa"]


@pytest.mark.slow
@pytest.mark.no_backend
def test_three_commands_from_a_folder_to_a_swapped_sound(place):
    folder, melody = place
    commands = Path(sys.executable).parent
    environment = os.environ | {"PATH": f"{commands}{os.pathsep}{os.environ['PATH']}"}
    for line in lines_of_the_guide():
        start = time.perf_counter()
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True)
        print(f"{shlex.join(line[:2])}: {time.perf_counter() - start:.1f} s")
        assert done.returncode == 0, f"{shlex.join(line)}: {done.stderr}"
    known = {path: name for name in ("violin", "trumpet") for path in (folder / "sounds" / name).iterdir()}
    x = [frames_of(path) for path in known]
    judge = FrameJudge(np.concatenate(x), np.repeat(list(known.values()), CLIPS))
    assert set(judge.predict(frames_of(folder / "melody.wav"))) == {"violin"}
    assert set(judge.predict(frames_of(folder / "swapped.wav"))) == {"trumpet"}
    kept, ceiling = (raw_pitch_accuracy(folder / name, melody) for name in ("swapped.wav", "melody.wav"))
    print(f"raw pitch accuracy {kept:.3f}, of the original {ceiling:.3f}")
    assert ceiling > 0.8 and kept > 0.9 * ceiling
