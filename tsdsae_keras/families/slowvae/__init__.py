"""SlowVAE, the beta-VAE and three baselines: factors of images from pairs of frames."""

from tsdsae_keras.base.family import Family
from tsdsae_keras.families.slowvae.settings import PRESETS, SlowVAESettings

FAMILY = Family(
    package=__name__,
    title="factors of variation of single frames, learned from pairs of neighbouring frames",
    models={
        "slowvae": "Laplace prior on the change within a pair (Klindt et al. 2021)",
        "beta-vae": "the same without the Laplace term (Higgins et al. 2017)",
        "ada-gvae": "shared posteriors, averaged (Locatello et al. 2020)",
        "ada-ml-vae": "shared posteriors, weighted by precision (Locatello et al. 2020)",
        "pcl": "permutation-contrastive learning, no decoder (Hyvarinen, Morioka 2017)",
    },
    settings=SlowVAESettings,
    presets=PRESETS,
    data=("dsprites", "natural-sprites", "masks", "mixed", "shapes3d", "mpi3d", "frames"),
    build="building:build",
    batches="batches:batches",
    evaluate="evaluation:evaluate",
    table="evaluation:table",
    classes=("model:SlowVAE", "baselines:AdaVAE", "baselines:PCL"),
    report="report:report",
    report_options="options:add_options",
    pictures="pictures:show_traversals",
    finish="pictures:write_correlations",
    watch="watch:code_watch",
    check="settings:check",
    search="search:SEARCH",
    reference="reference:from_reference",
    checkpoint="checkpoint:import_checkpoint",
    weights="weights",
    prefix="settings:prefix",
)
