"""Clips a second: rendering, features, both as `prepare` does them, opening and reading a prepared folder.

    python benchmarks/data.py --clips 200 --workers 1 2 --out data.json

See README.md.
"""

import argparse
import functools
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.step import write


def time_jobs(rounds, jobs, clips):
    """{name: {"clips_a_second": [of each round]}}: jobs, functions by name, take turns; the first turn is not timed."""
    found = {name: {"clips_a_second": []} for name in jobs}
    for number in range(rounds + 1):
        for name, job in jobs.items():
            start = time.perf_counter()
            job()
            if number:
                found[name]["clips_a_second"].append(clips / (time.perf_counter() - start))
    return found


def time_making(clips, workers, rounds, kind="auto", soundfont=None):
    """Rates of making: "render" (notes to samples), "features" (samples to log-mel), "both", for each `workers`."""
    from joblib import Parallel, delayed

    from tsdsae_keras.data.audio.logmel import FrontEnd
    from tsdsae_keras.data.audio.synthesis import open_synth
    from tsdsae_keras.data.sets.cards.dmelodies import MelodySettings
    from tsdsae_keras.data.sets.dmelodies import draw_examples
    from tsdsae_keras.data.sets.melodies import SECONDS, notes_of, timed_notes

    settings, front_end = MelodySettings(), FrontEnd()
    rows, players = draw_examples(settings)["train"]
    notes, players = notes_of(rows[:clips]), players[:clips]
    with open_synth(kind, settings.programs, soundfont, front_end.sample_rate) as synth:
        synth.load()

        def render(row, player):
            return synth.render(timed_notes(row), settings.programs[player], SECONDS)

        def both(row, player):
            return front_end.log_mel(render(row, player))

        samples = [render(*pair) for pair in zip(notes, players, strict=True)]
        jobs = {}
        for n in workers:
            run = Parallel(n_jobs=n, prefer="threads")
            played = list(zip(notes, players, strict=True))
            for name, function, items in (
                *(("render", render, played), ("both", both, played)),
                ("features", front_end.log_mel, [(each,) for each in samples]),
            ):
                calls = [delayed(function)(*each) for each in items]
                jobs[f"{name}, threads {n}"] = functools.partial(run, calls)
        return time_jobs(rounds, jobs, len(samples)), synth.describe()["name"]


def time_reading(folder, rounds, batch=128):
    """Rates of reading a prepared folder: "open" (hashes compared), "load" (into memory), "batches" (tf.data)."""
    import keras  # noqa: F401 - with PyTorch underneath, torch must be imported before tensorflow

    from tsdsae_keras.data.prepared.pipeline import SequenceStream
    from tsdsae_keras.data.prepared.store import PreparedData

    data = PreparedData(folder)
    x = data.features("train")
    stream = SequenceStream(x, min(batch, len(x)), training=True)

    def batches():
        return sum(len(part) for part in stream.dataset)

    in_all = sum(data.counts.values())
    found = time_jobs(rounds, {"open": lambda: PreparedData(folder)}, in_all)
    found |= time_jobs(rounds, {"load": lambda: data.features("train")}, len(x))
    return found | time_jobs(rounds, {"batches": batches}, stream.batches * stream.batch_size)


def time_preparing(clips, workers, kind, soundfont, folder):
    """(path, {"prepare": rate}) of `prepare` from nothing, with all the threads asked for; once, for it writes."""
    from tsdsae_keras.data.sets.cards.dmelodies import MelodySettings
    from tsdsae_keras.data.sets.dmelodies import prepare_melodies

    start = time.perf_counter()
    own = {"cache": folder, "workers": max(workers)}
    path = prepare_melodies(MelodySettings(melodies=clips, synth=kind, soundfont=soundfont, **own)).folder
    return path, {f"prepare, threads {max(workers)}": {"clips_a_second": [clips / (time.perf_counter() - start)]}}


def table(found):
    """Rates as aligned text: the median over the rounds, the lowest and the highest."""
    width = max(map(len, found))
    lines = [" " * width + "".join(f"{name:>16}" for name in ("clips a second", "lowest", "highest"))]
    for name, result in found.items():
        rates = result["clips_a_second"]
        cells = (statistics.median(rates), min(rates), max(rates))
        lines.append(f"{name:<{width}}" + "".join(f"{value:>16.4g}" for value in cells))
    return "\n".join(lines)


def main(arguments=None):
    """Measures all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clips", type=int, default=200, help="of four seconds (default: 200)")
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 2], help="threads to try (default: 1 2)")
    parser.add_argument("--rounds", type=int, default=3, help="timed turns of each (default: 3)")
    parser.add_argument("--batch", type=int, default=128, help="of reading (default: 128)")
    parser.add_argument("--synth", choices=("auto", "fluidsynth", "additive"), default="auto")
    parser.add_argument("--soundfont", help="for FluidSynth")
    parser.add_argument("--data", help="a prepared folder to read (default: one made for this)")
    parser.add_argument("--out", metavar="FILE", help="a JSON file of all that was measured")
    options = parser.parse_args(arguments)
    workers, font = options.workers, options.soundfont
    found, synth = time_making(options.clips, workers, options.rounds, options.synth, font)
    with tempfile.TemporaryDirectory() as folder:
        path = options.data
        if path is None:
            path, rate = time_preparing(options.clips, workers, synth, font, folder)
            found |= rate
        found |= time_reading(path, options.rounds, options.batch)
    print(f"{options.clips} clips, synth {synth}\n{table(found)}")
    if options.out:
        write(options.out, clips=options.clips, synth=synth, results=found)


if __name__ == "__main__":
    main()
