"""The melody of log-mel frames without making them sound: a reader of notes that never saw the model."""

import numpy as np

from tsdsae_keras.families.tsdsae.evaluation.timbre import relative_frames
from tsdsae_keras.metrics.batching import batch_size_for, batch_slices, take_rows


class NoteReader:
    """Linear discriminant analysis on real log-mel frames, relative to each frame's peak, with the note as the class.

    It takes seconds where a vocoder and a pitch tracker take minutes, and it is not deceived by their errors. What it
    reads of real test frames says what it knows; of a swap it can tell whether the spectrum has the partials of the
    right note, not whether they sound well.

    Args:
        x: (n, time, features) real training sequences, log-mel in nats.
        notes: (n, time) MIDI numbers, 0 for a rest.
        mask: (n, time), true where valid; None when all are.
        seed: fixes the draw of frames.
        frames: about how many frames to learn from.
    """

    description = "linear discriminant analysis on real training frames relative to their peaks"

    def __init__(self, x, notes, mask=None, *, seed=0, frames=20_000):
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        drawn, answers = _draw_frames(x, notes, mask, seed, frames)
        self.notes = np.unique(answers)
        # Shrinkage, as neighbouring bands nearly repeat each other and a small folder has few frames.
        self._reader = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=1e-3).fit(drawn, answers)

    def accuracies(self, x, notes, mask=None):
        """The share of each sequence's sounding frames that show the note `notes` (batch, time) has: (batch,).

        nan where no frame sounds with a note that the reader knows.
        """
        asked = sounding_notes(notes, mask) & np.isin(notes, self.notes)
        right = np.zeros(asked.shape)
        if asked.any():
            right[asked] = self._reader.predict(relative_frames(x[asked])) == notes[asked]
        count = asked.sum(axis=1)
        return np.where(count, right.sum(axis=1) / count.clip(1), np.nan)


def sounding_notes(notes, mask=None):
    """(n, time) booleans: valid frames that have a note."""
    return (notes > 0) if mask is None else (notes > 0) & np.asarray(mask, bool)


def _draw_frames(x, notes, mask, seed, wanted):
    rng = np.random.default_rng(seed)
    share = max(1, wanted // len(x))
    frames, answers = [], []
    for rows in batch_slices(x, batch_size_for(x.shape[1])):
        rank = np.where(sounding_notes(notes[rows], take_rows(mask, rows)), rng.random(notes[rows].shape), np.inf)
        order = np.argsort(rank, axis=1)[:, :share]
        clip, place = np.nonzero(np.isfinite(np.take_along_axis(rank, order, axis=1)))
        frames.append(relative_frames(np.asarray(x[rows])[clip, order[clip, place]]))
        answers.append(notes[rows][clip, order[clip, place]])
    return np.concatenate(frames), np.concatenate(answers)
