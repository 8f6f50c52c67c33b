"""Long sequences in windows: exact log-mel frames of a part, and sounds of parts joined by cross-fades.

A `Plan` cuts T frames at joints into cores, which neighbour and cover everything. A window is a core with the frames
around it that its sound needs: half a cross-fade beyond each joint, and a guard that is thrown away, since an inverted
sound is wrong where its frames end and a recurrent encoder needs to hear what went before. Frame k is centred on
sample k * hop_length.
"""

from typing import NamedTuple

import numpy as np

from tsdsae_keras.errors import InputError


class Window(NamedTuple):
    """Frames `start` to `end` (exclusive), of which `core` is this window's own share, counted from `start`."""

    start: int
    end: int
    core: slice


class Plan:
    """How T frames are cut into windows of nearly equal length.

    Args:
        frames: T.
        core: frames between two joints, at most.
        fade: frames of a cross-fade, an even number.
        guard: frames beyond the cross-fade.

    Raises:
        InputError: not one frame, or a core shorter than a fade with its guards.
    """

    def __init__(self, frames, core=1000, fade=8, guard=32):
        if frames < 1 or fade < 2 or fade % 2 or guard < 0 or core < 2 * (fade + 2 * guard):
            raise InputError(f"frames {frames}, core {core}, fade {fade} and guard {guard} make no plan")
        self.frames, self.fade = frames, fade
        self.joints = [round(i * frames / -(-frames // core)) for i in range(-(-frames // core) + 1)]
        self._around = fade // 2 + guard

    def windows(self):
        """The windows in order."""
        for first, last in zip(self.joints, self.joints[1:], strict=False):
            start = max(0, first - self._around)
            # A sound of n frames spans n - 1 hops, hence one frame more on the right.
            yield Window(start, min(self.frames, last + self._around + 1), slice(first - start, last - start))


def frames_of(blocks, front_end, samples, plan):
    """The log-mel frames of every window of a `Plan`, as the front end gives them for the whole signal.

    A front end with a floor must know the peak of the whole: `front_end.for_clip(peak_of(...))`. Arguments and errors
    as in `powers_of`.
    """
    for window, power in powers_of(blocks, front_end, samples, plan):
        yield window, front_end.to_log(power)


def peak_of(blocks, front_end, samples, plan):
    """The loudest mel power of a signal; arguments and errors as in `powers_of`."""
    return max(float(power.max()) for _, power in powers_of(blocks, front_end, samples, plan))


def powers_of(blocks, front_end, samples, plan):
    """The mel power of every window of a `Plan`, that of the whole signal.

    Args:
        blocks: float32 arrays (n,), one after the other.
        front_end: a `FrontEnd`.
        samples: length of the signal.
        plan: the `Plan`.

    Yields:
        (window, float32 array (window.end - window.start, n_mels)).

    Raises:
        InputError: the blocks hold fewer samples.
    """
    hop, tape = front_end.hop_length, _Tape(blocks)
    margin = -(-front_end.n_fft // (2 * hop))
    for window in plan.windows():
        first = max(0, window.start - margin)
        end = min(samples, (window.end - 1 + margin) * hop + 1)
        heard = tape.cut(first * hop, end)
        if len(heard) < end - first * hop:
            raise InputError(f"the sound ends before its {samples} samples; was the file changed as it was read?")
        yield window, front_end.mel_power(heard)[window.start - first : window.end - first]


def join_sounds(sounds, plan, hop_length, samples):
    """The sounds of all windows as one, in blocks, with cross-fades that keep the power level.

    Two inversions of the same frames agree in magnitude, not in phase. So each window is moved by up to an eighth of a
    hop (2 ms), to where it correlates best with what comes before, and the weights w and 1 - w of the fade, cos and
    sin, are divided by sqrt(1 + 2 r cos sin), r the correlation: equal power where the phases have nothing in
    common (r = 0), equal gain where the sounds are the same (r = 1). A partial may still meet itself in opposite
    phase and dip for the length of the fade.

    Args:
        sounds: an iterator of float arrays, of each window ((end - start - 1) * hop_length,).
        plan: the `Plan`.
        hop_length: samples from frame to frame.
        samples: length of the result; the hop that has started after the last frame is filled with zeros.

    Yields:
        float32 arrays (n,), together (samples,).
    """
    half, given, tail = plan.fade // 2 * hop_length, 0, None
    for window, sound in zip(plan.windows(), sounds, strict=True):
        sound, lead = np.asarray(sound, np.float32), 0
        if tail is not None:
            sound, lead = _align(sound, window.core.start * hop_length - half, tail, hop_length // 8), half
            sound = np.concatenate([_cross_fade(tail, sound[: 2 * half]), sound[2 * half :]])
        if window.start + window.core.stop < plan.frames:
            joint = lead + (window.core.stop - window.core.start) * hop_length
            sound, tail = sound[: joint - half], sound[joint - half : joint + half]
        sound = sound[: samples - given]
        given += len(sound)
        yield sound
    yield np.zeros(samples - given, np.float32)


def _align(sound, start, tail, reach):
    """The sound from `start` on, or from where nearby it is more like the tail."""
    reach = min(reach, start, len(sound) - start - len(tail))
    near = np.lib.stride_tricks.sliding_window_view(sound[start - reach : start + reach + len(tail)], len(tail))
    likeness = near @ tail
    return sound[start + (int(np.argmax(likeness)) - reach if likeness.max() > likeness[reach] else 0) :]


def _cross_fade(old, new):
    """The one fading into the other."""
    angle = np.pi / 2 * (np.arange(len(old)) + 0.5) / len(old)
    power = float(np.sqrt(np.square(old).sum(dtype=np.float64) * np.square(new).sum(dtype=np.float64)))
    alike = max(0.0, float(old @ new) / power) if power else 0.0
    mixed = old * np.cos(angle) + new * np.sin(angle)
    return (mixed / np.sqrt(1 + alike * np.sin(2 * angle))).astype(np.float32)


class _Tape:
    """The samples of a stream from a place on that only moves forward."""

    def __init__(self, blocks):
        self._blocks, self._held, self._start = iter(blocks), np.zeros(0, np.float32), 0

    def cut(self, start, end):
        held = [self._held[start - self._start :]]
        missing = end - start - len(held[0])
        for block in self._blocks if missing > 0 else ():
            held.append(block)
            missing -= len(block)
            if missing <= 0:
                break
        self._held, self._start = np.concatenate(held), start
        return self._held[: end - start]
