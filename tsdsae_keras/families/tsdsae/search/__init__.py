"""What models of the TS-DSAE family can be searched for, and over what. Light: no backend is loaded."""

from tsdsae_keras.search.card import SearchCard

PARTS = ("reconstruction", "restored", "use", "v_follows", "z_stays")
JUDGED = ("judge_f1_global", "judge_f1_local")
SHARES = (0.07, 0.15, 0.3)  # of the epochs, stage 1 in the space "full"


def zdim(base):
    """The dimensions of z alone."""
    return {"z_dim": [8, 16, 32, 64]}


def full(base):
    """All that matters."""
    first = sorted({max(1, round(share * base.epochs)) for share in SHARES} - {base.epochs})
    return {
        "z_dim": [8, 16, 32, 64],
        "v_dim": [8, 16, 32],
        "units": [32, 64, 128],
        "local_encoder": ["factorised", "full"],
        "global_encoder": ["frame", "sequence"],
        "decoder": ["frame", "sequence"],
        "swap_weight": [0.3, 1.0, 3.0],
        "learning_rate": {"min": 1e-3, "max": 1e-2, "log": True},
        "batch_size": [16, 32, 64],
        "stage_two_at": first,
    }


def shorten(settings, epochs):
    """Settings of a run of `epochs` epochs, at least 2, stage 1 taking the same share, at least one, of them."""
    stage_one = max(1, min(epochs - 1, round(settings.stage_two_at * epochs / settings.epochs)))
    return settings.replace(epochs=epochs, stage_two_at=stage_one)


SEARCH = SearchCard(
    objectives={"balanced": "max", "labelled": "max"},
    selection="val_elbo",
    spaces={"zdim": zdim, "full": full},
    sizes=("z_dim", "v_dim"),
    measures=("balanced", *PARTS, *JUDGED),
    unit_measures=("balanced", "labelled", *PARTS),
    scorer="search.scoring:Scorer",
    agreement=("balanced", ("swap_f1_global", "swap_f1_local", *JUDGED)),
    shorten=shorten,
    page="search.page:page_parts",
)
