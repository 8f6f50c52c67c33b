"""Sound files and videos of one's own as sequences of frames, without labels."""

import hashlib
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.note_spectra import FRAMES, SAMPLE_RATE, note_spectra
from tsdsae_keras.data.audio.polyphony import check_single_voice
from tsdsae_keras.data.audio.sound_files import audio_blocks
from tsdsae_keras.data.sets.frame_sequences import SPLITS, FrameSequences
from tsdsae_keras.errors import InputError

LONGEST = 600.0  # seconds of one sound, held in memory
SOUNDS = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
MOST_PICTURES = 10_000
SIZE = (32, 32)
HELD_OUT = 0.1  # of the files, or of the sequences where files are few, for validation and as many for test
FEW = 10


def open_notes(settings):
    """The sound files of `cards.notes.NoteSettings`.

    Raises:
        InputError: no folder or no sound in it; a file that cannot be read, is silent, too short or polyphonic.
    """
    files = _files(settings.folder, lambda path: path.suffix.lower() in SOUNDS, "sound files")
    sequences = [cut(read_notes(path), settings.frames) for path in files]
    return _split("music", files, sequences, settings)


def open_videos(settings):
    """The videos of `cards.videos.VideoSettings`.

    Raises:
        InputError: no folder or no video in it; one that cannot be read or is too short.
    """
    files = _files(settings.folder, lambda path: path.is_dir() or path.suffix.lower() in PICTURES, "videos")
    sequences = [np.uint8(np.rint(255 * cut(read_video(path), settings.frames))) for path in files]
    return _split("video", files, sequences, settings)


def read_notes(path, hop_frames=FRAMES):
    """The notes (n, 513, 5) of a sound file, one every `hop_frames` STFT frames of 32 ms.

    Raises:
        InputError: as `audio_blocks`; a sound that is silent, shorter than a note, or polyphonic.
    """
    samples = np.concatenate(list(audio_blocks(path, SAMPLE_RATE, longest=LONGEST)))
    try:
        notes = note_spectra(samples, hop_frames)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    check_single_voice(samples, path)
    return notes


def read_video(path):
    """The frames (time, 32, 32, 3) in [0, 1] of an animated picture, or of a folder of pictures by name.

    Raises:
        InputError: nothing there that can be read as pictures.
    """
    path = Path(path)
    if path.is_dir():
        files = sorted(each for each in path.iterdir() if each.suffix.lower() in PICTURES)[:MOST_PICTURES]
        if not files:
            raise InputError(f"{path} holds no pictures; frames are numbered files such as 001.png")
        return np.stack([_pictures(each)[0] for each in files])
    return np.stack(_pictures(path))


def cut(frames, length):
    """Frames (n, ...) as sequences (n // length, length, ...); what is left over at the end is dropped."""
    n = len(frames) // length
    return frames[: n * length].reshape(n, length, *frames.shape[1:])


def _pictures(path):
    from PIL import Image, ImageSequence

    try:
        with Image.open(path) as image:
            pages = list(zip(range(MOST_PICTURES), ImageSequence.Iterator(image), strict=False))
            frames = [page.convert("RGB").resize(SIZE, Image.Resampling.BOX) for _, page in pages]
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path} cannot be read as a picture ({type(error).__name__}); give PNG, JPEG or GIF"
        ) from None
    return [np.asarray(frame, "float32") / 255 for frame in frames]


def _files(folder, fits, what):
    if not folder:
        raise InputError(f"--folder is missing; give the folder of your {what}")
    path = Path(folder)
    if not path.is_dir():
        raise InputError(f"{path} is not a folder; --folder must be a folder of {what}")
    files = sorted(each for each in path.iterdir() if fits(each))
    if not files:
        raise InputError(f"{path} holds no {what}")
    return files


def _split(domain, files, sequences, settings):
    """Whole files in each split where there are enough of them, else sequences."""
    count = sum(map(len, sequences))
    if count < len(SPLITS):
        raise InputError(
            f"{settings.folder} gives {count} sequences of {settings.frames} frames; it needs 3 or more: "
            "give longer files or lower --frames"
        )
    owner = np.repeat(np.arange(len(files)), [len(each) for each in sequences])
    whole = len(np.unique(owner)) >= FEW
    units = owner if whole else np.arange(count)
    order = np.random.default_rng(settings.data_seed).permutation(np.unique(units))
    held = max(1, round(HELD_OUT * len(order)))
    parts = {"test": order[:held], "validation": order[held : 2 * held], "train": order[2 * held :]}
    x = np.concatenate(sequences)
    content = hashlib.sha256(x.tobytes()).hexdigest()
    warning = None if whole else f"fewer than {FEW} files: parts of the same file are in training and in test"
    return FrameSequences(
        domain,
        {split: x[np.isin(units, parts[split])] for split in SPLITS},
        {},
        (),
        f"own {domain} {settings.frames} {settings.data_seed} {content}",
        warning=warning,
    )
