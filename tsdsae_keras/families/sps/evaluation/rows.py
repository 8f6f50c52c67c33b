"""Scores as rows of a table."""

from tsdsae_keras.report.table import format_row, number_text

TITLES = {
    "embedding_train_first": ("embedding R², training, first notes", "higher", "code against true pitch"),
    "embedding_train_all": ("embedding R², training, all notes", "higher", ""),
    "embedding_test_first": ("embedding R², test, first notes", "higher", "as published, on other fractions"),
    "embedding_test_all": ("embedding R², test, all notes", "higher", ""),
    "synthesis": ("synthesis R²", "higher", "pitch of what 30 codes on a grid sound like, Griffin-Lim power 1"),
    "synthesis_without_slips": ("synthesis R², octave slips apart", "higher", ""),
    "synthesis_cents": ("deviation from the line, cents", "lower", "octave slips apart"),
    "synthesis_published": ("synthesis R², Griffin-Lim power 2", "higher", "as in the published code"),
    "synthesis_published_without_slips": ("the same, octave slips apart", "higher", ""),
    "transposition_cents": ("intervals of shifted scales, cents", "lower", "codes of a scale shifted by -2 to 2"),
    "transposition_slips": ("octave slips of shifted scales", "lower", "share of notes"),
    "probe_mean": ("linear probe, mean of the axes", "lower", "fitted on training, scored on test"),
    "probe_x": ("linear probe, x", "lower", ""),
    "probe_y": ("linear probe, y", "lower", ""),
    "probe_z": ("linear probe, z", "lower", ""),
    "own_latents_x": ("x from latents 0 and 2", "lower", "what the group's own axes hold"),
    "own_latents_y": ("y from latent 1", "lower", ""),
    "own_latents_z": ("z from latents 0 and 2", "lower", ""),
    "recon": ("reconstruction, nats a frame", "lower", "above the frames' entropy; worst is the mean frame"),
    "imagined": ("roll-out, nats a frame", "lower", "the same of what is imagined after the first frames"),
    "code_error": ("roll-out, error of standardised codes", "lower", "small too for codes that hardly move"),
    "commutation": ("S⁻¹ R(S z) against R(z), standardised codes", "lower", "how far the prior commutes"),
    "z_std": ("standard deviation of the codes", "higher", "near 0: collapsed"),
}
GROUPS = {
    "pitch": ("embedding", "synthesis", "transposition"),
    "place": ("probe", "own"),
    "prediction": ("recon", "imagined", "code_error", "commutation", "z_std"),
}


def groups(result):
    """The scores as groups of rows of a page."""
    found = [(title, [name for name in TITLES if name.startswith(starts)]) for title, starts in GROUPS.items()]
    kept = [(title, [name for name in names if name in result["scores"]]) for title, names in found]
    return [
        {"group": title, "rows": [_row(name, result["scores"][name]) for name in names]}
        for title, names in kept
        if names
    ]


def rows(result):
    """The scores as rows of `report.table`."""
    return [row for group in groups(result) for row in group["rows"]]


def _row(name, found):
    title, direction, note = TITLES[name]
    slips = f"{found['slips']} slips of {found['n'] + found['slips']}" if "slips" in found else ""
    # Of nats the mean frame is the worst, whatever an untrained decoder makes of them.
    nats = name in ("recon", "imagined")
    worst = found["worst"] if nats else found["untrained"]
    notes = (slips, note, f"untrained {number_text(found['untrained'])}" if nats else "")
    known = {key: found[key] for key in ("value", "interval", "best")}
    return {"name": title, **known, "worst": worst, "direction": direction, "note": "; ".join(filter(None, notes))}


def table(result):
    """The scores as a small aligned text table."""
    cells = [format_row(row) for row in rows(result)]
    lines = [f"{'':<46}{'value':>9}{'worst':>9}{'best':>9}   interval"]
    lines += [f"{c['name']:<46}{c['value']:>9}{c['worst']:>9}{c['best']:>9}   {c['interval']}" for c in cells]
    note = "worst: an untrained model; of nats, the mean frame"
    return "\n".join([*lines, f"{result['n']} test sequences; {note}"])
