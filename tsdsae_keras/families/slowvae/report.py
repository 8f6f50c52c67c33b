"""Every score of a saved model as JSON and as a page: `tsdsae-keras evaluate`."""

import logging

import numpy as np

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.base.pretrained import pretrained_card
from tsdsae_keras.data.sets import open_data
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae import pictures
from tsdsae_keras.families.slowvae.evaluation import evaluate, new_model, table
from tsdsae_keras.families.slowvae.judges import judge
from tsdsae_keras.families.slowvae.options import FRAMES
from tsdsae_keras.files import write_json
from tsdsae_keras.metrics.plain import to_plain
from tsdsae_keras.report.page import write_page
from tsdsae_keras.settings import settings_from_dict
from tsdsae_keras.training.evaluate import scores_file
from tsdsae_keras.training.model_files import is_pretrained, model_file
from tsdsae_keras.training.run import RunFolder, data_settings, versions

log = logging.getLogger(__name__)

DRAWS = 3  # of a score that trains a judge; its interval is their lowest and highest value
NOTES = {
    "mcc": "Spearman; every factor with the code that the best assignment gives it",
    "mcc_pearson": "the same with Pearson's correlation",
    "mig": "mutual information gap",
    "modularity": "share of a code's squared mutual information that is of one factor",
    "sap": "gap between the squared correlations of the best two codes",
    "beta_vae": "a factor that is held fixed, named from differences of codes",
    "factor_vae": "a factor that is held fixed, named from the code that varies least",
    "sap_svm": "accuracy gap between the best two codes",
    "explicitness": "area under the ROC curve of logistic regressions",
}


def report(model, data=None, out=None, seed=0, frames=FRAMES, judges="fast"):
    """Scores a run folder or a `.keras` file, writes JSON and a page next to it, logs the table; returns the dict.

    Args:
        model: a run folder, a `.keras` file, or the name of a trained model of the library.
        data: the name of a data set; None for the data of the run.
        out: the JSON file; None for `evaluation.json` in the run folder, or next to the model file.
        seed: fixes everything that is drawn.
        frames: how many are scored, at least 40.
        judges: "none", "fast" or "published": scores that train a judge.

    Raises:
        InputError: something cannot be used.
    """
    if frames < 40:
        raise InputError(f"--frames is {frames}; it must be 40 or more")
    path, out = model_file(model), scores_file(model, out)
    settings, loaded = _settings(model, RunFolder(path.parent), data), load_model(path)
    opened = open_data(settings)
    result = evaluate(loaded, opened, seed, frames)
    if judges != "none" and opened.grid is not None:
        result["judged"] = judge_codes(loaded, opened, seed, judges)
    result, _ = to_plain(result)
    write_json(out, result)
    write_page(content(loaded, opened, result, settings, path), out.with_name("report.html"))
    log.info(f"{table(result)}\n\nscores: {out}\nreport: {out.with_name('report.html')}")
    return result


def _settings(model, run, data):
    """Those of the data that are scored; the data of a trained model of the library are those of its card."""
    if is_pretrained(model) and data is None:
        return settings_from_dict(pretrained_card(model)["recipe"])
    return data_settings(run, "slowvae", data)


def judge_codes(model, data, seed, how):
    """{name: score} of judges trained on several draws, with the values of an untrained encoder and of noise."""
    draws = [judge(model, data, (seed + draw) % (1 << 32), how) for draw in range(DRAWS)]
    worst, noise = (judge(other, data, seed, how) for other in (new_model(model, seed), Noise(model.z_dim, seed)))
    found = {}
    for name in draws[0]:
        values = [each[name] for each in draws]
        found[name] = {"value": sum(values) / DRAWS, "interval": [min(values), max(values)], "n": DRAWS}
        found[name] |= {"worst": worst[name], "best": 1.0, "noise": noise[name]}
    return found


class Noise:
    """An encoder that looks at nothing."""

    def __init__(self, z_dim, seed):
        self.z_dim, self.rng = z_dim, np.random.default_rng((seed, 12))

    def encode(self, x):
        """{"mean": (frames, z_dim)}, drawn from N(0, I)."""
        return {"mean": self.rng.normal(size=(len(x), self.z_dim))}


def rows(result):
    """The scores of `report` as groups of rows of a page."""
    scores = {name: each for name, each in result.items() if isinstance(each, dict) and "interval" in each}
    groups = [{"group": "codes and factors", "rows": [_row(name, score) for name, score in scores.items()]}]
    if "judged" in result:
        judged_rows = [_row(name, score) for name, score in result["judged"].items()]
        groups.append({"group": "trained judges", "rows": judged_rows})
    factors = [
        {"name": name, "value": abs(each["correlation"]), "worst": 0.0, "best": 1.0, "note": f"code z{each['code']}"}
        for name, each in result["factors"].items()
    ]
    return [*groups, {"group": "|Spearman| of each factor with its code", "rows": factors}]


def _row(name, score):
    kept = {key: score[key] for key in ("value", "interval", "worst", "best")}
    noise = f"noise {score['noise']:.3f}"
    return {"name": name, **kept, "direction": "higher", "note": "; ".join(filter(None, (NOTES.get(name), noise)))}


def content(model, data, result, settings, path):
    """The dictionary of the page."""
    shown = {
        "Correlations": {
            "image": pictures.correlation_figure(model, data),
            "alt": "a matrix of the correlations of every factor with every code, codes in the order of their factors",
        },
        "Steps": {
            "image": pictures.step_figure(data),
            "alt": "histograms of the steps of each factor within a pair",
            "caption": _describe_steps(result["steps"]["factors"]),
        },
    }
    if hasattr(model, "decode"):
        shown["Traversals"] = {
            "image": pictures.traversal_figure(model, data),
            "alt": "decoded frames, one dimension of z after the other going through its values",
            "caption": "from the 2 % to the 98 % quantile of the codes of the data",
        }
        shown["Reconstructions"] = {
            "image": pictures.reconstruction_figure(model, data),
            "alt": "frames and what the decoder makes of their codes",
        }
    used = result["codes"]
    return {
        "title": f"{settings.model} on {settings.data}",
        "lead": f"{path.name}: {used['used']} of {used['dimensions']} dimensions of z are used.",
        "scores": rows(result),
        "scores_note": "Worst is the value of an untrained encoder. Intervals: 95 % over draws of frames; of trained "
        f"judges, the lowest and highest of {DRAWS} draws.",
        "pictures": shown,
        "settings": settings.to_dict(),
        "versions": versions(),
    }


def _describe_steps(factors):
    parts = (f"{name} {100 * step['changed']:.0f} % ({step['mean']:.3g})" for name, step in factors.items())
    return f"share of the pairs in which a factor changes, and its mean step: {', '.join(parts)}"
