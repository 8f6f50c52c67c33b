"""What is measured of every trained model of a search, on validation clips and without labels."""

import numpy as np
from keras import ops

from tsdsae_keras.families.selfie import terms
from tsdsae_keras.families.selfie.batches import batches

BATCHES = 4  # of validation


class Scorer:
    """Scores of models on the same views of validation clips. They look at the embedding, which the loss does not see.

    - ``matched``: the share of clips whose second view is nearer to their own first view than to that of any other
      clip, by the cosine of standardised embeddings. A collapsed model scores 1 / clips, and losses of other weights
      can be compared by it.
    - ``rank``: the effective rank of the embeddings. (After RankMe: Garrido et al., ICML 2023, without labels it went
      with the accuracy of linear probes of images.)
    - ``offset``: of the projections, 1 where they have collapsed.

    Whether either goes with probes of sound was not measured here.

    Args:
        data: `PreparedData`.
        settings: `Settings` of the search.
    """

    def __init__(self, data, settings):
        views = batches(data, settings, "validation")
        made = [views.make(0, step) for step in range(min(BATCHES, views.batches))]
        self.views = {name: np.concatenate([each[name] for each in made]) for name in ("first", "second")}

    def check(self, objective):
        """All data of this family allow all objectives."""

    def __call__(self, model):
        """{name: number}."""
        first, second = (ops.convert_to_numpy(model.f(ops.convert_to_tensor(self.views[name]))) for name in self.views)
        rank = float(ops.convert_to_numpy(terms.effective_rank(ops.convert_to_tensor(first))))
        p = model.g(ops.convert_to_tensor(first))
        return {"matched": matched(first, second), "rank": rank, "offset": model.monitor(p)["offset"]}


def matched(first, second):
    """The share of rows of `second` (n, k) whose nearest row of `first` has the same number."""
    mean, deviation = first.mean(axis=0), first.std(axis=0) + 1e-6
    a, b = ((each - mean) / deviation for each in (first, second))
    a, b = (each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-9) for each in (a, b))
    return float(np.mean((b @ a.T).argmax(axis=1) == np.arange(len(a))))
