"""`tsdsae-keras predict` and `embed`: what follows a beginning, and the codes of files."""

import logging
import sys
from pathlib import Path

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.commands.inputs import check_folder, check_out, frames_of, open_sps, write_frames
from tsdsae_keras.files import replacing
from tsdsae_keras.metrics.batching import in_batches

log = logging.getLogger(__name__)

MOST_FRAMES = 4096


def predict(model, file, out, beginning=None, frames=None):
    """Writes a beginning, reconstructed, and what the prior imagines after it.

    Args:
        model: a run folder or a `.keras` file, with a prior.
        file: a sound file; for video an animated picture, or a folder of frames 0.2 s apart.
        out: the sound file to write, or a .gif.
        beginning: frames that are seen, a note of 0.16 s each in a sound; None for as many as in training.
        frames: length in all; None for that of the input.
    """
    model = open_sps(model)
    out = check_out(model, out, [file] if Path(file).is_file() else [])
    x = frames_of(model, file)
    beginning = model.base_len if beginning is None else beginning
    if not 1 <= beginning <= len(x):
        raise InputError(f"--beginning is {beginning}; {file} has {len(x)} frames, so it must be 1 to {len(x)}")
    frames = len(x) if frames is None else frames
    if not beginning < frames <= MOST_FRAMES:
        raise InputError(
            f"--frames is {frames}; it must be above the beginning, {beginning}, and at most {MOST_FRAMES}"
        )
    write_frames(model, model.imagine(x[None, :beginning], beginning, frames)[0], out)
    return 0


def embed(model, files, out):
    """Writes the codes of files: for file i "mean_i" and "log_var_i" (time, d), and "files", their names.

    A file that cannot be used is left out, with a line that says why; the status is then 1.

    Args:
        model: a run folder or a `.keras` file.
        files: sound files; for video animated pictures or folders of frames.
        out: the .npz file to write.
    """
    out = check_folder(out)
    if out.suffix != ".npz":
        raise InputError(f"{out} is not a name for codes; it must end in .npz")
    model = open_sps(model)
    arrays, names, refused = {}, [], []
    for file in files:
        try:
            x = frames_of(model, file)
        except InputError as error:
            refused.append(str(error))
            continue
        for key in ("mean", "log_var"):
            arrays[f"{key}_{len(names)}"] = in_batches(lambda part, key=key: model.encode(part)[key], x)
        names.append(str(file))
    if not names:
        raise InputError("; ".join(refused))
    for reason in refused:
        print(f"left out: {reason}", file=sys.stderr)
    with replacing(out) as temporary, temporary.open("wb") as opened:
        np.savez(opened, files=np.array(names), **arrays)
    log.info(f"codes of {len(names)} files: {out}")
    return int(bool(refused))
