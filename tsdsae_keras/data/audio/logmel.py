"""Samples to log-mel frames: the front end of the TS-DSAE study, and the one place where its numbers are defined."""

import dataclasses
import math
from functools import lru_cache

import numpy as np

from tsdsae_keras.errors import InputError

MOST_FLOOR_DB = 150  # further down float32 has no digits left
_AT_ONCE = 1024  # frames whose spectra are in memory together


@dataclasses.dataclass(frozen=True)
class FrontEnd:
    """Log-mel spectrogram: centred Hann frames padded by reflection, power, HTK mel bands without area normalisation.

    Equal to `librosa.feature.melspectrogram(power=2, htk=True, norm=None)` followed by log(x + log_offset), but with
    the filter bank as a sparse matrix: faster, and the same bits however many threads the linear algebra has.

    Args:
        sample_rate: samples a second.
        n_fft: samples of one frame.
        hop_length: samples from one frame to the next.
        n_mels: mel bands, F.
        fmin, fmax: lowest and highest frequency of the bands, Hz.
        log_offset: added to the mel power before the logarithm; digital silence becomes log(log_offset), about -36.
        floor_db: F, above 0 for a floor F dB below the loudest mel power P of the clip: what is added is then
            P 10^(-F/10), at least log_offset. The published front end has none, 0.

    With a floor, a sound that is g times as loud has the same frames plus 2 log g everywhere, in its silences too.
    Without one, what lies 150 dB below every sound (digital silence, the end of a fade-out, the rounding of 16-bit
    files) is 30 units below the rest, and the squared error of log-mel is mostly about that.

    P is that of a clip as it was prepared (a rendered melody, a recording with all its segments), not of a data set or
    of a window: the frames of a clip must not depend on what else is in the folder, on which segment was cut from it,
    or on whether it comes from a prepared folder or from a single file. Two renderings of a melody then have floors
    that differ as their levels do, by one constant.

    Raises:
        InputError: a value that gives no front end.
    """

    sample_rate: int = 16000
    n_fft: int = 2048
    hop_length: int = 256
    n_mels: int = 80
    fmin: float = 0.0
    fmax: float = 8000.0
    log_offset: float = 2.2e-16
    floor_db: float = 0.0

    def __post_init__(self):
        for name in ("sample_rate", "n_fft", "hop_length", "n_mels"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise InputError(f"front end: {name} is {value!r}; it must be a positive integer")
        for name in ("fmin", "fmax", "log_offset", "floor_db"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise InputError(f"front end: {name} is {value!r}; it must be a finite number")
        self._check_ranges()

    def log_mel(self, samples):
        """The log-mel frames of one clip.

        Args:
            samples: mono samples, shape (n,), n greater than n_fft / 2.

        Returns:
            float32 array, shape (frames(n), n_mels).

        Raises:
            InputError: the samples are not one channel, are too few, or are not finite.
        """
        return self.to_log(self.mel_power(samples))

    def to_log(self, power, gain=1.0, peak=None):
        """The log-mel frames of mel power whose sound is multiplied by `gain`: log(gain^2 * power + offset).

        Args:
            power: mel power (T, n_mels), as `mel_power` gives it.
            gain: of the sound.
            peak: the loudest mel power, before the gain, of the clip that these frames are a part of; None where they
                are all of it.
        """
        peak = np.max(power, initial=0.0) if peak is None else peak
        return np.log(power * np.float32(gain**2) + np.float32(self.offset(gain**2 * float(peak))))

    def offset(self, peak):
        """What is added to the mel power of a clip whose loudest is `peak`."""
        # Added, not a maximum: the derivative has no jump, and there is no level at which every detail is lost at once.
        floor = float(peak) * 10 ** (-self.floor_db / 10) if self.floor_db else 0.0
        return max(floor, self.log_offset)

    def for_clip(self, peak):
        """The front end of any part of a clip whose loudest mel power is `peak`: its offset is then known."""
        return dataclasses.replace(self, log_offset=self.offset(peak))

    @property
    def silence(self):
        """What digital silence becomes in every band."""
        return np.log(np.float32(self.log_offset))

    def mel_power(self, samples):
        """The power in every mel band, before the logarithm: arguments, shapes and errors as in `log_mel`.

        Kept apart for recordings: their gain is known only when all of them were read.
        """
        samples = np.asarray(samples, np.float32)
        if samples.ndim != 1:
            raise InputError(f"samples have shape {samples.shape}: give one channel, shape (n,)")
        frames = self.frames(len(samples))
        if not np.all(np.isfinite(samples)):
            raise InputError("samples hold values that are not finite: give audio without NaN or infinity")
        padded = np.pad(samples, self.n_fft // 2, mode="reflect")
        windows = np.lib.stride_tricks.sliding_window_view(padded, self.n_fft)[:: self.hop_length][:frames]
        parts = [self._mel_power(windows[start : start + _AT_ONCE]) for start in range(0, frames, _AT_ONCE)]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _mel_power(self, windows):
        from scipy.fft import rfft

        spectra = rfft(windows * _window(self.n_fft), axis=-1)  # SciPy's transforms several frames at once
        power = np.square(spectra.real) + np.square(spectra.imag)
        return np.ascontiguousarray((mel_matrix(self) @ np.ascontiguousarray(power.T)).T)

    def frames(self, n_samples):
        """The number of frames that n_samples give.

        Raises:
            InputError: too few samples to be padded by reflection.
        """
        if n_samples <= self.n_fft // 2:
            seconds = self.n_fft / 2 / self.sample_rate
            raise InputError(
                f"a clip of {n_samples} samples is too short: "
                f"the front end needs more than {self.n_fft // 2} ({seconds:.3g} s)"
            )
        # An odd n_fft pads one sample less than a frame holds.
        return 1 + (n_samples + 2 * (self.n_fft // 2) - self.n_fft) // self.hop_length

    def to_dict(self):
        """The settings as plain values, for manifests; the floor only where there is one, as before it existed."""
        return {name: value for name, value in dataclasses.asdict(self).items() if name != "floor_db" or value}

    @classmethod
    def from_dict(cls, settings):
        """The front end that `to_dict` described.

        Raises:
            InputError: a setting is unknown or out of range.
        """
        if not isinstance(settings, dict):
            raise InputError(f"front end settings are {settings!r}: give a dictionary")
        names = [field.name for field in dataclasses.fields(cls)]
        for name in settings:
            if name not in names:
                raise InputError(f"front end: unknown setting {name!r}; choose from {', '.join(names)}")
        return cls(**settings)

    def _check_ranges(self):
        if self.n_fft < 2:
            raise InputError(f"front end: n_fft is {self.n_fft}; it must be at least 2")
        if not 0 <= self.fmin < self.fmax <= self.sample_rate / 2:
            raise InputError(
                f"front end: fmin {self.fmin:g} and fmax {self.fmax:g} must obey "
                f"0 <= fmin < fmax <= {self.sample_rate / 2:g} Hz (half the sample rate)"
            )
        if not 0 <= self.floor_db <= MOST_FLOOR_DB:
            raise InputError(
                f"front end: floor_db is {self.floor_db:g}; it must be 0 (none) or up to {MOST_FLOOR_DB} dB"
            )
        if self.log_offset <= 0:
            raise InputError(f"front end: log_offset is {self.log_offset!r}; it must be greater than 0")


@lru_cache(maxsize=8)
def mel_matrix(front_end):
    """The filter bank of a front end: sparse float32, shape (n_mels, n_fft // 2 + 1)."""
    import librosa
    from scipy.sparse import csr_matrix

    bank = librosa.filters.mel(
        sr=front_end.sample_rate,
        n_fft=front_end.n_fft,
        n_mels=front_end.n_mels,
        fmin=front_end.fmin,
        fmax=front_end.fmax,
        htk=True,
        norm=None,
    )
    return csr_matrix(bank.astype(np.float32))


@lru_cache(maxsize=8)
def _window(n_fft):
    """A periodic Hann window."""
    return (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(n_fft) / n_fft)).astype(np.float32)
