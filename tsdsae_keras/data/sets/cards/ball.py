"""The card of the bouncing ball."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class BallSettings(DataSettings):
    """How many balls are thrown, and their colours; see `data.sets.ball`."""

    trajectories: int = option(512, "training trajectories", least=2, most=100_000)
    test_trajectories: int = option(128, "validation and test trajectories, as many of each", least=2, most=100_000)
    frames: int = option(20, "frames of a trajectory, 0.2 s apart", least=2, most=1000)
    colours: str = option("green", "of the balls", choices=("green", "seven", "continuous"))


DATA_SET = DataSet(
    title="videos of a bouncing ball, with its place in space (physical symmetry)",
    settings=BallSettings,
    open="tsdsae_keras.data.sets.ball:open_balls",
)
