"""Options of class-pose decomposition and its baselines, and their presets. Light: no backend is loaded."""

from dataclasses import dataclass

from tsdsae_keras.errors import InputError
from tsdsae_keras.options import Options, option

COMMON = {"schedule": "cosine", "pictures_every": 5, "watch_every": 0}
PRESETS = {
    # Some two minutes on two cores; enough for translations and colours.
    "quick": COMMON | {"epochs": 15, "epoch_steps": 120, "batch_size": 64, "learning_rate": 2e-3, "width": 16},
    # Twenty minutes on two cores; all rotations of space need it.
    "fast": COMMON | {"epochs": 75, "epoch_steps": 300, "batch_size": 64, "learning_rate": 2e-3, "width": 16},
    # The published recipe (Marchetti et al. 2023): 562,500 steps of a ResNet.
    "paper": {
        "epochs": 100,
        "epoch_steps": 5625,
        "batch_size": 16,
        "learning_rate": 1e-3,
        "schedule": "constant",
        "encoder": "resnet",
        "width": 64,
        "images": 180000,
        "spread_classes": False,
        "pictures_every": 10,
        "watch_every": 0,
    },
}
SMALLEST = {
    **{"epochs": 2, "epoch_steps": 2, "validation_steps": 1, "batch_size": 8, "width": 4, "images": 64, "held_out": 64},
    **{"pictures_every": 0, "watch_every": 0},
}


@dataclass(frozen=True)
class CPDSettings(Options):
    """What the models are made of; see `families.cpd.model.CPD` and `families.cpd.baselines`."""

    encoder: str = option("cnn", "five convolutions, or ResNet-18", choices=("cnn", "resnet"))
    width: int = option(64, "of the encoder's narrowest layer; 64 is the published one", least=1, most=512)
    batch_norm: str = option(
        "on",
        "batch norm of the cnn; auto: unless the group is translate",
        choices=("auto", "on", "off"),
    )
    extra_dim: int | None = option(None, "numbers of the class (default: 8; linear: 3)", least=0)
    class_loss: str = option("info_nce", "what ties the class to the orbit, for cpd", choices=("info_nce", "hinge"))
    temperature: float = option(0.8, "tau of InfoNCE", above=0)
    spread_classes: bool = option(True, "begin with classes that differ from image to image, for cpd")
    decoder: bool = option(False, "train a decoder as well, for cpd")
    quaternions: bool = option(False, "poses of rotations as quaternions, for cpd")
    nuclear: bool = option(False, "nuclear norm in the equivariance of matrices, for cpd")
    latent_dim: int = option(11, "numbers of the latent, for mdp-homomorphism", least=1)
    epoch_steps: int = option(120, "steps in an epoch", least=1)
    validation_steps: int = option(10, "batches of validation triples", least=1)


def check(settings):
    """InputError where options contradict each other."""
    if settings.batch_size < 2:
        raise InputError(f"--batch-size is {settings.batch_size}; a batch of one has nothing to tell classes apart by")
    if settings.model == "cpd" and settings.extra_dim == 0:
        raise InputError("--extra-dim is 0; the class of cpd needs one number at least")


def prefix(settings):
    """The beginning of a run folder's name."""
    return f"{settings.model}-{settings.data}"
