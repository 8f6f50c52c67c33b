"""Makes a finished and evaluated run one of the library's trained models, with its card.

    python train.py --preset fast --z-dim 16 --out runs/z16
    tsdsae-keras evaluate runs/z16
    python benchmarks/pretrained.py runs/z16 dmelodies-z16

    python train.py --model cpd --data sprites --out runs/sprites
    tsdsae-keras evaluate runs/sprites
    python benchmarks/pretrained.py runs/sprites cpd-sprites

With --outputs it then writes tests/families/tsdsae/pretrained.npz: what every trained model of that family gives for
two test sequences.
"""

import argparse
import csv
import hashlib
import importlib.util
import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import processor

ROOT = Path(__file__).resolve().parents[1]
OUTPUTS = ROOT / "tests" / "families" / "tsdsae" / "pretrained.npz"
FRAMES = 48  # of a stored sequence
OF_DATA = ("dataset", "identity", "settings", "front_end", "counts", "label_names", "licence", "synth")
OF_MACHINE = ("backend", "cache", "out", "workers", "data_folder", "data_identity", "data")
RENDERED = "rendered by this library (Apache-2.0) from numbers drawn by the seed; no file of others went into it"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", nargs="?", type=Path, help="a finished run, scored by `tsdsae-keras evaluate`")
    parser.add_argument("name", nargs="?", help="of the trained model")
    parser.add_argument("--outputs", type=Path, metavar="DATA", help="store the outputs for sequences of this folder")
    options = parser.parse_args()
    if options.run:
        release(options.run, options.name or parser.error("give the name of the trained model"))
    if options.outputs:
        store_outputs(options.outputs)


def release(folder, name, weights=None):
    """Writes the model and its card into the package.

    Args:
        folder: of the run.
        name: of the trained model.
        weights: the folder to write to; None for that of the model's family.
    """
    from tsdsae_keras.base.loading import load_model
    from tsdsae_keras.base.model_class import card_of
    from tsdsae_keras.files import write_bytes, write_json
    from tsdsae_keras.training.run import RunFolder

    run = RunFolder(folder)
    family = card_of(run.model)
    kind = family.package.rpartition(".")[2]
    if kind not in ABOUT:
        sys.exit(f"{folder} holds a model of {kind}; trained models are released of {' and '.join(ABOUT)}")
    about, needed = ABOUT[kind]
    scores = json.loads(run.evaluation.read_text(encoding="utf-8"))
    if needed not in scores:
        sys.exit(f"{folder} has the short scores only: tsdsae-keras evaluate {folder}")
    model = load_model(run.model)
    recorded = run.read_settings()
    card = _common(run, recorded, scores) | about(model, run, recorded, scores)
    weights = weights or Path(importlib.util.find_spec(family.package).origin).parent / family.weights
    content = _without_optimizer(model)
    write_bytes(weights / f"{name}.keras", content)
    file = {"name": name, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    write_json(weights / f"{name}.json", file | {"parameters": int(model.count_params())} | card)
    print(f"written: {weights / name}.keras and .json")


def _common(run, recorded, scores):
    """What `pretrained_card` describes of every model, but for the file, the data and the epochs."""
    spent = json.loads(run.seconds.read_text(encoding="utf-8"))
    settings = {name: value for name, value in recorded["settings"].items() if name not in OF_MACHINE}
    training = {"seconds": round(sum(spent["epochs"]), 1), "backend": recorded["settings"]["backend"]}
    return {
        "licence": "Apache-2.0, as the library",
        "recipe": settings,
        "training": training | {"cores": os.cpu_count(), "machine": processor()},
        "versions": recorded["versions"],
        "scores": scores,
    }


def about_tsdsae(model, run, recorded, scores):
    """Data, epochs and the score of an octave of a model of melodies."""
    from tsdsae_keras.data.prepared.store import PreparedData
    from tsdsae_keras.families.tsdsae.evaluation.context import make_subject
    from tsdsae_keras.families.tsdsae.study.octave import octave_scores
    from tsdsae_keras.families.tsdsae.study.run import summarize_training

    data = PreparedData(recorded["settings"]["data_folder"], verify=False)
    about = data.manifest | {"identity": data.identity}
    octave = octave_scores(make_subject(model, data, 0), data)
    training = summarize_training(run.history, recorded["settings"].get("stop_at_recon"))
    return {
        "data": {key: about[key] for key in OF_DATA if key in about},
        "training": training | _common(run, recorded, scores)["training"],
        "scores": scores | ({"octave": octave} if octave else {}),
    }


def about_cpd(model, run, recorded, scores):
    """Data and epochs of a model of rendered images."""
    from tsdsae_keras.training.callbacks import selection_value

    with run.history.open(newline="", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    kept = min(epochs, key=lambda row: selection_value(model.selection_terms, row))
    terms = {name: float(kept[f"val_{name}"]) for name in model.active_terms()}
    settings = recorded["settings"]
    training = {"epochs": len(epochs), "kept_epoch": int(kept["epoch"]) + 1, "validation": terms}
    return {
        "data": {"dataset": settings["data"], "identity": settings["data_identity"], "licence": RENDERED},
        "training": training | _common(run, recorded, scores)["training"],
    }


# {family: (what is special of its cards, a score that only `tsdsae-keras evaluate` gives)}
ABOUT = {"tsdsae": (about_tsdsae, "melody"), "cpd": (about_cpd, "reconstruction")}


def _without_optimizer(model):
    """The bytes of a model's file without optimizer and dates."""
    import tempfile

    from tsdsae_keras.training.reproducible_zip import without_dates

    model.compiled = False
    model.optimizer = None
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        return without_dates((Path(folder) / "model.keras").read_bytes())


def store_outputs(folder):
    """The first two test sequences and, of every trained model, codes, reconstruction and swap."""
    import keras
    import numpy as np

    from tsdsae_keras.base.pretrained import load_pretrained, pretrained_names
    from tsdsae_keras.data.prepared.store import PreparedData

    x = np.asarray(PreparedData(folder).features("test")[:2, :FRAMES])
    arrays = {"x": x}
    for name in pretrained_names():
        model = load_pretrained(name)
        if not hasattr(model, "swap"):
            continue
        codes = {key: keras.ops.convert_to_numpy(value) for key, value in model.encode(x).items()}
        arrays |= {f"{name}/{key}": codes[key] for key in ("v_mean", "z_mean")}
        arrays[f"{name}/swap"] = keras.ops.convert_to_numpy(model.swap(x[:1], x[1:]))
    np.savez_compressed(OUTPUTS, **arrays)
    print(f"written: {OUTPUTS}")


if __name__ == "__main__":
    main()
