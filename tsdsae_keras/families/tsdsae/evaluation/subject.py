"""A model under evaluation: its splits, posteriors, partners and judges, each computed once for all scores."""

from functools import cached_property

import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.judges import FrameJudge, OwnEncoderJudge
from tsdsae_keras.families.tsdsae.evaluation.posteriors import Split, decode_batch, encode_batch, encode_split
from tsdsae_keras.families.tsdsae.evaluation.swaps import draw_partners, swap_sequences
from tsdsae_keras.families.tsdsae.evaluation.use import next_partners
from tsdsae_keras.metrics.batching import batch_slices, take_rows


class TestSubject:
    """A model with the sequences it is measured on, latents at their means.

    Posteriors and judges are computed when first asked for, and kept; outputs of the model are never kept.

    Args:
        model: has ``encode(x, mask=None)`` and ``decode(z, v)``, for a split with a mask also
            ``decode(z, v, mask=mask)``.
        train, test: `Split`, or a dict or object with `x` (n, time, features), `instrument` (n,) or None, and, if
            sequences differ in length, `mask` (n, time).
        seed: fixes partners and judges.
        batch_size: sequences the model takes at a time.
        posteriors, train_posteriors: `Posteriors` of either split, where they are known already.
        judge: an independent judge with ``predict(x, mask)``; None for a `FrameJudge` of the training split.

    Raises:
        InputError: a split cannot be used; from any property, a code or an output is not finite.
    """

    __test__ = False  # or pytest would collect it for its name

    def __init__(
        self, model, train, test, *, seed=0, batch_size=64, posteriors=None, train_posteriors=None, judge=None
    ):
        self.model, self.seed, self.batch_size = model, seed, batch_size
        self.train, self.test = Split.of(train), Split.of(test)
        self._posteriors, self._train_posteriors, self._judge = posteriors, train_posteriors, judge
        _check_agreement(self.train, self.test, batch_size)
        self._judge = judge

    @cached_property
    def posteriors(self):
        """`Posteriors` of the test split."""
        return self._posteriors or encode_split(self.model, self.test, self.batch_size)

    @cached_property
    def train_posteriors(self):
        """`Posteriors` of the training split."""
        return self._train_posteriors or encode_split(self.model, self.train, self.batch_size)

    @cached_property
    def partner(self):
        """(n,) whose code each test sequence swaps with: one of another class, or the next where there are none."""
        instrument = self.test.instrument
        if instrument is None or len(np.unique(instrument)) < 2:
            return next_partners(len(self.test))
        return draw_partners(instrument, self.seed)

    @cached_property
    def own_judge(self):
        """`OwnEncoderJudge` of the training codes."""
        return OwnEncoderJudge(self.train_posteriors.v_mean, self.train.instrument, self.seed)

    @cached_property
    def judge(self):
        """The judge that never saw the model."""
        return self._judge or FrameJudge(self.train.x, self.train.instrument, self.train.mask, seed=self.seed)

    @cached_property
    def why_no_classes(self):
        """Why no judge can be asked for classes, or None when one can."""
        return why_no_classes(self.train, self.test)

    def reconstructions(self):
        """Batch by batch: rows of the test set, their reconstruction, their mask."""
        for rows in batch_slices(self.test, self.batch_size):
            mask = take_rows(self.test.mask, rows)
            z, v = self.posteriors.z_mean[rows], self.posteriors.v_mean[rows]
            yield rows, decode_batch(self.model.decode, z, v, mask), mask

    def swaps(self):
        """Batch by batch: rows, their global and local swap, and the mask of either, that of where z came from."""
        swaps = swap_sequences(self.posteriors, self.partner, self.model.decode, self.batch_size, self.test.mask)
        for rows, x_global, x_local in swaps:
            masks = take_rows(self.test.mask, rows), take_rows(self.test.mask, self.partner[rows])
            yield rows, (x_global, x_local), masks

    @cached_property
    def answers(self):
        """What the judges say: {"swap_f1", "judge_f1": {column: (truth (n,), answer (n,))}}; only where there are
        classes."""
        truth, asked = self.test.instrument, self.test.instrument[self.partner]
        real, pre = self._answers_to_reconstructions()
        own = {"pre": (truth, self.own_judge.predict(self.posteriors.v_mean))}
        judge = {"real": (truth, real), "pre": (truth, pre)}
        for name, wanted, answers in zip(("global", "local"), (asked, truth), self._answers_to_swaps(), strict=True):
            own[name], judge[name] = ((wanted, answer) for answer in answers)
        return {"swap_f1": own, "judge_f1": judge}

    def _answers_to_reconstructions(self):
        heard = [
            (self.judge.predict(self.test.x[rows], mask), self.judge.predict(x_hat, mask))
            for rows, x_hat, mask in self.reconstructions()
        ]
        return [np.concatenate(answers) for answers in zip(*heard, strict=True)]

    def _answers_to_swaps(self):
        """[(own, independent) of the global swap, of the local swap]."""
        answers = [[], []]
        for _, swapped, masks in self.swaps():
            for said, x, mask in zip(answers, swapped, masks, strict=True):
                v_mean, _ = encode_batch(self.model, x, mask)
                said.append((self.own_judge.predict(v_mean), self.judge.predict(x, mask)))
        return [[np.concatenate(part) for part in zip(*said, strict=True)] for said in answers]


def _check_agreement(train, test, batch_size):
    bands = train.x.shape[2], test.x.shape[2]
    if bands[0] != bands[1]:
        raise InputError(f"train has {bands[0]} features a frame and test {bands[1]}; they should be equal")
    if batch_size < 1:
        raise InputError(f"batch_size is {batch_size}; it should be 1 or more")


def why_no_classes(train, test):
    """Why no judge that is fitted on `train` can be asked for the classes of `test`, or None when one can."""
    if train.instrument is None or test.instrument is None:
        return "no instrument labels"
    known, asked = np.unique(train.instrument), np.unique(test.instrument)
    if len(asked) < 2:
        return f"one instrument only ({asked[0]}); a swap needs two or more"
    strange = np.setdiff1d(asked, known).tolist()
    if strange:
        return f"instruments {strange} are in the test set and not in the training set"
    if len(train) <= len(known):
        return f"{len(train)} training sequences for {len(known)} instruments; a judge needs more"
    return None
