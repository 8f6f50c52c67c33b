"""How loud a recording is, by its peak or by ITU-R BS.1770, and the factor that brings it to a common level."""

import numpy as np

METHODS = ("peak", "loudness", "none")
TOGETHER = ("file", "group")
TARGET = -23.0  # LUFS, the level of EBU R 128
_QUARTER = 0.1  # seconds: blocks of 400 ms that overlap by three quarters are four of these
_OFFSET = -0.691  # so that a 997-Hz sine of full scale on one channel has -3.01 LUFS
_ABSOLUTE, _RELATIVE = -70.0, -10.0


class Meter:
    """Peak and K-weighted power of mono samples that come block by block.

    Args:
        sample_rate: Hz.
        loudness: measure the power too; filtering takes about as long as reading.
    """

    def __init__(self, sample_rate, loudness=True):
        self.peak, self.powers = 0.0, []
        self._quarter, self._rest = round(_QUARTER * sample_rate), np.zeros(0, np.float32)
        self._filters = [[b, a, np.zeros(2)] for b, a in k_weighting(sample_rate)] if loudness else []

    def add(self, samples):
        """Takes the next samples, float32 (n,)."""
        self.peak = max(self.peak, float(np.abs(samples).max(initial=0)))
        if self._filters:
            self._add_powers(samples)

    def _add_powers(self, samples):
        from scipy.signal import lfilter

        weighted = samples.astype(np.float64)
        for each in self._filters:
            weighted, each[2] = lfilter(each[0], each[1], weighted, zi=each[2])
        held = np.concatenate([self._rest, weighted])
        whole = len(held) // self._quarter * self._quarter
        self._rest = held[whole:]
        self.powers.extend(np.square(held[:whole]).reshape(-1, self._quarter).mean(axis=1).tolist())


def k_weighting(sample_rate):
    """The two filters of BS.1770 at any rate, [(b, a), (b, a)]: a shelf for the head and a high-pass.

    pyloudnorm designs them after B. De Man (2018), which at 48 kHz gives the coefficients tabulated in ITU-R BS.1770-4.
    Its `Meter` is not used: it needs the whole recording in memory, and it cannot gate several recordings together.
    """
    from pyloudnorm.iirfilter import IIRfilter

    shelf = IIRfilter(3.999843853973347, 0.7071752369554196, 1681.974450955533, sample_rate, "high_shelf_DeMan")
    high_pass = IIRfilter(0.0, 0.5003270373238773, 38.13547087602444, sample_rate, "high_pass_DeMan")
    return [(shelf.b, shelf.a), (high_pass.b, high_pass.a)]


def loudness(powers):
    """Gated loudness of recordings that are heard together, LUFS, at least -70.

    -0.691 + 10 log10 of the mean power of the 400-ms blocks above two gates: -70 LUFS, and 10 LU below the mean of the
    blocks that passed the first. Source: ITU-R BS.1770-4. It does not see true peaks, and knows one channel only.

    Args:
        powers: of each recording, the `powers` of its `Meter`; one shorter than 400 ms is one block.
    """
    blocks = np.concatenate([_blocks(np.asarray(each)) for each in powers])
    blocks = blocks[_lufs(blocks) > _ABSOLUTE]
    if not len(blocks):
        return _ABSOLUTE
    return float(_lufs(blocks[_lufs(blocks) > _lufs(blocks.mean()) + _RELATIVE].mean()))


def gain(method, peaks, powers):
    """The factor that brings recordings heard together to a common level.

    "peak" takes their greatest sample to full scale, "loudness" their loudness to -23 LUFS, "none" leaves them.
    """
    if method == "peak":
        return 1 / max(peaks)
    return 10 ** ((TARGET - loudness(powers)) / 20) if method == "loudness" else 1.0


def levels(samples):
    """The root of the mean square about the mean of each row, dB below full scale: (rows, n) to float64 (rows,).

    A sine of full scale has -3.01, a constant -inf. It cannot tell sound from noise.
    """
    samples = samples.astype(np.float64)
    samples -= samples.mean(axis=1, keepdims=True)
    power = np.einsum("ij,ij->i", samples, samples) / samples.shape[1]
    with np.errstate(divide="ignore"):
        return 10 * np.log10(power)


def _blocks(quarters):
    if len(quarters) < 4:
        return quarters.mean(keepdims=True) if len(quarters) else quarters
    return np.lib.stride_tricks.sliding_window_view(quarters, 4).mean(axis=1)


def _lufs(power):
    return _OFFSET + 10 * np.log10(np.maximum(power, 1e-30))
