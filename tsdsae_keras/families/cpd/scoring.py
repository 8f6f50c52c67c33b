"""What is measured of every trained model of a search, on validation images and without labels."""

from tsdsae_keras.families.cpd.codes import DataCodes
from tsdsae_keras.families.cpd.evaluation import hit_rates


class Scorer:
    """Scores of models on the same validation images.

    - ``hit_rate``: after as many actions as the data are scored on, 20 of rendered data. A learned action is told from
      an exact one by many steps.
    - ``hit_rate_1``: after one action.

    The hit-rate of one model can be compared with another's, losses of other temperatures or sizes cannot.

    Args:
        data: `data.sets.pose_pool.PoseData` or `data.sets.triples.TripleData`.
        settings: `Settings` of the search.
    """

    def __init__(self, data, settings):
        self.data, self.settings = data, settings

    def check(self, objective):
        """All data of this family allow all objectives."""

    def __call__(self, model):
        """{name: number}."""
        steps = sorted({1, max(self.data.steps)})
        rates = hit_rates(DataCodes(model, self.data), "validation", self.settings.data_seed, steps)["hit_rate"]
        return {"hit_rate": rates[str(steps[-1])]["value"], "hit_rate_1": rates["1"]["value"]}
