"""Embeddings of sound files."""

import logging
import sys
from pathlib import Path

import numpy as np

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.clips import RATE, is_silent, read_clip, scale_peak
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import replacing
from tsdsae_keras.training.model_files import model_file
from tsdsae_keras.training.probing import Embedder

log = logging.getLogger(__name__)

SHORTEST = 0.95  # seconds, a view of training; shorter sounds are padded by silence
LONGEST = 600.0


def embed_files(model, files, out, paper_front_end=False):
    """Writes the embedding of each sound file, whole, at most ten minutes of it.

    Args:
        model: a run folder, a `.keras` file, or a trained model of the library.
        files: one or more.
        out: the .npz file to write: "names" and "embedding" (files, d).
        paper_front_end: an option of other families; these models always know theirs.

    Returns:
        1 where a file was left out, else 0.

    Raises:
        InputError: none of the files can be used, or the options.
    """
    out = Path(out)
    if out.suffix != ".npz" or not out.parent.is_dir():
        raise InputError(f"{out} must end in .npz and lie in a folder that exists")
    if paper_front_end:
        raise InputError("--paper-front-end cannot be used here: the model knows its front end; leave it out")
    embed, found, refused = Embedder(load_model(model_file(model))), {}, []
    for path in dict.fromkeys(map(str, files)):
        try:
            found[path] = embed(_read(path)[None])[0]
        except InputError as error:
            refused.append(str(error))
    if not found:
        raise InputError("; ".join(refused))
    for reason in refused:
        print(f"left out: {reason}", file=sys.stderr)
    with replacing(out) as temporary:
        np.savez(temporary, names=np.array(list(found)), embedding=np.stack(list(found.values())))
    log.info(f"written: {out} ({len(found)} files)")
    return int(bool(refused))


def _read(path):
    samples = read_clip(path, LONGEST)
    if is_silent(samples):
        raise InputError(f"{path} is silent")
    lacking = max(0, round(SHORTEST * RATE) - len(samples))
    if lacking:
        log.info(f"{path} is shorter than a window of {SHORTEST} s: padded by silence")
    return np.pad(scale_peak(samples), (0, lacking))
