"""Wall time until a run is good: validation reconstruction low enough, all swap scores high enough.

    python benchmarks/quality.py runs/ONE runs/OTHER --picture quality.png --out quality.json
    python benchmarks/quality.py --train runs/NEW -- --preset quick --backend jax

The second form starts `train.py` with the options after `--` and reads the clock itself. Of several runs it also says
when each came to the reconstruction that all reached, and its kl_z there. See README.md.
"""

import argparse
import csv
import json
import sys
from itertools import accumulate, zip_longest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.clock import lines_of_training
from benchmarks.step import write
from tsdsae_keras.training.run import RunFolder

SCORES = ("swap_f1", "judge_f1")  # by the own encoder, by the independent judge
SWAPS = ("pre", "global", "local")


def study(folder, recon=0.30, score=0.99, clock=None, pace=None):
    """When a finished run was good.

    Args:
        folder: of the run.
        recon: the validation reconstruction to reach, or below.
        score: which every swap score of the run's model must reach.
        clock: seconds from the start of the process to each epoch's end, where they were read; else they are put
            together from `seconds.json`: the epochs so far, and all that training spent between epochs, so that a
            time is at most that, preparing the data left out.
        pace: seconds of an epoch in stage 1 and in stage 2, in place of the run's own times: those of a machine at
            rest, of a run that shared its machine.

    Returns:
        A dict: "epochs" (seconds, stage, validation reconstruction and kl_z of each), "reached" (number of the first
        epoch of the last stage that is low enough, from 1, or None), "seconds" until its end (None where it or the
        scores are wanting), "scores" of the model that was kept, "lowest" of them, "whole" (seconds of the run).

    Raises:
        SystemExit: the folder holds no finished run.
    """
    run = RunFolder(folder)
    for file in (run.history, run.seconds, run.evaluation):
        if not file.is_file():
            raise SystemExit(f"error: {folder} holds no finished run: there is no {file.name}; finish it first")
    rows = list(csv.DictReader(run.history.open(encoding="utf-8")))
    spent = json.loads(run.seconds.read_text(encoding="utf-8"))
    found = json.loads(run.evaluation.read_text(encoding="utf-8"))
    epochs = {
        "seconds": clock or (_pace_ends(rows, pace) if pace else _latest_ends(spent)),
        "stage": [int(row["stage"]) for row in rows],
        "val_recon": [float(row["val_recon"]) for row in rows],
        "val_kl_z": [float(row["val_kl_z"]) for row in rows],
    }
    good = first_at(epochs, recon)
    scores = {f"{name} {swap}": found[name][swap] for name in SCORES if name in found for swap in SWAPS}
    lowest = min(scores.values(), default=None)
    fine = good is not None and lowest is not None and lowest >= score
    return {
        "run": Path(folder).name,
        "backend": run.read_settings()["settings"].get("backend"),
        "epochs": epochs,
        "reached": None if good is None else good + 1,
        "seconds": epochs["seconds"][good] if fine else None,
        "scores": scores,
        "lowest": lowest,
        "test_recon": found["reconstruction"]["mse"],
        "whole": sum(spent[name] for name in ("prepare", "train", "evaluate")),
        "clock": "read" if clock else "by the pace given" if pace else "at most, from seconds.json",
    }


def _last_stage(epochs):
    """The validation reconstructions of the last stage."""
    pairs = zip(epochs["stage"], epochs["val_recon"], strict=True)
    return [recon for stage, recon in pairs if stage == epochs["stage"][-1]]


def first_at(epochs, recon):
    """Index of the first epoch of the last stage whose validation reconstruction is at most `recon`, or None."""
    found = _last_stage(epochs)
    before = len(epochs["stage"]) - len(found)
    return next((before + i for i, value in enumerate(found) if value <= recon), None)


def _pace_ends(rows, pace):
    """Seconds to the end of each epoch, where those of a stage take the seconds that are given."""
    return [round(until, 3) for until in accumulate(pace[int(row["stage"]) - 1] for row in rows)]


def _latest_ends(spent):
    """Seconds from the start of training to the end of each epoch, at most; exact at the last."""
    between = max(0.0, spent["train"] - sum(spent["epochs"]))  # a resumed run knows only what it spent itself
    return [round(between + until, 3) for until in accumulate(spent["epochs"])]


def train(folder, options):
    """Runs `train.py` and returns the seconds from its start to the end of each epoch, by the lines it prints.

    Raises:
        SystemExit: it failed.
    """
    clock = []
    for seconds, line in lines_of_training([*options, "--out", str(folder)]):
        print(line, end="", flush=True)
        if line.startswith("epoch "):
            clock.append(round(seconds, 3))
    return clock


def table(studies, recon, score):
    """The studies as aligned text."""
    width = max(len(each["run"]) for each in studies)
    columns = ("backend", f"recon<={recon:g}", "lowest score", "seconds", "test recon", "whole run")
    lines = [" " * width + "".join(f"{name:>14}" for name in columns)]
    for each in studies:
        epoch = "never" if each["reached"] is None else f"epoch {each['reached']}"
        cells = [each["backend"], epoch, *(_cell(each[name]) for name in ("lowest", "seconds", "test_recon", "whole"))]
        lines.append(f"{each['run']:<{width}}" + "".join(f"{cell:>14}" for cell in cells))
    lines.append(f"seconds: to the end of that epoch, where all swap scores of the model kept are at least {score:g}")
    return "\n".join(lines)


def comparison(studies):
    """The runs at the lowest reconstruction that all reached in their last stage: epoch, seconds, kl_z."""
    lowest = [min(_last_stage(each["epochs"])) for each in studies]
    level = max(lowest)
    lines = [f"at the reconstruction that all reached, {level:.4g}: epoch, seconds until its end, validation kl_z"]
    for each in studies:
        epochs, i = each["epochs"], first_at(each["epochs"], level)
        cells = (i + 1, epochs["seconds"][i], epochs["val_kl_z"][i])
        lines.append(f"{each['run']:<24}" + "".join(f"{cell:>14.5g}" for cell in cells))
    return "\n".join(lines)


def _cell(value):
    return "-" if value is None else f"{value:.4g}"


def picture(studies, recon):
    """Validation reconstruction against minutes, a curve a run, with the line to reach; a matplotlib figure."""
    from tsdsae_keras.report.figures import new_figure, palette, shorten

    figure = new_figure(8.0, 4.2)
    axes = figure.subplots()
    for each, colour in zip(studies, palette(len(studies)), strict=True):
        minutes = [seconds / 60 for seconds in each["epochs"]["seconds"]]
        axes.plot(minutes, each["epochs"]["val_recon"], color=colour, label=shorten(each["run"]), marker=".")
    axes.axhline(recon, color="0.35", linestyle=":", linewidth=1)
    axes.set(xlabel="minutes", ylabel="validation reconstruction (MSE)", yscale="log", xlim=(0, None))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes.get_legend_handles_labels(), loc="outside right upper", frameon=False)
    return figure


def main(arguments=None):
    """Reads the runs that are named, and the one that it starts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="*", help="finished run folders")
    parser.add_argument("--train", metavar="RUN", help="start a run in this new folder, with the options after --")
    parser.add_argument("--recon", type=float, default=0.30, help="validation reconstruction to reach (default: 0.30)")
    parser.add_argument("--score", type=float, default=0.99, help="every swap score to reach (default: 0.99)")
    pace = "seconds of an epoch in stage 1 and 2, for the runs in order, in place of their own times"
    parser.add_argument("--pace", nargs=2, type=float, action="append", default=[], metavar=("S1", "S2"), help=pace)
    parser.add_argument("--picture", metavar="PNG", help="curves against wall time")
    parser.add_argument("--out", metavar="FILE", help="a JSON file of all that was measured")
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    at = arguments.index("--") if "--" in arguments else len(arguments)
    options, passed_on = parser.parse_args(arguments[:at]), arguments[at + 1 :]
    if not options.runs and not options.train:
        parser.error("give run folders, or --train RUN -- OPTIONS")
    paced = zip_longest(options.runs, options.pace[: len(options.runs)])
    studies = [study(folder, options.recon, options.score, pace=pace) for folder, pace in paced]
    if options.train:
        clock = train(options.train, passed_on)
        studies.append(study(options.train, options.recon, options.score, clock))
    print(table(studies, options.recon, options.score))
    if len(studies) > 1:
        print(comparison(studies))
    if options.picture:
        from tsdsae_keras.report.figures import png_bytes

        Path(options.picture).write_bytes(png_bytes(picture(studies, options.recon)))
        print(f"written: {options.picture}")
    if options.out:
        write(options.out, recon=options.recon, score=options.score, runs=studies)


if __name__ == "__main__":
    main()
