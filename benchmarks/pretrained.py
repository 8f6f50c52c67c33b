"""Makes a finished run one of the library's trained models, with its card.

    python train.py --preset fast --z-dim 16 --out runs/z16
    tsdsae-keras evaluate runs/z16
    python benchmarks/pretrained.py runs/z16 dmelodies-z16

    python train.py --model cpd --data sprites --out runs/sprites
    tsdsae-keras evaluate runs/sprites
    python benchmarks/pretrained.py runs/sprites cpd-sprites

    python train.py --model slowvae --data dsprites --preset quick --out runs/slowvae
    python benchmarks/pretrained.py runs/slowvae dsprites-slowvae

and so for models of SPS and SELFIE-style.

Weights of SlowVAE and the beta-VAE are rounded to the 11 bits of a half float and stored as float32, whose other bits
are zero and take no room in a compressed file; their cards have the scores of the rounded model. What each of them
gives for a few frames goes into tests/families/slowvae/pretrained.npz, and what those of SPS and SELFIE-style give for
noise into tests/base/trained.npz. With --outputs, what every trained model of the family tsdsae gives for two test
sequences goes into tests/families/tsdsae/pretrained.npz.
"""

import argparse
import csv
import functools
import importlib.util
import io
import json
import os
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.machine import processor

OUTPUTS = Path(__file__).resolve().parents[1] / "tests" / "families"
FRAMES, IMAGES = 48, 6  # of a stored sequence; whose outputs are stored
OF_DATA = ("dataset", "identity", "settings", "front_end", "counts", "label_names", "licence", "synth")
OF_MACHINE = ("backend", "cache", "out", "workers", "data_folder", "data_identity", "data")
RENDERED = "rendered by this library (Apache-2.0) from numbers drawn by the seed; no file of others went into it"
LICENCES = {
    "dsprites": "Frames are drawn here after dSprites (Matthey, Higgins, Hassabis, Lerchner 2017; Apache-2.0).",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", nargs="?", type=Path, help="a finished run, scored by `tsdsae-keras evaluate`")
    parser.add_argument("name", nargs="?", help="of the trained model")
    parser.add_argument("--outputs", type=Path, metavar="DATA", help="store the outputs for sequences of this folder")
    options = parser.parse_args()
    if options.run:
        kind = release(options.run, options.name or parser.error("give the name of the trained model"))
        if kind == "slowvae":
            store_outputs_of_images()
        if kind in OF_NOISE:
            store_outputs_of_noise()
    if options.outputs:
        store_outputs(options.outputs)


def release(folder, name, weights=None):
    """Writes the model and its card into the package; returns the name of its family.

    Args:
        folder: of the run.
        name: of the trained model.
        weights: the folder to write to; None for that of the model's family.
    """
    from tsdsae_keras.base.loading import load_model
    from tsdsae_keras.base.model_class import card_of
    from tsdsae_keras.files import sha256, write_bytes, write_json
    from tsdsae_keras.training.run import RunFolder

    run = RunFolder(folder)
    family = card_of(run.model)
    kind = family.name
    if kind not in KINDS:
        sys.exit(f"{folder} holds a model of {kind}; trained models are released of {' and '.join(KINDS)}")
    score, describe = KINDS[kind]
    model, recorded = load_model(run.model), run.read_settings()
    card = common_card(run, recorded, score(model, run, recorded))
    about = describe(model, run, recorded)
    card |= about | {key: about[key] | card[key] for key in ("training", "scores") if key in about}
    weights = weights or Path(importlib.util.find_spec(family.package).origin).parent / family.weights
    content = pack(model)
    write_bytes(weights / f"{name}.keras", content)
    file = {"name": name, "sha256": sha256(content), "bytes": len(content), "parameters": int(model.count_params())}
    write_json(weights / f"{name}.json", file | card)
    print(f"written: {weights / name}.keras ({len(content)} bytes) and .json")
    return kind


def common_card(run, recorded, scores):
    """What `pretrained_card` describes of every model, but for the file, the data and the epochs."""
    from tsdsae_keras.data.sets import SETS

    spent, settings = json.loads(run.seconds.read_text(encoding="utf-8")), recorded["settings"]
    recipe = {name: value for name, value in settings.items() if name not in OF_MACHINE}
    training = {"seconds": round(sum(spent["epochs"]), 1), "backend": settings["backend"]}
    return {
        "licence": "Apache-2.0, as the library",
        "recipe": recipe | ({"data": settings["data"]} if settings["data"] in SETS else {}),
        "training": training | {"cores": os.cpu_count(), "machine": processor()},
        "versions": recorded["versions"],
        "scores": scores,
    }


def read_scores(model, run, recorded, needed):
    """The scores of the run, which must hold one that only `tsdsae-keras evaluate` gives."""
    scores = json.loads(run.evaluation.read_text(encoding="utf-8"))
    if needed not in scores:
        sys.exit(f"{run.folder} has the short scores only: tsdsae-keras evaluate {run.folder}")
    return scores


def round_and_score(model, run, recorded):
    """Rounds the weights of a model to half floats; the scores of the rounded model."""
    import numpy as np

    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.families.slowvae.evaluation import evaluate
    from tsdsae_keras.metrics.plain import to_plain
    from tsdsae_keras.settings import settings_from_dict

    model.set_weights([np.asarray(each, "float16").astype(each.dtype) for each in model.get_weights()])
    return to_plain(evaluate(model, open_data(settings_from_dict(recorded["settings"])), seed=0))[0]


def describe_melodies(model, run, recorded):
    """Data, epochs and the score of an octave of a model of melodies."""
    from tsdsae_keras.data.prepared.store import PreparedData
    from tsdsae_keras.families.tsdsae.evaluation.context import make_subject
    from tsdsae_keras.families.tsdsae.study.octave import octave_scores
    from tsdsae_keras.families.tsdsae.study.run import summarize_training

    data = PreparedData(recorded["settings"]["data_folder"], verify=False)
    about = data.manifest | {"identity": data.identity}
    octave = octave_scores(make_subject(model, data, 0), data)
    return {
        "data": {key: about[key] for key in OF_DATA if key in about},
        "training": summarize_training(run.history, recorded["settings"].get("stop_at_recon")),
        "scores": {"octave": octave} if octave else {},
    }


def describe_images(model, run, recorded):
    """Data and epochs of a model of rendered images."""
    from tsdsae_keras.training.callbacks import selection_value

    with run.history.open(newline="", encoding="utf-8") as file:
        epochs = list(csv.DictReader(file))
    kept = min(epochs, key=lambda row: selection_value(model.selection_terms, row))
    terms = {name: float(kept[f"val_{name}"]) for name in model.active_terms()}
    name, identity = recorded["settings"]["data"], recorded["settings"]["data_identity"]
    return {
        "data": {"dataset": name, "identity": identity, "licence": LICENCES.get(name, RENDERED)},
        "training": {"epochs": len(epochs), "kept_epoch": int(kept["epoch"]) + 1, "validation": terms},
    }


def describe_rounded(model, run, recorded):
    """The same, and that its weights are rounded."""
    return {"weights": "rounded to half floats, stored as float32"} | describe_images(model, run, recorded)


def describe_sounds(model, run, recorded):
    """The same of a model of rendered scales or of a pool, with what played them or the sources, and the licences."""
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.settings import settings_from_dict

    about, data = describe_images(model, run, recorded), open_data(settings_from_dict(recorded["settings"]))
    if hasattr(data, "manifest"):
        known = {key: data.manifest[key] for key in OF_DATA if key in data.manifest}
    else:
        known = {"synth": data.about, "licence": data.about["licence"]} if "licence" in data.about else {}
    return about | {"data": about["data"] | known}


# {family: (what gives the scores of its card, what is special of its cards)}
KINDS = {
    "tsdsae": (functools.partial(read_scores, needed="melody"), describe_melodies),
    "cpd": (functools.partial(read_scores, needed="reconstruction"), describe_images),
    "slowvae": (round_and_score, describe_rounded),
    "sps": (functools.partial(read_scores, needed="scores"), describe_sounds),
    "selfie": (functools.partial(read_scores, needed="projections"), describe_sounds),
}


def pack(model):
    """The bytes of a model's file without optimizer and dates, its parts compressed."""
    from tsdsae_keras.training.reproducible_zip import without_dates

    model.compiled = False
    model.optimizer = None
    with tempfile.TemporaryDirectory() as folder:
        model.save(Path(folder) / "model.keras")
        content = without_dates((Path(folder) / "model.keras").read_bytes())
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(zipfile.ZipInfo(part.filename, part.date_time), old.read(part), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


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
    _save(OUTPUTS / "tsdsae", arrays)


def store_outputs_of_images():
    """Of every trained model of slowvae, the codes of the first frames that a seed draws, and decoded codes."""
    import numpy as np

    from tsdsae_keras.base.loading import load_model
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.families.slowvae import __file__ as family
    from tsdsae_keras.settings import Settings

    x, _ = open_data(Settings(model="slowvae")).sample(np.random.default_rng(0), IMAGES)
    arrays = {}
    for path in sorted((Path(family).parent / "weights").glob("*.keras")):
        model = load_model(path)
        arrays |= {f"{path.stem}/{name}": np.asarray(value) for name, value in model.encode(x).items()}
        arrays[f"{path.stem}/decoded"] = np.asarray(model.reconstruct(x[:2]))
    _save(OUTPUTS / "slowvae", arrays)


# {family: codes (rows, numbers) of x, and the shape of x}
OF_NOISE = {
    "sps": (lambda model, x: model.encode(x)["mean"].reshape(len(x), -1), (1, 6, 513, 5)),
    "selfie": (lambda model, x: model.embed(x), (2, 96, 64)),
}


def codes_of_noise(model, kind):
    """What a model makes of noise that is the same on every machine: float32 (rows, numbers)."""
    import numpy as np

    encode, shape = OF_NOISE[kind]
    return np.asarray(encode(model, np.random.RandomState(0).standard_normal(shape).astype("float32")))


def store_outputs_of_noise():
    """Of every trained model of the families in OF_NOISE, codes of noise."""
    from tsdsae_keras.base.loading import load_model
    from tsdsae_keras.base.model_class import card_of, pretrained_files

    found = {name: (path, card_of(path).name) for name, path in pretrained_files().items()}
    arrays = {name: codes_of_noise(load_model(path), kind) for name, (path, kind) in found.items() if kind in OF_NOISE}
    _save(OUTPUTS.parent / "base", arrays, "trained.npz")


def _save(folder, arrays, name="pretrained.npz"):
    import numpy as np

    np.savez_compressed(folder / name, **arrays)
    print(f"written: {folder / name}")


if __name__ == "__main__":
    main()
