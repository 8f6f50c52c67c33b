"""The one call of Keras's `fit`, shared by runs and by the trials of a search."""

from tsdsae_keras.training.callbacks import SeedEpochs


def fit_epochs(model, stream, validation, settings, first, work):
    """Trains a compiled model from an epoch to the last, the same whether or not the run was interrupted before it.

    Args:
        stream: `SequenceStream` of the training split; it shuffles, by seed and epoch.
        validation: `SequenceStream` of the validation split.
        settings: with `seed` and `epochs`.
        first: the epoch to begin with, counted from 0.
        work: callbacks, in the order in which they are called; draws and order of the data are seeded before them.
    """
    model.fit(
        stream.dataset,
        validation_data=validation.dataset,
        initial_epoch=first,
        epochs=settings.epochs,
        shuffle=False,  # the stream shuffles
        verbose=0,
        callbacks=[SeedEpochs(settings.seed, stream), *work],
    )
