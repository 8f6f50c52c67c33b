"""Major scales up and down, as the music of physical symmetry: 15 notes over a start pitch, each played alone.

A note sounds for 2,048 samples at 16 kHz, the last 512 fading linearly to 0, with 512 zeros before the next: 2,560
samples. Validation and test scales start at other fractions of a semitone than those of training.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from tsdsae_keras.data.audio.note_spectra import NOTE, SAMPLE_RATE, note_spectra
from tsdsae_keras.data.audio.synthesis import open_synth
from tsdsae_keras.data.sets.frame_sequences import SPLITS, FrameSequences
from tsdsae_keras.errors import InputError

MAJOR = (0, 2, 4, 5, 7, 9, 11, 12, 11, 9, 7, 5, 4, 2, 0)
SOUNDING, FADE = 2048, 512  # samples
HELD = 0.228  # seconds that the key is held, longer than what is kept
VELOCITY = 100


def open_scales(settings):
    """The scales of `cards.scales.ScaleSettings`, rendered in memory: some seconds.

    Raises:
        InputError: the range is empty or cannot be played, or the synthesiser lacks a program.
    """
    if settings.highest <= settings.lowest:
        raise InputError(f"--highest is {settings.highest}; it must be above --lowest, {settings.lowest}")
    starts = {split: start_pitches(settings, split) for split in SPLITS}
    with open_synth(settings.synth, settings.programs, settings.soundfont, SAMPLE_RATE) as synth:
        about = synth.describe()
        render = ScaleRenderer(synth, settings.workers)
        x = {split: np.concatenate([render(p, starts[split]) for p in settings.programs]) for split in SPLITS}
    programs = len(settings.programs)
    labels = {split: np.tile(pitches_of(starts[split]), (programs, 1, 1)) for split in SPLITS}
    groups = {split: np.repeat(settings.programs, len(starts[split])) for split in SPLITS}
    chosen = ("programs", "scales", "test_scales", "lowest", "highest", "margin", "fractional", "data_seed")
    identity = f"scales 2 { ({name: getattr(settings, name) for name in chosen}) } {about}"
    additive = about["name"] == "additive"
    warning = "the scales are played by the additive synthesiser, not by an instrument" if additive else None
    return FrameSequences("music", x, labels, ("pitch",), identity, groups, warning=warning, about=about)


def start_pitches(settings, split):
    """MIDI numbers of the first notes: spread evenly over the range, each with its own fraction of a semitone.

    Training scales begin `margin` semitones lower, as far as the synthesis score reaches below the first notes; above
    them a scale has an octave to go.
    """
    n, train = (settings.scales, True) if split == "train" else (settings.test_scales, False)
    low, high = settings.lowest - (settings.margin if train else 0.0), settings.highest
    keys = np.linspace(low, high, n).round()
    if train and not settings.fractional:
        return keys
    rng = np.random.default_rng((settings.data_seed, SPLITS.index(split)))
    return np.clip(keys + rng.uniform(-0.5, 0.5, n).round(3), low, high)


def pitches_of(starts):
    """The pitch of every note, (n, 15, 1)."""
    return np.add.outer(np.asarray(starts, "float64"), MAJOR)[..., None]


class ScaleRenderer:
    """Scales as notes' spectra, by a synthesiser; a note is rendered once however often it is played.

    Args:
        synth: of `audio.synthesis`.
        workers: threads.
    """

    def __init__(self, synth, workers=1):
        self.synth, self.workers = synth, workers

    def __call__(self, program, starts):
        """x (n, 15, 513, 5) of scales on start pitches."""
        pitches = sorted({round(start + step, 6) for start in starts for step in MAJOR})
        with ThreadPoolExecutor(self.workers) as pool:
            notes = dict(zip(pitches, pool.map(lambda pitch: self.note(program, pitch), pitches), strict=True))
        scales = [join_notes([notes[round(start + step, 6)] for step in MAJOR]) for start in starts]
        return np.stack([note_spectra(scale) for scale in scales])

    def note(self, program, pitch):
        """The 2,048 samples of one note."""
        sound = self.synth.render([(0.0, HELD, pitch)], program, HELD, velocity=VELOCITY, level=True)[:SOUNDING]
        sound = sound.copy()
        sound[-FADE:] *= np.linspace(1, 0, FADE, dtype="float32")
        return sound


def join_notes(notes):
    """Notes of 2,048 samples one after the other with silence between them; the first one starts at sample 0."""
    padded = [np.pad(note, (NOTE - SOUNDING, 0)) for note in notes]
    return np.concatenate(padded)[NOTE - SOUNDING :]
