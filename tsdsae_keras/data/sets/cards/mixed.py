"""The card of the mixed vectors."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class MixedSettings(DataSettings):
    """How far the factors of a pair differ; see `data.sets.mixed`."""

    step_scale: float = option(0.15, "scale of the Laplace steps", above=0)


DATA_SET = DataSet(
    title="vectors of 8 mixed from 4 Gaussian factors with Laplace steps: no method without pairs can find the factors",
    settings=MixedSettings,
    open="tsdsae_keras.data.sets.mixed:open_mixed",
)
