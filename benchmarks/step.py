"""Seconds of a training step: this library on each backend and plain PyTorch, taking turns.

    python benchmarks/step.py --backends tensorflow jax torch --stages 1 2 --out step.json
    python benchmarks/step.py --family slowvae
    python benchmarks/step.py --family cpd --data sprites
    python benchmarks/step.py --family sps
    python benchmarks/step.py --family selfie

See README.md for what is timed and how.
"""

import argparse
import json
import shutil
import statistics
import sys
import time
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contestants import Contestant, Race
from benchmarks.machine import machine
from benchmarks.run_race import family_settings, open_views

COMPILERS = ("g++", "clang++", "c++")
COLUMNS = ("seconds a step", "lowest", "highest", "times peer", "lowest", "highest", "memory (MB)", "first epoch (s)")


def peers(race, kinds):
    """Races of plain PyTorch on the sizes of `race`: with 1 and all its threads, and as `kinds` says."""
    changes = {"plain": {}, **{kind: {kind: True} for kind in ("compiled", "whole", "kept", "shared")}}
    threads = sorted({1, race.threads})
    return [replace(race, kind="peer", threads=n, **changes[kind]) for kind, n in product(kinds, threads)]


def race_all(races, rounds, say=print):
    """Runs races in turns, each in its own process: an epoch that is not timed, then `rounds` that are.

    Returns:
        A list of dicts, one a race: its settings, "name", "seconds" (of a step of one model, one value a round),
        "first" (seconds of the first epoch, compilation included), "loss", "device", "memory"; or "error".
    """
    contestants = [Contestant(race) for race in races]
    try:
        epochs = [_turn(contestants, number, say) for number in range(rounds + 1)]
    finally:
        for contestant in contestants:
            contestant.end()
    return [_result(contestant, [epoch[i] for epoch in epochs]) for i, contestant in enumerate(contestants)]


def _turn(contestants, number, say):
    """An epoch of each; who is first changes from round to round. Answers in the order of the contestants."""
    answers, n = {}, len(contestants)
    for i in sorted(range(n), key=lambda i: (i - number) % n):
        answers[i] = contestants[i].epoch()
        if answers[i] is not None:
            answers[i] = dict(answers[i])
        elif number == 0:
            say(f"{contestants[i].race.name}: {contestants[i].error}")
    return [answers[i] for i in range(n)]


def _result(contestant, epochs):
    settings = {**vars(contestant.race), "name": contestant.race.name}
    if contestant.error:
        return settings | {"error": contestant.error}
    first, *timed = epochs
    steps = contestant.race.steps * (contestant.race.models or 1)
    seconds = [epoch["seconds"] / steps for epoch in timed]
    last = {name: timed[-1][name] for name in ("loss", "device", "memory")}
    return settings | {"seconds": seconds, "first": first["seconds"], **last}


def with_ratios(results):
    """The results with "ratio" to the fastest peer: seconds of each round divided by its seconds in that round.

    Rounds are compared one by one because what slows a machine for a while slows all who take turns in it. The
    fastest peer is the one of the lowest median. Without a peer there are no ratios.
    """
    timed = [result for result in results if "seconds" in result]
    rivals = [result for result in timed if result["kind"] == "peer"]
    if rivals:
        best = min(rivals, key=lambda result: statistics.median(result["seconds"]))
        for result in timed:
            pairs = zip(result["seconds"], best["seconds"], strict=True)
            result["ratio"], result["against"] = [own / other for own, other in pairs], best["name"]
    return results


def table(results):
    """Results as aligned text, a line each: medians over the rounds with the lowest and the highest."""
    width = max(len(result["name"]) for result in results)
    lines = [" " * width + "".join(f"{name:>17}" for name in COLUMNS)]
    for result in results:
        if "error" in result:
            lines.append(f"{result['name']:<{width}}  failed: {result['error']}")
            continue
        spread = [*_spread(result["seconds"]), *_spread(result.get("ratio"))]
        cells = [*spread, result["memory"] / 1e6, result["first"]]
        lines.append(f"{result['name']:<{width}}" + "".join(map(_cell, cells)))
    return "\n".join(lines)


def _spread(values):
    return (statistics.median(values), min(values), max(values)) if values else (None,) * 3


def _cell(value):
    return f"{'-' if value is None else f'{value:.4g}':>17}"


def write(path, **content):
    """Writes a JSON file, the machine added."""
    Path(path).write_text(json.dumps({"machine": machine(), **content}, indent=1) + "\n")
    print(f"written: {path}")


def add_common(parser):
    """The options that `step.py` and `scaling.py` share."""
    backends = ("tensorflow", "jax", "torch")
    parser.add_argument("--backends", nargs="*", choices=backends, default=list(backends))
    kinds = ["plain", "compiled", "whole", "kept", "shared"]
    usual = kinds if any(map(shutil.which, COMPILERS)) else [kind for kind in kinds if kind != "compiled"]
    text = "plain PyTorch: plain, through torch.compile, with whole second passes, with memory kept, with shared pairs"
    parser.add_argument("--peers", nargs="*", choices=kinds, default=usual, help=text)
    parser.add_argument("--steps", type=int, default=12, help="of an epoch (default: 12)")
    parser.add_argument("--rounds", type=int, default=5, help="timed epochs of each (default: 5)")
    parser.add_argument("--threads", type=int, default=2, help="of each contestant (default: 2)")
    parser.add_argument("--tf32", action="store_true", help="let a GPU round factors (default: all in full float32)")
    parser.add_argument("--out", metavar="FILE", help="a JSON file of all that was measured")


def race_slowvae(options):
    """The results of SlowVAE on dSprites, 64 frames a step, z of 10 dimensions."""
    return _race_family(options, Race("peer", family="slowvae", z_dim=10, **_sizes(options)))


def race_cpd(options):
    """The results of class-pose decomposition on a data set of poses, 64 triples a step, the quick preset's encoder."""
    race = Race("peer", family="cpd", data=options.data or "sprites", **_sizes(options))
    return _race_family(options, race, share_of_rendering)


def race_sps(options):
    """The results of physical symmetry on scales: batch, widths and K of the quick preset."""
    return _race_family(options, Race("peer", family="sps", **_sizes(options, batch=8)))


def race_selfie(options):
    """The results of SELFIE-style pre-training, 64 clips a step, the small encoder."""
    race = Race("peer", family="selfie", **_sizes(options))
    return _race_family(options, race, share_of_views)


def _sizes(options, batch=64):
    return {"batch": batch, "clips": batch * options.steps, "threads": options.threads, "tf32": options.tf32}


def _race_family(options, race, share=None):
    """The results; `share` gives a line on what feeds a step, from the race and the seconds of the fastest step."""
    own = [replace(race, kind=kind) for kind in options.backends]
    kinds = [kind for kind in options.peers if kind in ("plain", "compiled")]
    results = with_ratios(race_all(own + peers(race, kinds), options.rounds))
    print(table(results), flush=True)
    seconds = [statistics.median(each["seconds"]) for each in results if each["kind"] != "peer" and "seconds" in each]
    if share and seconds:
        print(share(race, min(seconds)), flush=True)
    return results


def share_of_rendering(race, step):
    """A line: how long it takes to render the images of a run and to pair those of a step, next to the step's seconds.

    The images of a run are those of the quick preset, its steps too.
    """
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.settings import with_preset

    data, usual = open_data(family_settings(race)), with_preset({"model": race.family, "data": race.data})
    start = time.perf_counter()
    images = len(data.pool("train").images)
    rendering = (time.perf_counter() - start) / images * (usual.images + 2 * usual.held_out)
    a_step = rendering / (usual.epochs * usual.epoch_steps)
    start = time.perf_counter()
    for seed in range(20):
        data.triples("train", np.random.default_rng(seed), race.batch)
    pairing = (time.perf_counter() - start) / 20
    return (
        f"rendering {1e3 * a_step:.2f} ms a step, {a_step / step:.3f} of the fastest; pairing {1e3 * pairing:.2f} ms, "
        f"{pairing / step:.3f}, most of it while the step is computed"
    )


def share_of_views(race, step):
    """A line: how long both views of a batch take to be made, while the step before is computed, and their share."""
    views = open_views(race)
    views.make(0, 0)  # draws the epoch's clips
    start = time.perf_counter()
    for number in range(1, race.steps):
        views.make(0, number)
    making = (time.perf_counter() - start) / (race.steps - 1)
    return f"views {1e3 * making:.2f} ms a step, {making / step:.3f} of the fastest, made while a step is computed"


FAMILIES = {"slowvae": race_slowvae, "cpd": race_cpd, "sps": race_sps, "selfie": race_selfie}


def main(arguments=None):
    """Measures what the options ask for, each combination on its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_common(parser)
    parser.add_argument("--family", choices=("tsdsae", *FAMILIES), default="tsdsae")
    parser.add_argument("--stages", nargs="+", type=int, choices=(1, 2), default=[1, 2])
    parser.add_argument("--frames", type=int, default=251, help="of a sequence (default: 251)")
    text = "a prepared folder (default: made-up sequences); of cpd a data set (default: sprites)"
    parser.add_argument("--data", help=text)
    parser.add_argument("--batch", nargs="+", type=int, default=[128])
    parser.add_argument("--z-dim", nargs="+", type=int, default=[16])
    pairs = "of the library's swaps (default: independent)"
    parser.add_argument("--pairs", nargs="+", choices=("independent", "shared"), default=["independent"], help=pairs)
    text = "numbers of models that JAX trains in one program, timed with the others"
    parser.add_argument("--models", nargs="+", type=int, default=[], help=text)
    parser.add_argument("--precision", nargs="+", choices=("float32", "mixed_bfloat16"), default=["float32"])
    options = parser.parse_args(arguments)
    groups = [] if options.family == "tsdsae" else [FAMILIES[options.family](options)]
    if groups:
        options.stages = []
    for stage, batch, z_dim, precision in product(options.stages, options.batch, options.z_dim, options.precision):
        race = Race(
            "peer",
            stage=stage,
            batch=batch,
            z_dim=z_dim,
            precision=precision,
            clips=options.steps * batch,
            **{name: getattr(options, name) for name in ("frames", "threads", "tf32", "data")},
        )
        print(f"\nstage {stage}, batch {batch}, z_dim {z_dim}, {precision}", flush=True)
        pairs = options.pairs if stage == 2 else ["independent"]  # stage 1 has no swaps
        own = [replace(race, kind=kind, shared=how == "shared") for how in pairs for kind in options.backends]
        own += [replace(race, kind="jax", shared=how == "shared", models=n) for how in pairs for n in options.models]
        races = own + peers(race, [kind for kind in options.peers if kind != "shared" or stage == 2])
        groups.append(with_ratios(race_all(races, options.rounds)))
        print(table(groups[-1]), flush=True)
    if options.out:
        write(options.out, results=[result for group in groups for result in group])


if __name__ == "__main__":
    main()
