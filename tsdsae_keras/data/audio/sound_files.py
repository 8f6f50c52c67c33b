"""Sound files to samples and back, a block at a time, so that memory does not grow with their length.

Inside, sound is mono float32 at the rate of a front end, full scale at 1. libsndfile reads WAV, AIFF, FLAC, Ogg, Opus,
MP3 and a dozen more; soxr resamples as it reads.
"""

import math
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing

FORMATS = {".wav": ("WAV", "PCM_16"), ".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
LONGEST = 12 * 3600.0  # seconds; 16-bit WAV ends at 4 GiB
SILENT = 1e-4  # peak, 80 dB below full scale
_BLOCK = 2**16  # values read at once, all channels together
_RATES = (1000, 768000)
_LOUDEST = 1e6  # beyond it the power of a frame leaves float32
_CEILING = 0.99
_CONVERT = "convert it to WAV or FLAC"


class Survey(NamedTuple):
    """What one pass over a file finds: how many samples at the rate asked for, and their greatest magnitude."""

    samples: int
    peak: float

    @property
    def silent(self):
        """Whether the peak lies 80 dB or more below full scale: digital silence or dither, no sound."""
        return self.peak < SILENT


def survey(path, sample_rate):
    """The `Survey` of a file: a whole pass over it, which finds every fault before work begins.

    Raises:
        InputError: as `audio_blocks`.
    """
    samples, peak = 0, 0.0
    for block in audio_blocks(path, sample_rate):
        samples, peak = samples + len(block), max(peak, float(np.abs(block).max(initial=0)))
    return Survey(samples, peak)


def audio_blocks(path, sample_rate, longest=LONGEST, channel=None):
    """A sound file of any rate and number of channels as mono samples at a rate, block by block, in bounded memory.

    All blocks together are ceil(samples of the file * sample_rate / rate of the file) samples, equal to
    `librosa.resample(res_type="soxr_hq")`. Channels are averaged, so what two channels hold in opposite phase is lost.
    What a file declares is believed only to refuse it: no memory is set aside by it. A cut-off WAV file passes as a
    shorter one, since its header is commonly wrong in good files too.

    Args:
        path: of the file.
        sample_rate: Hz, of the samples given.
        longest: seconds; a file that declares or holds more is refused.
        channel: None is the mean of all channels, 0 the left one.

    Yields:
        float32 arrays (n,).

    Raises:
        InputError: no such file; nothing in it; not a sound that libsndfile reads; damaged; longer than `longest`
            seconds; a rate outside 1 to 768 kHz; samples that are not finite or beyond a million times full scale; a
            channel that the file has not.
    """
    path = Path(path)
    with _open(path) as file:
        _check_declared(path, file, longest)
        if channel is not None and not 0 <= channel < file.channels:
            raise InputError(f"{path} has {file.channels} channels and no channel {channel}; count from 0")
        stream = _Resampler(file.samplerate, sample_rate)
        for block in _mono_blocks(path, file, channel):
            yield stream.next(block)
        yield stream.last()


def write_audio(path, samples, sample_rate):
    """Writes mono samples; the file appears whole or not at all. What is too loud is scaled down, not clipped.

    Args:
        path: its suffix names the format: .wav or .flac (16 bit) or .ogg (Vorbis).
        samples: float array (n,), or an iterator of such, which are held on disk until the peak is known.
        sample_rate: Hz.

    Returns:
        The factor that the samples were multiplied by: 1 unless their peak lay above 0.99.

    Raises:
        InputError: another suffix, no such folder, no room on the disk, no samples, or not finite ones.
    """
    path = check_output(path)
    try:
        with tempfile.TemporaryFile(dir=path.parent, prefix=".sound-") as held:
            peak = _hold([samples] if isinstance(samples, np.ndarray) else samples, held)
            factor = min(1.0, _CEILING / max(peak, _CEILING))
            with replacing(path) as temporary:
                _write_held(held, factor, temporary, FORMATS[path.suffix.lower()], sample_rate)
    except OSError as error:
        raise InputError(f"{path} cannot be written ({error.strerror or error}); give another place") from error
    return factor


def check_output(path, inputs=()):
    """The path as a Path; InputError where `write_audio` could not write it, or where it is one of the inputs."""
    path = Path(path)
    if path.suffix.lower() not in FORMATS:
        raise InputError(f"{path} has the suffix {path.suffix!r}; a sound file to write ends in .wav, .flac or .ogg")
    if not path.parent.is_dir():
        raise InputError(f"{path.parent} is not a folder; make it first: mkdir -p {path.parent}")
    if path.is_dir() or any(path.resolve() == Path(each).resolve() for each in inputs):
        raise InputError(f"{path} is a folder or one of the files to read; give another name to write to")
    return path


class _Resampler:
    """Mono blocks at one rate to blocks at another; all together as long as librosa makes the whole."""

    def __init__(self, rate, wanted):
        import soxr

        self._stream = soxr.ResampleStream(rate, wanted, 1, dtype="float32", quality="HQ") if rate != wanted else None
        self._ratio, self._read, self._given = wanted / rate, 0, 0

    def next(self, block, last=False):
        self._read += len(block)
        made = block if self._stream is None else self._stream.resample_chunk(block, last=last)
        self._given += len(made)
        return made

    def last(self):
        """The rest, cut or padded by the sample that rounding may add or drop."""
        wanted = math.ceil(self._read * self._ratio) - self._given
        rest = self.next(np.zeros(0, np.float32), last=True)
        return np.pad(rest[:wanted], (0, max(0, wanted - len(rest))))


def _open(path):
    import soundfile

    if not path.is_file():
        raise InputError(f"{path} is not a file; give a sound file such as a.wav")
    if not path.stat().st_size:
        raise InputError(f"{path} is empty; give a sound file")
    try:
        return soundfile.SoundFile(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror or error})") from error
    except (soundfile.SoundFileError, TypeError, ValueError) as error:  # TypeError: a .raw file has no header
        raise InputError(f"{path} is not a sound file that can be read here; {_CONVERT}") from error


def _check_declared(path, file, longest):
    least, most = _RATES
    if not least <= file.samplerate <= most:
        raise InputError(f"{path} declares {file.samplerate} samples a second; {least} to {most} can be read")
    if not file.frames:
        raise InputError(f"{path} holds no samples; give a sound file that is not empty")
    if file.frames >= 2**62:
        raise InputError(f"{path} does not say how long it is; {_CONVERT}")
    if file.frames > longest * file.samplerate:
        hours = file.frames / file.samplerate / 3600
        raise InputError(f"{path} declares {hours:.3g} hours; at most {longest / 3600:.3g} can be read: split it")


def _mono_blocks(path, file, channel):
    import soundfile

    done = 0
    while done < file.frames:
        try:
            block = file.read(max(1, _BLOCK // file.channels), dtype="float32", always_2d=True)
        except (soundfile.SoundFileError, OSError) as error:
            raise InputError(f"{path} is damaged after {done / file.samplerate:.1f} s; {_CONVERT}") from error
        if not len(block):
            break
        done += len(block)
        yield _mono(_check_block(path, block, done / file.samplerate), channel)
    # Compressed formats may declare some samples more than they hold.
    if done < 0.9 * file.frames:
        seconds, declared = done / file.samplerate, file.frames / file.samplerate
        raise InputError(f"{path} is cut off: it declares {declared:.2f} s and ends after {seconds:.2f} s")


def _mono(block, channel):
    """One channel, or the mean of all; column by column, which is many times faster than numpy's mean of short rows."""
    if channel is not None or block.shape[1] == 1:
        return np.ascontiguousarray(block[:, channel or 0])
    total = block[:, 0] + block[:, 1]
    for number in range(2, block.shape[1]):
        total += block[:, number]
    return total / np.float32(block.shape[1])


def _check_block(path, block, seconds):
    peak = np.abs(block).max()
    if not np.isfinite(peak):
        raise InputError(f"{path} holds NaN or infinity before {seconds:.1f} s; give audio of finite samples")
    if peak > _LOUDEST:
        raise InputError(f"{path} holds samples up to {peak:.3g} before {seconds:.1f} s; full scale is 1")
    return block


def _hold(blocks, held):
    """Appends the blocks to a file and returns their peak."""
    peak, count = 0.0, 0
    for block in blocks:
        block = np.asarray(block, np.float32)
        if block.ndim != 1 or not np.isfinite(block).all():
            raise InputError(f"samples to write have shape {block.shape} or are not finite; give finite mono samples")
        peak, count = max(peak, float(np.abs(block).max(initial=0))), count + len(block)
        held.write(block.tobytes())
    if not count:
        raise InputError("there are no samples to write")
    return peak


def _write_held(held, factor, path, kind, sample_rate):
    import soundfile

    held.seek(0)
    format, subtype = kind
    try:
        with soundfile.SoundFile(path, "w", int(sample_rate), 1, subtype, format=format) as file:
            while block := held.read(4 * _BLOCK):
                file.write(np.frombuffer(block, np.float32) * np.float32(factor))
    except soundfile.SoundFileError as error:
        raise InputError(
            f"{path.suffix} at {sample_rate} Hz cannot be written ({error}); give another place"
        ) from error
