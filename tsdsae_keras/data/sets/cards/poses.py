"""The cards of the data sets of images with poses: sprites, multi-sprites, colour-shift, solids, rooms."""

from dataclasses import dataclass

from tsdsae_keras.data.sets import DataSet, DataSettings
from tsdsae_keras.options import option


@dataclass(frozen=True)
class PoseSettings(DataSettings):
    """How many images are rendered; see `data.sets.pose_pool.PoseData`."""

    images: int = option(20000, "images to train on, paired at random", least=64)
    held_out: int = option(4000, "images for validation, and as many for the test", least=64)
    left_out: tuple[int, ...] = option((-1,), "classes that training never shows, -1 for none", least=-1)


@dataclass(frozen=True)
class SolidSettings(PoseSettings):
    """How the solids are turned."""

    largest_angle: float = option(180.0, "degrees from the pose of rest; 180 are all rotations", above=0, most=180)
    side: str = option("left", "rotations as the viewer sees them, or as the body does", choices=("left", "right"))


@dataclass(frozen=True)
class RoomSettings(PoseSettings):
    """How the camera moves."""

    frame: str = option("global", "actions in the room's frame or in the camera's", choices=("global", "local"))
    paint: int = option(0, "seed of the colours of the walls", least=0)


SETS = "tsdsae_keras.data.sets"
SPRITES = DataSet(
    title="a square, ellipse or heart that moves and scales",
    settings=PoseSettings,
    open=f"{SETS}.sprites:open_sprites",
)
MULTI_SPRITES = DataSet(
    title="three sprites that move, in three colours",
    settings=PoseSettings,
    open=f"{SETS}.sprites:open_multi_sprites",
)
COLOUR_SHIFT = DataSet(
    title="a scene whose floor, wall and object change their hues",
    settings=PoseSettings,
    open=f"{SETS}.colour_shift:open_colour_shift",
)
SOLIDS = DataSet(
    title="painted bodies that turn in space",
    settings=SolidSettings,
    open=f"{SETS}.solids:open_solids",
)
ROOMS = DataSet(
    title="what a camera sees that moves and turns in two rooms",
    settings=RoomSettings,
    open=f"{SETS}.rooms:open_rooms",
)
