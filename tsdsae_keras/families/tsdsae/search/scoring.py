"""What is measured of every trained model of a search, on sequences of the validation split."""

from functools import cached_property

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.judges import FrameJudge
from tsdsae_keras.families.tsdsae.evaluation.labels import load_labels
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split
from tsdsae_keras.families.tsdsae.evaluation.subject import TestSubject, why_no_classes
from tsdsae_keras.families.tsdsae.evaluation.use import active_units
from tsdsae_keras.families.tsdsae.search.objective import BATCH, score_balanced, score_labelled

MEASURED = 256  # validation sequences
JUDGING = 512  # training sequences, for the judges
FRAMES = 1024  # of a sequence


class Scorer:
    """Scores of models on the same few sequences; what does not depend on the model is made once.

    Args:
        data: `PreparedData`.
        settings: of the search; their seed is that of partners and judges.
    """

    def __init__(self, data, settings):
        self.data, self.seed = data, settings.seed

    @cached_property
    def validation(self):
        """The `Split` that is measured."""
        return _few(self.data, "validation", MEASURED)

    @cached_property
    def train(self):
        """The `Split` that judges learn from."""
        return _few(self.data, "train", JUDGING)

    def __call__(self, model):
        """{name: number}: `balanced`, its parts, active dimensions; where there are classes also what judges say."""
        options = {"seed": self.seed, "batch_size": BATCH, "judge": self.judge}
        subject = TestSubject(model, self.train, self.validation, **options)
        posteriors = subject.posteriors
        scores = score_balanced(model, self.validation, posteriors)
        scores["active_v"] = active_units(posteriors.v_mean)
        scores["active_z"] = active_units(posteriors.z_mean, mask=self.validation.mask)
        return scores | (score_labelled(subject, scores) if self.judge else {})

    @cached_property
    def why_no_classes(self):
        """Why judges cannot be asked, or None when they can."""
        return why_no_classes(self.train, self.validation)

    @cached_property
    def judge(self):
        """The judge that never sees a model; None where there are no classes."""
        if self.why_no_classes:
            return None
        return FrameJudge(self.train.x, self.train.instrument, self.train.mask, seed=self.seed)

    def check(self, objective):
        """InputError where the data do not allow an objective."""
        if objective == "labelled" and self.why_no_classes:
            raise InputError(f"--objective labelled needs classes: {self.why_no_classes}; take --objective balanced")
        if len(self.validation) < 2:
            raise InputError("the validation split has one sequence; a search needs two or more to swap")


def _few(data, split, count):
    """Sequences spread over a split, in its order; of long ones the beginning."""
    x, instrument = data.sequences(split, frames=FRAMES), load_labels(data, split).instrument
    rows = np.unique(np.linspace(0, len(x) - 1, min(count, len(x))).astype(int))
    return Split(x[rows], None if instrument is None else instrument[rows], None if x.mask is None else x.mask[rows])
