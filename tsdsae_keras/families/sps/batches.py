"""Batches of sequences held in memory, equal for equal (seed, epoch, step)."""

import keras
import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.sps.domains import DOMAINS

VALIDATION_BATCH = 16


class SequenceBatches(keras.utils.PyDataset):
    """Batches {"x": (batch, time, *frame)} of a split, float32 in [0, 1].

    In training every batch is drawn afresh: different sequences of the split, of each a window of frames.

    Args:
        data: `FrameSequences`.
        split: of them.
        batch_size: sequences.
        batches: steps of an epoch; None goes over the split once, in order.
        window: frames of a sequence, None for all.
        seed: of what is drawn.
    """

    def __init__(self, data, split, batch_size, batches=None, window=None, seed=0):
        super().__init__()
        self.data, self.split, self.window, self.seed, self.epoch = data, split, window, seed, 0
        self.batch_size = min(batch_size, data.count(split))
        self.drawn = batches is not None
        self.batches = batches if self.drawn else -(-data.count(split) // self.batch_size)
        self.dataset = self

    def set_epoch(self, epoch):
        """Chooses what is drawn from now on."""
        self.epoch = int(epoch)

    def __len__(self):
        return self.batches

    def __getitem__(self, index):
        if not self.drawn:
            rows = slice(index * self.batch_size, (index + 1) * self.batch_size)
            return {"x": self.data.frames(self.split, rows)}
        rng = np.random.default_rng((self.seed, self.epoch, index))
        x = self.data.frames(self.split, rng.permutation(self.data.count(self.split))[: self.batch_size])
        if self.window is None or self.window >= x.shape[1]:
            return {"x": x}
        starts = rng.integers(x.shape[1] - self.window + 1, size=len(x))
        return {"x": np.stack([one[start : start + self.window] for one, start in zip(x, starts, strict=True)])}


def batches(data, settings, split):
    """The stream of a split: `dataset`, `batches` an epoch, `set_epoch`.

    Raises:
        InputError: the sequences are too short for the prior, or for the window.
    """
    frames = data.x[split].shape[1]
    if settings.window is not None and settings.window > frames:
        raise InputError(f"--window is {settings.window}, and sequences have {frames} frames; lower it")
    _check_length(settings, DOMAINS[data.domain], settings.window or frames)
    if split == "train":
        return SequenceBatches(
            data, split, settings.batch_size, settings.epoch_steps, settings.window, seed=settings.seed
        )
    return SequenceBatches(data, split, VALIDATION_BATCH)


def _check_length(settings, domain, frames):
    """InputError where the prior would see the true code of every frame, so that it never goes on by itself."""
    base_len = settings.base_len or domain.base_len
    if settings.model != "beta-vae-frames" and frames <= base_len:
        raise InputError(
            f"sequences have {frames} frames, of which the prior sees {base_len} and predicts none; lower --base-len "
            "or give longer sequences"
        )
