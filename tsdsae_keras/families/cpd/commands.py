"""What a trained model does with image files."""

import logging
from pathlib import Path

import numpy as np

from tsdsae_keras.data.sets.triple_files import read_image
from tsdsae_keras.families.cpd.codes import encode_images
from tsdsae_keras.families.cpd.model import CPD
from tsdsae_keras.families.cpd.pose_space import rotation_vectors
from tsdsae_keras.files import replacing
from tsdsae_keras.training.model_files import open_model

log = logging.getLogger(__name__)


def align(model, first, second):
    """Logs and returns the group element that leads from the pose of the first image to that of the second.

    Args:
        model: a `CPD`, or a run folder, a `.keras` file or the name of a trained model of the library.
        first, second: image files.

    Raises:
        InputError: the model is another one, or a file is not an image.
    """
    model = _open(model)
    x, y = (read_image(path, model.channels)[None] for path in (first, second))
    found = model.relative(x, y)[0]
    log.info(f"group {model.group}\n{np.array2string(found, precision=4, suppress_small=True)}")
    if found.ndim == 2:
        log.info(axis_and_angle(found))
    return found


def axis_and_angle(rotation):
    """A rotation matrix in words: "90.0 degrees about (0.00, 1.00, 0.00)"."""
    (turn,) = rotation_vectors(rotation[None])
    angle = np.linalg.norm(turn)
    axis = ", ".join(f"{each + 0.0:.2f}" for each in np.round(turn / max(angle, 1e-9), 2))
    return f"{angle:.1f} degrees about ({axis})"


def embed(model, files, out):
    """Writes the poses and classes of image files: arrays "pose", "class" and "name".

    Args:
        model: a `CPD`, or a run folder, a `.keras` file or the name of a trained model of the library.
        files: image files.
        out: the .npz file to write.

    Raises:
        InputError: the model is another one, or a file is not an image.
    """
    model = _open(model)
    codes = encode_images(model, np.stack([read_image(path, model.channels) for path in files]))
    pose, extra = codes[:, : model.group_dim], codes[:, model.group_dim :]
    with replacing(Path(out)) as temporary, open(temporary, "wb") as file:
        np.savez(file, **{"pose": pose, "class": extra, "name": np.array([str(path) for path in files])})
    log.info(f"{len(files)} codes in {out}")


def _open(model):
    return open_model(model, CPD, "one of class-pose decomposition (--model cpd)")
