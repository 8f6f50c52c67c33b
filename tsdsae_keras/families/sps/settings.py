"""Options of physical symmetry and its baselines, and their presets. Light: no backend is loaded."""

from dataclasses import dataclass

from tsdsae_keras.errors import InputError
from tsdsae_keras.options import Options, option

# What lets a short run learn (docs/sps.md): initial weights, scale of the input, log-variance. The schedule of
# fed-back steps is run through as many times faster as the run is shorter than the published 15,000 steps.
QUICK = {"batch_size": 8, "learning_rate": 2e-3, "epoch_steps": 100, "watch_every": 5, "pictures_every": 25}
PUBLISHED = {
    "learning_rate": 1e-3,
    "schedule": "constant",
    "sampler": "faithful",
    "initial_weights": "pytorch",
    "input_scale": 1.0,
    "center": False,
    "watch_every": 5,
}
SHORT = {"sampling_speed": 6.0, "input_scale": 8.0, "center": True}
LONG = {"sampling_speed": 1.5, "input_scale": 8.0, "center": True}
# With a bias of -3 the highest notes were taken for the octave below in some seeds and stayed there.
NOTES = {"sampler": "faithful", "log_var_bias": -1.5}
FRAMES = {"prior_units": 128, "window": 12, "log_var_bias": -5.0}
QUICK_MUSIC = {
    **SHORT,
    **NOTES,
    "channels": (8, 8, 16, 16),
    "decoder_units": (16, 64, 256),
    "epochs": 30,  # after 25 one seed of three had not yet found the pitch
    "sampling_speed": 4.3,
}
# The lowest notes are in few scales: of 26 that begin two semitones below the range, some seeds never learned them.
MANY_SCALES = {"scales": 104, "margin": 4.0}
QUICK_VIDEO = {**SHORT, **FRAMES, "channels": (8, 16, 32)}
FAST_MUSIC = {**LONG, **NOTES, "channels": (16, 16, 32, 32), "decoder_units": (16, 64, 256, 512), "batch_size": 16}
FAST_VIDEO = {**LONG, **FRAMES, "channels": (16, 32, 64), "epochs": 200}
PAPER_MUSIC = {"epochs": 150, "epoch_steps": 100, "batch_size": 20}
PAPER_VIDEO = {"epochs": 150, "epoch_steps": 1000, "batch_size": 32}
# Sounds and videos of one's own have the recipe of their domain, without the options of the data that are rendered.
PRESETS = {
    # Minutes on two cores.
    "quick": {
        **QUICK,
        "epochs": 25,
        "by_data": {
            "scales": {**QUICK_MUSIC, **MANY_SCALES},
            "ball": {**QUICK_VIDEO, "trajectories": 256},
            "notes": QUICK_MUSIC,
            "videos": QUICK_VIDEO,
        },
    },
    # About an hour.
    "fast": {
        **QUICK,
        "epochs": 100,
        "by_data": {
            "scales": {**FAST_MUSIC, **MANY_SCALES},
            "ball": {**FAST_VIDEO, "trajectories": 512},
            "notes": FAST_MUSIC,
            "videos": FAST_VIDEO,
        },
    },
    # The published recipe; for a GPU.
    "paper": {
        **PUBLISHED,
        "by_data": {
            "scales": {**PAPER_MUSIC, "fractional": False},
            "ball": {**PAPER_VIDEO, "trajectories": 512},
            "notes": PAPER_MUSIC,
            "videos": PAPER_VIDEO,
        },
    },
}

SMALLEST = {
    "data": "ball",
    "trajectories": 6,
    "test_trajectories": 6,
    "frames": 7,
    "epochs": 2,
    "epoch_steps": 2,
    "batch_size": 4,
    "channels": (2, 2, 3),
    "decoder_units": (4,),
    "prior_units": 4,
    "copies": 1,
    "pictures_every": 0,
    "watch_every": 0,
}


@dataclass(frozen=True)
class SPSSettings(Options):
    """What a model of physical symmetry is made of; see `families.sps.model.SPS`."""

    latents: int | None = option(None, "d, numbers in a code (default: 1 for music, 3 for video)", least=1, most=4096)
    dynamic: int | None = option(None, "p, those that move; the others are style (default: as --latents)", least=1)
    copies: int | None = option(
        None, "K, group elements a sequence a step (default: 4 music, 1 video)", least=0, most=64
    )
    group: str | None = option(None, "symmetry: r1 r2-so2 r1-so2 r3-so2 r2-so3 so2 r2 (default: the domain's)")
    sampler: str = option("correct", "noise of the codes: correct, or as published", choices=("correct", "faithful"))
    symm_prior: str = option("auto", "compare the prior's predictions too", choices=("auto", "yes", "no"))
    against_prior: bool = option(False, "hold the symmetry to the prior's prediction, not to the code")
    repeat_style: bool = option(True, "repeat the style of one frame in the reconstruction too")
    base_len: int | None = option(None, "frames whose true codes the prior sees (default: 3 music, 5 video)", least=1)
    kld_weight: float = option(0.01, "weight of the KL divergence", least=0)
    prior_weight: float = option(2.0, "w_r, weight of the prior's error on codes", least=0)
    symmetry_weight: float | None = option(None, "w_s, of the symmetry on codes (default: 4 music, 2 video)", least=0)
    sampling_speed: float = option(1.0, "steps of the published schedule of fed-back codes in one step", least=0)
    channels: tuple[int, ...] | None = option(None, "of the encoder's convolutions (default: as published)", least=1)
    decoder_units: tuple[int, ...] | None = option(
        None, "of the decoder's dense layers (default: as published)", least=1
    )
    prior_units: int = option(256, "units of the recurrent prior", least=1, most=4096)
    prior_layers: int = option(1, "layers of the recurrent prior", least=1, most=8)
    prior_cell: str = option("rnn", "cell of the recurrent prior", choices=("rnn", "gru"))
    initial_weights: str = option("he", "weight initialisation: He-uniform or PyTorch's", choices=("he", "pytorch"))
    log_var_bias: float = option(-3.0, "initial log-variance of the codes, with --initial-weights he")
    input_scale: float = option(8.0, "factor of the encoder's input", above=0)
    center: bool = option(False, "take the mean frame off the input, and let the decoder begin with it")
    epoch_steps: int = option(100, "steps of an epoch", least=1)
    window: int | None = option(None, "frames of a training sequence, cut out at random (default: all)", least=2)


def check(settings):
    """InputError for options that contradict each other."""
    without = settings.model in ("sps-vae-nosymmetry", "beta-vae-frames")
    if without and settings.copies:
        raise InputError(f"--copies is {settings.copies}, and {settings.model} has no symmetry; take --model sps")
    if (without or settings.copies == 0) and settings.symmetry_weight:
        raise InputError(
            f"--symmetry-weight is {settings.symmetry_weight:g} without a copy to weigh; leave it out or raise --copies"
        )
    if settings.latents is not None and settings.dynamic is not None and settings.dynamic > settings.latents:
        raise InputError(f"--dynamic is {settings.dynamic}; it must be at most --latents, {settings.latents}")
