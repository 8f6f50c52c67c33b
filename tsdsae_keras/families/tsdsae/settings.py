"""Options of the TS-DSAE and its relatives, and their presets. Light: no backend is loaded."""

from dataclasses import dataclass

from tsdsae_keras.errors import InputError
from tsdsae_keras.options import Options, option

# What `quick` and `fast` share.
SHORT = {
    "stage_two_at": 4,
    "batch_size": 32,
    "learning_rate": 6e-3,
    "schedule": "cosine",
    # Not in the paper: without a floor digital silence decides the loss, and the judge's F1 fell to a third.
    "floor_db": 80.0,
    # Not in the paper either: halves the distance of a swap from the true sound; docs/results.md.
    "mmd_swap_weight": 20.0,
    "units": 96,
    "swap_pairs": "shared",
}
PRESETS = {
    # Minutes on two cores; the README has its results.
    "quick": SHORT | {"epochs": 28, "z_dim": 24},
    # The quality of the published runs in a fraction of their time; docs/results.md.
    "fast": SHORT
    | {
        "epochs": 240,
        "clip_norm": 2.0,  # one gradient, thousands of times the usual, once undid 200 epochs of a run
        "pictures_every": 120,
        "watch_every": 10,
    },
    # The published recipe (Luo et al. 2022); hours.
    "paper": {
        "epochs": 4000,
        "stage_two_at": 300,
        "batch_size": 128,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "patience": 300,
        "pictures_every": 100,
        "watch_every": 50,
        "standardize": False,
        "initial_weights": "pytorch",
    },
}


SMALLEST = {
    "melodies": 20,
    "epochs": 2,
    "stage_two_at": 1,
    "batch_size": 8,
    "units": 8,
    "z_dim": 4,
    "v_dim": 4,
    "pictures_every": 0,
    "watch_every": 0,
}


@dataclass(frozen=True)
class TSDSAESettings(Options):
    """What a sequential autoencoder is made of; see `families.tsdsae.sequential.SequentialVAE`."""

    z_dim: int = option(16, "dimensions of the local code", least=1)
    v_dim: int = option(16, "dimensions of the global code", least=1)
    local_encoder: str = option("factorised", "q(z_t|x_t) or q(z_t|x_1:T,v)", choices=("factorised", "full"))
    global_encoder: str = option("frame", "frame by frame or recurrent", choices=("frame", "sequence"))
    decoder: str = option("frame", "frame by frame or recurrent (enriched)", choices=("frame", "sequence"))
    reduction: str = option("mean", "means as published, or the exact ELBO's sums", choices=("mean", "sum"))
    initial_weights: str = option(
        "keras", "weight initialisation: Keras or PyTorch defaults", choices=("keras", "pytorch")
    )
    standardize: bool = option(True, "standardise mel bands inside the model")
    precision: str = option("float32", "precision of matrix products", choices=("float32", "mixed_bfloat16"))
    swap_weights: tuple[float, ...] = option(
        (1.0, 1.0, 1.0, 1.0), "weights of kl_v_gswap kl_z_gswap kl_v_lswap kl_z_lswap", length=4, least=0
    )
    swap_weight: float | None = option(None, "one weight for all four swap terms, instead of four", least=0)
    kl_z_weight: float = option(1.0, "weight of kl_z; above 1, z carries less, the timbre first", least=0)
    kl_v_weight: float = option(1.0, "weight of kl_v", least=0)
    corr_zv_weight: float = option(0.0, "weight of corr_zv, the correlation of z's moments with v", least=0)
    mmd_swap_weight: float = option(
        0.0, "weight of mmd_swap, how unlike real sound of the same timbre swaps are at each moment", least=0
    )
    z_noise: float = option(0.0, "noise on z in training, in standard deviations of each dimension", least=0, most=100)
    level_db: float = option(0.0, "dB by up to which the level of each training batch is moved", least=0, most=100)
    v_transpose: float = option(
        0.0, "semitones by up to which what v hears is transposed in training", least=0, most=36
    )
    v_source: str = option(
        "sequence",
        "what v is inferred from in training: its own sequence, or another of the same recording",
        choices=("sequence", "recording"),
    )
    swap_pairs: str = option(
        "independent", "a permutation for each swap, or one that both share", choices=("independent", "shared")
    )
    stage_one_z: str = option(
        "encoder", "z of stage 1: of the frozen encoder, or N(0, I), which tells nothing", choices=("encoder", "noise")
    )
    units: int = option(64, "width of the hidden layers; the transition has half of it", least=2, most=4096)
    stage_two_at: int = option(4, "C, epochs of stage 1", least=0)
    epoch_steps: int | None = option(None, "least steps of an epoch: few sequences are passed several times", least=1)


NOT_THE_MODELS = (
    # Together its term_weights.
    *("swap_weights", "swap_weight", "kl_z_weight", "kl_v_weight", "corr_zv_weight", "mmd_swap_weight"),
    *("units", "stage_two_at", "epoch_steps"),
)
MODEL_OPTIONS = tuple(name for name in TSDSAESettings.__dataclass_fields__ if name not in NOT_THE_MODELS)


def check(settings):
    """InputError where stage 2 would never begin."""
    if settings.model != "dsae" and settings.stage_two_at >= settings.epochs:
        raise InputError(
            f"--stage-two-at is {settings.stage_two_at} and --epochs is {settings.epochs}: stage 2 would never begin; "
            f"give fewer epochs to stage 1 (below {settings.epochs}) or more in all"
        )


def prefix(settings):
    """The beginning of a run folder's name."""
    return f"{settings.model}-z{settings.z_dim}"
