"""Checkpoints: all that a run needs to resume from the end of an epoch as if nothing had happened.

A checkpoint is one file: the SHA-256 of what follows in hexadecimal, a newline, a line of JSON, and blocks of bytes,
which that line names with type and shape: every weight of model and optimizer by its path, and the callbacks' files.
"""

import json
import logging
import math
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from tsdsae_keras.errors import InputError
from tsdsae_keras.files import remove_temporary, sha256, write_bytes

log = logging.getLogger(__name__)

KEPT = 2
HASH_LENGTH = 64
WEIGHT = "weight"
KINDS = ("|u1", "<i4", "<i8", "<f2", "<f4", "<f8", "<u4", "|b1")
LARGEST = 1 << 30  # bytes; a model of this library has a few million


@dataclass(frozen=True)
class Checkpoint:
    """What `read` found.

    Attributes:
        epoch: the last finished one, counted from 0.
        stage: of the model.
        weights: arrays by name, of model and optimizer.
        states: of the callbacks, by the name of their class.
    """

    epoch: int
    stage: int
    weights: dict
    states: dict


class WriteCheckpoint(keras.callbacks.Callback):
    """Writes a checkpoint at the end of every epoch, with the callbacks' `state()`, and keeps the last two.

    It belongs behind all callbacks whose state it keeps.
    """

    def __init__(self, folder, callbacks=()):
        super().__init__()
        self.folder, self.callbacks = Path(folder), tuple(callbacks)

    def on_epoch_end(self, epoch, logs=None):
        self.folder.mkdir(parents=True, exist_ok=True)
        states = {type(callback).__name__: callback.state() for callback in self.callbacks}
        weights = {name: ops.convert_to_numpy(variable) for name, variable in _variables(self.model).items()}
        content = _pack({"epoch": epoch, "stage": stage_of(self.model), "states": states}, weights)
        write_bytes(self.folder / f"epoch-{epoch:06d}.ckpt", content)
        for old in checkpoint_files(self.folder)[:-KEPT]:
            old.unlink()


def checkpoint_files(folder):
    """The files of checkpoints in a folder, oldest first."""
    return sorted(Path(folder).glob("epoch-" + "[0-9]" * 6 + ".ckpt"))


def number_of(path):
    """The epoch of a checkpoint's file, counted from 0."""
    return int(path.stem.removeprefix("epoch-"))


def newest(folder):
    """The newest checkpoint of a folder that is whole, or None; a damaged one is named and passed over."""
    remove_temporary(folder)
    for path in reversed(checkpoint_files(folder)):
        try:
            return read(path)
        except InputError as error:
            log.warning(f"{error}; taking the one before")
    return None


def read(path):
    """The checkpoint in a file.

    Raises:
        InputError: the file is damaged.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path} has {path.stat().st_size} bytes, so it is not a checkpoint of this library")
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path} cannot be read ({error.strerror})") from None
    stated, body = content[:HASH_LENGTH], content[HASH_LENGTH + 1 :]
    if sha256(body).encode() != stated:
        raise InputError(f"{path} is damaged: its SHA-256 is not the one it states")
    try:
        return _unpack(body)
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise InputError(f"{path} is not a checkpoint of this library ({type(error).__name__})") from None


def restore(model, callbacks, checkpoint):
    """Puts a compiled model, its optimizer and the callbacks in the state of a checkpoint.

    Raises:
        InputError: the checkpoint is of another model.
    """
    if stage_of(model) != checkpoint.stage:
        model.enter_stage(checkpoint.stage)
    model.optimizer.build(model.trainable_variables)
    variables = _variables(model)
    found = {name: value.shape for name, value in checkpoint.weights.items()}
    needed = {name: tuple(variable.shape) for name, variable in variables.items()}
    differ = sorted(name for name in found.keys() | needed.keys() if found.get(name) != needed.get(name))
    if differ:
        more = f" and {len(differ) - 1} more" if len(differ) > 1 else ""
        raise InputError(f"the checkpoint is of another model: {differ[0]}{more} differ; was settings.json changed?")
    for name, variable in variables.items():
        variable.assign(checkpoint.weights[name])
    try:
        for callback in callbacks:
            callback.restore(checkpoint.states[type(callback).__name__])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"the checkpoint lacks what a callback remembers ({error}); start a new run") from error


def stage_of(model):
    """The stage of a model that is trained in stages; 1 for all others."""
    return model.phase().get("stage", 1)


def _variables(model):
    """Every weight of model and optimizer by name; states of draws are not among them, each epoch sets them."""
    parts = {"model": model.weights, "optimizer": model.optimizer.variables}
    named = [(f"{part}/{variable.path}", variable) for part, found in parts.items() for variable in found]
    if len(dict(named)) < len(named):
        raise ValueError("two variables have the same path, so they cannot be told apart in a checkpoint")
    return dict(named)


def _pack(rest, weights):
    """Bytes of a checkpoint; what is bytes in the callbacks' states becomes a block."""
    blocks = [(WEIGHT, name, value) for name, value in weights.items()]
    states = {owner: dict(state) for owner, state in rest["states"].items()}
    for owner, state in states.items():
        for name in [name for name, value in state.items() if isinstance(value, bytes)]:
            blocks.append((owner, name, np.frombuffer(state.pop(name), np.uint8)))
    named = [[owner, name, value.dtype.str, value.shape] for owner, name, value in blocks]
    head = json.dumps(rest | {"states": states, "blocks": named}).encode()
    body = b"\n".join([head, b"".join(value.tobytes() for _, _, value in blocks)])
    return sha256(body).encode() + b"\n" + body


def _unpack(body):
    head, _, content = body.partition(b"\n")
    rest = json.loads(head)
    epoch, stage, states, weights = rest["epoch"], rest["stage"], rest["states"], {}
    if (type(epoch), type(stage), type(states)) != (int, int, dict):
        raise TypeError
    for owner, name, kind, shape in rest["blocks"]:
        array = _block(content, kind, shape)
        content = content[array.nbytes :]
        if owner == WEIGHT:
            weights[name] = array
        else:
            states[owner][name] = array.tobytes()
    return Checkpoint(epoch, stage, weights, states)


def _block(content, kind, shape):
    """The array with which some bytes begin; they are used where they lie, so a stated shape takes no memory."""
    if kind not in KINDS:
        raise ValueError
    count = math.prod(shape)
    return np.frombuffer(content, kind, count if count >= 0 else len(content) + 1).reshape(shape)
