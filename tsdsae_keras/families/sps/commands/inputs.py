"""Files as the frames that a model takes, and frames as files."""

import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.data.audio.note_spectra import FRAMES, SAMPLE_RATE, sound_of_notes
from tsdsae_keras.data.audio.sound_files import check_output, write_audio
from tsdsae_keras.data.sets.own_frames import read_notes, read_video
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.model import SPS
from tsdsae_keras.files import replacing
from tsdsae_keras.training.model_files import open_model

log = logging.getLogger(__name__)

FRAME_MS = 200


def open_sps(model, domain=None):
    """The model of a run folder or file; InputError where it is not of this family, or of another domain."""
    loaded = open_model(model, SPS, "a model of sps or of one of its relatives")
    if domain and loaded.domain != domain:
        raise InputError(f"{model} is a model of {loaded.domain}, and this is for {domain}")
    return loaded


def frames_of(model, path, hop_frames=FRAMES):
    """The frames (time, *frame) of a file, as a model takes them."""
    return read_notes(path, hop_frames) if model.domain == "music" else read_video(path)


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
    with replacing(out) as temporary:
        pictures[0].save(temporary, format="GIF", save_all=True, append_images=pictures[1:], duration=FRAME_MS, loop=0)
    log.info(f"{len(frames)} frames: {out}")
