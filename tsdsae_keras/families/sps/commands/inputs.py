"""Files as the frames that a model takes, and frames as files."""

import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.note_spectra import FRAMES, SAMPLE_RATE, note_spectra, sound_of_notes
from tsdsae_keras.data.audio.sound_files import audio_blocks, check_output, write_audio
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.model import SPS
from tsdsae_keras.files import replacing
from tsdsae_keras.training.model_files import model_file

log = logging.getLogger(__name__)

LONGEST = 600.0  # seconds of sound, held in memory
MOST_PICTURES = 10_000
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")
SIZE = (32, 32)
FRAME_MS = 200


def open_model(model, domain=None):
    """The model of a run folder or file; InputError where it is not of this family, or of another domain."""
    loaded = load_model(model_file(model))
    if not isinstance(loaded, SPS):
        raise InputError(f"{model} holds a {type(loaded).__name__}; give a model of sps or one of its relatives")
    if domain and loaded.domain != domain:
        raise InputError(f"{model} is a model of {loaded.domain}, and this is for {domain}")
    return loaded


def frames_of(model, path, hop_frames=FRAMES):
    """The frames (time, *frame) of a file, as a model takes them."""
    return notes_of(path, hop_frames) if model.domain == "music" else video_frames(path)


def notes_of(path, hop_frames=FRAMES):
    """The notes (n, 513, 5) of a sound file, one every `hop_frames` STFT frames.

    Raises:
        InputError: as `audio_blocks`; a sound that is silent or shorter than a note.
    """
    samples = np.concatenate(list(audio_blocks(path, SAMPLE_RATE, longest=LONGEST)))
    try:
        return note_spectra(samples, hop_frames)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def video_frames(path):
    """The frames (time, 32, 32, 3) of an animated picture, or of a folder of pictures in the order of their names.

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


def _pictures(path):
    from PIL import Image, ImageSequence, UnidentifiedImageError

    try:
        with Image.open(path) as image:
            frames = [
                frame.convert("RGB").resize(SIZE, Image.Resampling.BOX) for frame in ImageSequence.Iterator(image)
            ]
    except (OSError, UnidentifiedImageError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path} cannot be read as a picture ({type(error).__name__}); give PNG, JPEG or GIF"
        ) from None
    return [np.asarray(frame, "float32") / 255 for frame in frames[:MOST_PICTURES]]


def check_out(model, out, inputs=()):
    """The path to write frames to; InputError where it is not a name for them."""
    if model.domain == "music":
        return check_output(out, inputs)
    if Path(out).suffix.lower() != ".gif":
        raise InputError(f"{out} is not a name for a video; it must end in .gif")
    return check_folder(out)


def check_folder(out):
    """The path of a file to write; InputError where its folder is missing."""
    out = Path(out)
    if not out.parent.is_dir():
        raise InputError(f"{out.parent} is not a folder; make it first: mkdir -p {out.parent}")
    return out


def write_frames(model, frames, out):
    """Writes frames (time, *frame) as sound or as a GIF."""
    if model.domain == "music":
        write_sound(frames, out)
    else:
        write_gif(frames, out)


def write_sound(notes, out):
    """Writes notes (n, 513, 5) as a sound file."""
    write_audio(out, sound_of_notes(notes), SAMPLE_RATE)
    log.info(f"{len(notes)} notes: {out}")


def write_gif(frames, out, enlarge=8):
    """Writes frames (time, 32, 32, 3) in [0, 1] as a GIF."""
    from PIL import Image

    pictures = [Image.fromarray(np.uint8(np.rint(255 * np.clip(frame, 0, 1)))) for frame in frames]
    pictures = [each.resize([enlarge * side for side in each.size], Image.Resampling.NEAREST) for each in pictures]
    with replacing(out) as beside:
        pictures[0].save(beside, format="GIF", save_all=True, append_images=pictures[1:], duration=FRAME_MS, loop=0)
    log.info(f"{len(frames)} frames: {out}")
