"""Whether the label-free score `balanced` ranks models as the true swaps do.

    python benchmarks/selection.py runs/A runs/B ...

For every run folder of the family `tsdsae` on rendered data: `balanced` on the validation split, and the share of the
way of its evaluation; then Spearman's correlation of the two with a 95 % bootstrap interval over runs, and the run that
`balanced` would choose.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from tsdsae_keras import load_model
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.families.tsdsae.search.objective import score_balanced
from tsdsae_keras.families.tsdsae.search.scoring import Scorer
from tsdsae_keras.metrics.intervals import statistic_interval
from tsdsae_keras.metrics.mcc import correlations
from tsdsae_keras.training.run import RunFolder, recorded_settings


def score(folder):
    """(balanced, share of the way) of a run folder."""
    settings = recorded_settings(RunFolder(folder))
    scorer = Scorer(PreparedData(settings.data), settings)
    balanced = score_balanced(load_model(folder / "model.keras"), scorer.validation)["balanced"]
    evaluation = json.loads((folder / "evaluation.json").read_text())
    return balanced, evaluation["counterfactual"]["share_of_way"]["value"]


def spearman(balanced, share):
    """Spearman's correlation, 0 where one of the two is the same for all."""
    return correlations(balanced[:, None], share[:, None]).item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("runs", nargs="+", type=Path, help="run folders, trained and evaluated")
    runs = parser.parse_args().runs
    balanced, share = np.array([score(run) for run in runs]).T
    for row in np.argsort(-share):
        print(f"{runs[row].name:32} share of the way {share[row]:6.3f}   balanced {balanced[row]:.3f}")
    low, high = statistic_interval(spearman, balanced, share, n_resamples=2000)
    print(f"Spearman {spearman(balanced, share):.3f} ({low:.3f} to {high:.3f}), {len(runs)} models")
    print(f"highest balanced: {runs[balanced.argmax()].name}, of share {share[balanced.argmax()]:.3f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
