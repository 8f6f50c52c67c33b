"""Options of SELFIE-style pre-training and of the methods it contains, and their presets. Light: no backend."""

from dataclasses import dataclass

from tsdsae_keras.errors import InputError
from tsdsae_keras.options import Options, option

PRESETS = {
    # Two minutes on two cores: 400 steps, less than five passes over the pool of installed packages.
    "quick": {"epochs": 10, "steps": 40, "batch_size": 64, "learning_rate": 1e-3, "pictures_every": 10},
    # Half an hour on one core; 17,000 steps did not do better.
    "fast": {"epochs": 100, "steps": 100, "batch_size": 64, "learning_rate": 1e-3, "pictures_every": 50},
    # The network, batch and rate of BYOL-A v2, whose encoder this is; the paper's own are not known to us.
    "paper": {
        "epochs": 100,
        "steps": 1000,
        "batch_size": 256,
        "learning_rate": 1e-4,
        "encoder": "paper",
        "pictures_every": 50,
    },
}

SMALLEST = {
    "sources": ("synth",),
    "sounds": 48,
    "epochs": 2,
    "steps": 2,
    "batch_size": 8,
    "channels": 2,
    "units": 8,
    "projector_units": 8,
    "dim": 8,
    "pictures_every": 0,
    "watch_every": 0,
}


@dataclass(frozen=True)
class SelfieSettings(Options):
    """Loss, network and views; see `families.selfie.model.SelfieStyle` and `families.selfie.views`."""

    w_inv: float | None = option(None, "weight of the invariance (default: the model's own)", least=0)
    w_div: float | None = option(None, "weight of the diversity (default: the model's own)", least=0)
    w_dec: float | None = option(None, "weight of the decorrelation (default: the model's own)", least=0)
    t: float = option(2.0, "t of the uniformity", above=0)
    center: bool | None = option(None, "standardise projections before the sphere (default: the model's own)")
    encoder: str = option("small", "small, or the size of BYOL-A v2", choices=("small", "paper"))
    channels: int | None = option(None, "channels of the convolutions (default: the encoder's)", least=1, most=1024)
    units: int | None = option(None, "width of the layers of a frame (default: the encoder's)", least=1, most=8192)
    projector_units: int | None = option(None, "width of the projector (default: the encoder's)", least=1, most=16384)
    dim: int = option(256, "d, dimensions of the projections", least=2, most=16384)
    dropout: float = option(0.3, "share of a frame's hidden values left out in training", least=0, most=0.9)
    steps: int = option(40, "steps of an epoch", least=1)
    window: int = option(96, "frames of a view; 96 are 0.95 s", least=8, most=4096)
    two_crops: bool = option(False, "the two views start from two windows of a clip instead of one")
    mixup: float = option(0.2, "largest share of another sound mixed into a view", least=0, most=0.9)
    memory: int = option(2048, "earlier windows that another sound is drawn from", least=1, most=1 << 16)
    smallest_crop: float = option(0.6, "least height and width of a random resize crop, in shares", above=0, most=1)
    largest_crop: float = option(1.5, "largest height and width of a crop, and width of the canvas", least=1, most=4)
    fader: float = option(1.0, "largest end of the random linear fader, in standard deviations", least=0, most=10)


def check(settings):
    """InputError where nothing would be trained, or where a batch has no other clip to tell apart."""
    if settings.batch_size < 2:
        raise InputError(f"--batch-size is {settings.batch_size}; diversity and decorrelation need at least 2 clips")
    if 0 == settings.w_inv == settings.w_div == settings.w_dec:
        raise InputError("--w-inv, --w-div and --w-dec are all 0, so there is no loss; give one of them a weight")
