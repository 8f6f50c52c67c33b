"""Makes finished runs of SlowVAE and the beta-VAE the library's trained models, with their cards.

    python train.py --model slowvae --data dsprites --preset quick --out runs/slowvae
    python train.py --model beta-vae --data dsprites --preset quick --out runs/beta-vae
    python benchmarks/pretrained_pairs.py runs/slowvae dsprites-slowvae
    python benchmarks/pretrained_pairs.py runs/beta-vae dsprites-beta-vae

A weight is rounded to the 11 bits of a half float and stored as float32, whose other bits are zero and take no room in
a compressed file. The card has the scores of the rounded model. What every model gives for a few frames goes into
tests/families/slowvae/pretrained.npz.
"""

import argparse
import csv
import io
import sys
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.pretrained import _common, _without_optimizer

ROOT = Path(__file__).resolve().parents[1]
OUTPUTS = ROOT / "tests" / "families" / "slowvae" / "pretrained.npz"
FRAMES = 6  # whose outputs are stored
LICENCES = {
    "dsprites": "Frames are drawn here after dSprites (Matthey, Higgins, Hassabis, Lerchner 2017; Apache-2.0).",
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("run", type=Path, help="a finished run of slowvae or beta-vae")
    parser.add_argument("name", help="of the trained model")
    options = parser.parse_args()
    release(options.run, options.name)
    store_outputs()


def release(folder, name):
    """Writes the rounded model and its card into the package."""
    from tsdsae_keras.base.loading import load_model
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.families.slowvae import __file__ as family
    from tsdsae_keras.families.slowvae.evaluation import evaluate
    from tsdsae_keras.files import sha256, write_bytes, write_json
    from tsdsae_keras.metrics.plain import to_plain
    from tsdsae_keras.settings import settings_from_dict
    from tsdsae_keras.training.run import RunFolder

    run = RunFolder(folder)
    model = rounded(load_model(run.model))
    recorded = run.read_settings()
    data = open_data(settings_from_dict(recorded["settings"]))
    scores, _ = to_plain(evaluate(model, data, seed=0))
    content, weights = compressed(_without_optimizer(model)), Path(family).parent / "weights"
    weights.mkdir(exist_ok=True)
    write_bytes(weights / f"{name}.keras", content)
    file = {"name": name, "sha256": sha256(content), "bytes": len(content), "parameters": int(model.count_params())}
    write_json(weights / f"{name}.json", file | card(run, recorded, data, scores))
    print(f"written: {weights / name}.keras ({len(content)} bytes) and .json, MCC {scores['mcc']['value']:.3f}")


def rounded(model):
    """The model with the weights of half floats."""
    import numpy as np

    model.set_weights([np.asarray(each, "float16").astype(each.dtype) for each in model.get_weights()])
    return model


def compressed(content):
    """The same `.keras` file with its parts compressed."""
    packed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new:
        for part in old.infolist():
            new.writestr(zipfile.ZipInfo(part.filename, part.date_time), old.read(part), zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()


def card(run, recorded, data, scores):
    """What `pretrained_card` describes, but for the file."""
    common, name = _common(run, recorded, scores), recorded["settings"]["data"]
    with run.history.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    best = min(rows, key=lambda row: float(row["val_loss"]))
    training = {
        "epochs": len(rows),
        "kept_epoch": int(best["epoch"]) + 1,
        "validation": {name[4:]: float(value) for name, value in best.items() if name.startswith("val_") and value},
    }
    return common | {
        "data": {"dataset": name, "identity": data.identity, "licence": LICENCES[name]},
        "weights": "rounded to half floats, stored as float32",
        "recipe": common["recipe"] | {"data": name},
        "training": training | common["training"],
    }


def store_outputs():
    """Of every trained model of the family, the codes of the first frames that a seed draws, and decoded codes."""
    import numpy as np

    from tsdsae_keras.base.loading import load_model
    from tsdsae_keras.data.sets import open_data
    from tsdsae_keras.families.slowvae import __file__ as family
    from tsdsae_keras.settings import Settings

    x, _ = open_data(Settings(model="slowvae")).sample(np.random.default_rng(0), FRAMES)
    arrays = {}
    for path in sorted((Path(family).parent / "weights").glob("*.keras")):
        codes = load_model(path).encode(x)
        arrays |= {f"{path.stem}/{name}": np.asarray(value) for name, value in codes.items()}
        arrays[f"{path.stem}/decoded"] = np.asarray(load_model(path).reconstruct(x[:2]))
    np.savez_compressed(OUTPUTS, **arrays)
    print(f"written: {OUTPUTS}")


if __name__ == "__main__":
    main()
