"""How far swaps go to a timbre that a model was never trained on.

    python benchmarks/unseen_timbre.py runs/NAME --soundfont /usr/share/sounds/sf2/FluidR3_GM.sf2

The melodies of the true swaps of a run on rendered data, each as it is in the data, are given the v of a sequence that
the same instrument of *another* SoundFont plays, and compared with the melody played by that. Beside it, the same with
the SoundFont of the data, and how far the two fonts' renderings of a melody lie apart.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from tsdsae_keras import load_model
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.audio.synthesis import open_synth
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.sets import melodies as grid
from tsdsae_keras.data.sets.dmelodies import render_clips
from tsdsae_keras.data.sets.true_swaps import choose_swaps
from tsdsae_keras.families.tsdsae.evaluation.counterfactual import TrueSwaps, make_swaps, score_swaps
from tsdsae_keras.training.run import RunFolder, recorded_settings

SHOWN = ("swap_to_truth", "original_to_truth", "reconstruction_of_truth", "swap_ratio", "share_of_way")


def render(data, soundfont, rows, programs):
    """Test melodies (n,) played by programs of a SoundFont: log-mel frames of the data's front end."""
    front_end = FrontEnd.from_dict(data.front_end)
    notes = grid.notes_of(data.label("test", "melody")[rows])
    with open_synth("fluidsynth", tuple(np.unique(programs).tolist()), soundfont, front_end.sample_rate) as synth:
        synth.load()
        return render_clips(synth, front_end, notes, programs, 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("run", type=Path, help="of the family tsdsae, on melodies that FluidSynth rendered")
    parser.add_argument("--soundfont", required=True, help="another one than that of the data")
    options = parser.parse_args()
    model = load_model(options.run / "model.keras")
    data = PreparedData(recorded_settings(RunFolder(options.run)).data)
    instrument, programs = data.label("test", "instrument"), np.array(data.manifest["settings"]["programs"])
    melody, partner = choose_swaps(instrument)
    players, original, truths = programs[instrument[partner]], data.features("test")[melody], {}
    names = [(str(a), str(b)) for a, b in zip(programs[instrument[melody]], players, strict=True)]
    for name, font in (("the data's SoundFont", None), (Path(options.soundfont).name, options.soundfont)):
        truths[name] = truth = render(data, font, melody, players)
        swaps = TrueSwaps(original, truth, render(data, font, partner, players), names, melody)
        scores = score_swaps(make_swaps(model, swaps), swaps)
        print(name, *(f"{key} {scores[key]['value']:.3f}" for key in SHOWN))
        for pair in scores["pairs"]:
            print(f"  program {pair['from']} to {pair['to']}: share of the way {pair['share_of_way']:.3f}")
    own, other = truths.values()
    print(f"one font to the other, same melody and program: {np.square(own - other).mean():.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
