"""Sound files as a model hears them: their codes, and what it makes of them, a window at a time."""

import keras
import numpy as np

from tsdsae_keras.data.audio.sound_files import audio_blocks, survey
from tsdsae_keras.data.audio.windows import Plan, frames_of, join_sounds, peak_of
from tsdsae_keras.errors import InputError


class Recording:
    """A sound file, looked through once, ready to be read in windows of a model's log-mel frames.

    Where the front end has a floor it is looked through twice: the floor depends on the loudest frame of the file.

    Attributes:
        front_end: of this file, its floor known.
        samples: how many.
        plan: its windows.

    Raises:
        InputError: the file cannot be read (`data.audio.audio_blocks`), is silent, or is too short.
    """

    def __init__(self, path, front_end):
        self.path = path
        found, rate = survey(path, front_end.sample_rate), front_end.sample_rate
        if found.samples < shortest(front_end):
            needed = shortest(front_end) / rate
            raise InputError(f"{path} lasts {found.samples / rate:.3g} s; at least {needed:.3g} s are needed")
        if found.silent:
            raise InputError(f"{path} is silent (peak {found.peak:.1g} of full scale); give a file with sound in it")
        self.samples = found.samples
        self.plan = Plan(front_end.frames(found.samples))
        peak = peak_of(self._blocks(rate), front_end, found.samples, self.plan) if front_end.floor_db else 0.0
        self.front_end = front_end.for_clip(peak)

    def windows(self):
        """(window, log-mel frames) of the whole file."""
        blocks = self._blocks(self.front_end.sample_rate)
        return frames_of(blocks, self.front_end, self.samples, self.plan)

    def _blocks(self, rate):
        return audio_blocks(self.path, rate)


def shortest(front_end):
    """The fewest samples that give frames enough for a sound."""
    return (1 + front_end.n_fft // front_end.hop_length) * front_end.hop_length


class Coder:
    """The parts of a model as compiled functions of arrays: eager loops of recurrent parts take 60 times as long."""

    def __init__(self, model):
        self._v = Compiled(model, lambda x: model.infer_v(model.standardized(x))[1])
        self._z = Compiled(model, lambda x, v: model.infer_z(model.standardized(x), v)[1][0])
        self._x = Compiled(model, lambda z, v: model.decode(z, v))

    def v(self, frames):
        """Mean and log-variance of q(v | x) of log-mel frames (T, n_mels): (2, v_dim)."""
        return np.concatenate(self._v.of(x=frames))

    def z(self, frames, v):
        """Means of q(z_t | .) of log-mel frames (T, n_mels), whose v is given (v_dim,): (T, z_dim)."""
        return self._z.of(x=frames, v=v)[0]

    def decode(self, z, v):
        """Log-mel frames (T, n_mels) from z (T, z_dim) and v (v_dim,)."""
        return self._x.of(z=z, v=v)[0]


class Compiled(keras.Model):
    """A function of tensors that reads a model, compiled as `predict` is on every backend; batches of one."""

    def __init__(self, model, function):
        super().__init__()
        self.whose, self._function = model, function
        self.compile()

    def call(self, inputs):
        return self._function(**inputs)

    def of(self, **arrays):
        return self.predict_on_batch({name: np.asarray(array, np.float32)[None] for name, array in arrays.items()})


def v_of(coder, recording):
    """(mean, log-variance) of q(v | x) of a whole recording, each (v_dim,): the mean over windows weighted by frames.

    With the frame-wise global encoder that is exactly what it gives for all frames at once; the recurrent one hears
    each window (16 s) by itself.
    """
    total = 0
    for window, frames in recording.windows():
        share = (window.core.stop - window.core.start) / recording.plan.frames
        total += share * coder.v(frames[window.core]).astype(np.float64)
    return tuple(total.astype(np.float32))


def z_windows(coder, recording, v):
    """(window, means of z (frames, z_dim)) of a recording whose own v is given, (v_dim,)."""
    for window, frames in recording.windows():
        yield window, coder.z(frames, v)


def decode_windows(coder, recording, own_v, v):
    """(window, log-mel frames) of a recording's z with the given v."""
    for window, z in z_windows(coder, recording, own_v):
        yield window, coder.decode(z, v)


def sound_blocks(windows, plan, front_end, samples, vocoder, seed, progress):
    """Blocks of the sound of (window, log-mel frames) that follow a `Plan`, together (samples,).

    `seed` is that of the first window; each has one of its own.
    """
    sounds = _sounds(windows, front_end, vocoder, seed, progress)
    return join_sounds(sounds, plan, front_end.hop_length, samples)


def _sounds(windows, front_end, vocoder, seed, progress):
    for index, (window, log_mel) in enumerate(windows):
        yield vocoder(log_mel, front_end, seed + index)
        progress.add(window.core.stop - window.core.start)
