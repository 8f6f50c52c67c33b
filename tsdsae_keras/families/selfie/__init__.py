"""SELFIE-style audio representations, and VICReg, Barlow Twins and alignment + uniformity as exact settings of them."""

from tsdsae_keras.base.family import Family
from tsdsae_keras.families.selfie.settings import PRESETS, SMALLEST, SelfieSettings

FAMILY = Family(
    package=__name__,
    title="one embedding of a sound, learned from two distorted views of it without labels",
    models={
        "selfie-style": "diversity and decorrelation; a reconstruction of ours after an abstract (arXiv 2303.03717)",
        "vicreg": "variance, invariance, covariance (Bardes, Ponce, LeCun 2022)",
        "barlow": "Barlow Twins (Zbontar et al. 2021)",
        "align-uniform": "alignment and uniformity (Wang, Isola 2020)",
    },
    settings=SelfieSettings,
    presets=PRESETS,
    data=("pool",),
    build="building:build",
    batches="batches:batches",
    evaluate="evaluation:evaluate",
    table="evaluation:table",
    classes=("model:SelfieStyle",),
    report="report:report",
    report_options="commands:add_report_options",
    commands="commands:COMMANDS",
    pictures="pictures:show_map",
    finish="pictures:write_map",
    watch="watch:collapse_watch",
    check="settings:check",
    search="search:SEARCH",
    weights="weights",
    smallest=SMALLEST,
)
