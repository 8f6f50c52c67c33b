"""Class-pose decomposition and its baselines: pose and class of images from pairs whose relative symmetry is known."""

from tsdsae_keras.base.family import Family
from tsdsae_keras.families.cpd.settings import PRESETS, SMALLEST, CPDSettings

FAMILY = Family(
    package=__name__,
    title="the pose and the class of an image, learned from pairs related by a known symmetry",
    models={
        "cpd": "pose in the group, class by InfoNCE (Marchetti et al. 2023)",
        "mdp-homomorphism": "a latent without structure and a learned action",
        "linear": "a vector that is moved or turned, without a class",
    },
    settings=CPDSettings,
    presets=PRESETS,
    data=("sprites", "multi-sprites", "colour-shift", "solids", "rooms", "triples"),
    build="building:build",
    batches="building:batches",
    evaluate="evaluation:evaluate",
    table="evaluation:table",
    classes=("model:CPD", "baselines:MDPHomomorphism", "baselines:Linear"),
    report="report:report",
    report_options="options:add_options",
    commands="options:COMMANDS",
    pictures="pictures:show_neighbours",
    finish="pictures:write_neighbours",
    check="settings:check",
    search="search:SEARCH",
    reference="reference:from_reference",
    weights="weights",
    smallest=SMALLEST,
    prefix="settings:prefix",
)
