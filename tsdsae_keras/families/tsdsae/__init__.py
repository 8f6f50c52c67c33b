"""TS-DSAE, DSAE and DSAE-f: a global and local codes of sequences, learned without labels."""

from tsdsae_keras.base.family import Family
from tsdsae_keras.families.tsdsae.settings import PRESETS, SMALLEST, TSDSAESettings

FAMILY = Family(
    package=__name__,
    title="one code v for a sequence (timbre), one code z for each frame (melody)",
    models={
        "tsdsae": "two stages, informed prior, four swap terms (Luo, Ewert, Dixon 2022)",
        "tsdsae-noreg": "the same without swap terms",
        "dsae-f": "two stages, frozen parts, no informed prior",
        "dsae": "disentangled sequential autoencoder (Li, Mandt 2018)",
    },
    settings=TSDSAESettings,
    presets=PRESETS,
    data=("dmelodies",),
    build="building:build",
    batches="batches:batches",
    arrays="batches:arrays",
    evaluate="evaluation.scores:score",
    table="evaluation.evaluate:table",
    classes=("model:TSDSAE", "dsae:DSAE", "dsae:DSAEf"),
    report="evaluation.report:report",
    report_options="evaluation.options:add_options",
    commands="sound.options:COMMANDS",
    tools="study.options:TOOLS",
    checkpoint="interop.import_checkpoint:import_checkpoint",
    pictures="pictures:show_swaps",
    finish="pictures:write_swap_picture",
    watch="watch:swap_watch",
    callbacks="building:callbacks",
    check="settings:check",
    recipe="recipe:recipe_for",
    search="search:SEARCH",
    reference="interop.reference:from_reference",
    weights="weights",
    smallest=SMALLEST,
    prefix="settings:prefix",
)
