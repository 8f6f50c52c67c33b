"""How the seconds of a step, and memory, grow with frames, batch, z_dim and the number of clips.

    python benchmarks/scaling.py --backends tensorflow --frames 63 125 251 502 --out scaling.json

One size changes at a time, the others keep their usual value. See README.md.
"""

import argparse
import math
import statistics
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.contestants import Race
from benchmarks.step import add_common, peers, race_all, with_ratios, write

USUAL = {"batch": 128, "z_dim": 16}
SIZES = {
    "frames": (63, 125, 251, 502),
    "batch": (32, 64, 128, 256),
    "z_dim": (4, 16, 64),
    "clips": (512, 1024, 2048, 4096),
}


def exponent(sizes, values):
    """The a of value = c size^a by least squares on logarithms: 0 constant, 1 proportional; None for one size."""
    x, y = ([math.log(each) for each in column] for column in (sizes, values))
    return statistics.linear_regression(x, y).slope if len(set(x)) > 1 else None


def races_of(axis, sizes, usual, steps):
    """{size: race}: `usual` with another size; an epoch has `steps` steps where it is not the clips that change."""
    if axis == "clips":
        return {size: replace(usual, clips=max(size, usual.batch)) for size in sizes}
    races = {size: replace(usual, **{axis: size}) for size in sizes}
    return {size: replace(race, clips=steps * race.batch) for size, race in races.items()}


def summary(axis, by_size):
    """{name: {"seconds": {size: median}, "memory": {size: bytes}, "exponent": of the seconds}}; failures left out."""
    found = {}
    for size, results in by_size.items():
        for result in results:
            if "seconds" in result:
                entry = found.setdefault(result["name"], {"axis": axis, "seconds": {}, "memory": {}})
                entry["seconds"][size] = statistics.median(result["seconds"])
                entry["memory"][size] = result["memory"]
    for entry in found.values():
        entry["exponent"] = exponent(entry["seconds"].keys(), entry["seconds"].values())
    return found


def lines(axis, found):
    """The summary as aligned text: seconds a step (memory in MB) for each size, then the exponent."""
    width = max(map(len, found), default=0)
    for name, entry in found.items():
        each = ((seconds, entry["memory"][size] / 1e6) for size, seconds in entry["seconds"].items())
        cells = (f"{seconds:.4g} s ({megabytes:.0f} MB)" for seconds, megabytes in each)
        power = "" if entry["exponent"] is None else f"  ~ {axis}^{entry['exponent']:.2f}"
        yield f"{name:<{width}}" + "".join(f"{cell:>22}" for cell in cells) + power


def main(arguments=None):
    """Measures along the axes that the options name."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add_common(parser)
    parser.set_defaults(peers=["plain"], rounds=3)
    parser.add_argument("--axes", nargs="+", choices=tuple(SIZES), default=list(SIZES))
    parser.add_argument("--stage", type=int, choices=(1, 2), default=2)
    for axis, sizes in SIZES.items():
        text = f"sizes to try (default: {' '.join(map(str, sizes))})"
        parser.add_argument(f"--{axis.replace('_', '-')}", nargs="+", type=int, default=list(sizes), help=text)
    options = parser.parse_args(arguments)
    usual = Race("peer", stage=options.stage, threads=options.threads, tf32=options.tf32, **USUAL)
    content = []
    for axis in options.axes:
        sizes, by_size = getattr(options, axis), {}
        for size, race in races_of(axis, sizes, usual, options.steps).items():
            races = [replace(race, kind=kind) for kind in options.backends] + peers(race, options.peers)
            by_size[size] = with_ratios(race_all(races, options.rounds))
        print(f"\n{axis}: " + " ".join(map(str, by_size)), *lines(axis, summary(axis, by_size)), sep="\n", flush=True)
        content += [{"axis": axis, "size": size, **result} for size, found in by_size.items() for result in found]
    if options.out:
        write(options.out, results=content)


if __name__ == "__main__":
    main()
