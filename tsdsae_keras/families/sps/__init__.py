"""SPS: codes that are pitch or place, because the prior over them commutes with a symmetry."""

from tsdsae_keras.base.family import Family
from tsdsae_keras.families.sps.settings import PRESETS, SMALLEST, SPSSettings

FAMILY = Family(
    package=__name__,
    title="codes of frames that are pitch (music) or place in space (video), by a symmetry of the prior",
    models={
        "sps": "physical symmetry, a VAE (Liu, Chin, Huang, Xia 2023)",
        "sps-ae": "the same as an autoencoder",
        "sps-vae-nosymmetry": "the same prior without the symmetry (K = 0)",
        "beta-vae-frames": "frames alone: no prior, no symmetry",
    },
    settings=SPSSettings,
    presets=PRESETS,
    data=("scales", "ball", "notes", "videos"),
    build="building:build",
    batches="batches:batches",
    evaluate="evaluation.scores:evaluate",
    table="evaluation.rows:table",
    classes=("model:SPS",),
    report="evaluation.report:report",
    commands="commands.options:COMMANDS",
    pictures="pictures:show_codes",
    finish="pictures:write_picture",
    watch="watch:watch",
    check="settings:check",
    search="search:SEARCH",
    reference="reference:from_reference",
    weights="weights",
    smallest=SMALLEST,
)
