"""Batches of pairs for training and validation."""

from tsdsae_keras.data.sets.pair_stream import PairStream

TRAINING, VALIDATION = 0, 1  # next to a seed, so that no validation pair is drawn as a training pair is


def batches(data, settings, split):
    """The stream of a split; validation pairs depend on the data's seed alone, and are the same every epoch."""
    if split == "train":
        seed = settings.seed, TRAINING
        return PairStream(data, settings.batch_size, settings.epoch_steps, seed, workers=settings.workers)
    seed = settings.data_seed, VALIDATION
    return PairStream(data, settings.batch_size, settings.validation_steps, seed, fixed=True, workers=settings.workers)
