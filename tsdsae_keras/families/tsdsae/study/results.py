"""The results of a study: read from its folder, drawn, and put in a table. Needs no backend."""

import json
import statistics

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.old_keys import DISTANCES, MELODY, rename_keys
from tsdsae_keras.families.tsdsae.study.figures import COLUMNS, MODELS, study_figures
from tsdsae_keras.families.tsdsae.study.grid import FREE
from tsdsae_keras.families.tsdsae.study.options import AXES
from tsdsae_keras.files import write_bytes, write_text
from tsdsae_keras.report.figures import png_bytes
from tsdsae_keras.report.table import NOTHING, number_text
from tsdsae_keras.search.folder import inner

GROUPED = ("model", "z_dim", "optimizer", "decoder")  # a row of the table is what agrees in these
VARIED = AXES.values()
SCORES = {
    **{f"own F1, {name}": ("scores", "own", column) for column, name in COLUMNS.items()},
    **{f"judge F1, {name}": ("scores", "judge", column) for column, name in COLUMNS.items()},
    "validation recon": ("validation", "recon"),
    "test recon": ("scores", "recon"),
    "use of v": ("scores", "use_of_v"),
    "Fréchet, global swap": ("scores", "frechet", "global"),
    "Fréchet, reconstruction": ("scores", "frechet", "reconstruction"),
    "pitch, global swap": ("scores", "pitch", "global"),
    "pitch, local swap": ("scores", "pitch", "local"),
    "epochs": ("epochs",),
}
OCTAVE = {f"octave, own F1, {name}": ("scores", "octave", "own", column) for column, name in COLUMNS.items()}
OCTAVE |= {f"octave, judge F1, {name}": ("scores", "octave", "judge", column) for column, name in COLUMNS.items()}
ENDS = {
    "judge F1 on real sequences": ("scores", "judge", "real"),
    "Fréchet distance of two halves of the real sequences": ("scores", "frechet", "half_split"),
    "pitch accuracy of real sound through the vocoder": ("scores", "pitch", "original"),
    "pitch accuracy against another melody": ("scores", "pitch", "other_melody"),
}


def draw(folder):
    """Writes figures and table of the results in a `StudyFolder`; returns the paths.

    Raises:
        InputError: there is no result, or one cannot be read.
    """
    results = read_results(folder)
    measured = [each for each in results if "failure" not in each]
    folder.figures.mkdir(exist_ok=True)
    paths = []
    for name, figure in study_figures(measured).items() if measured else ():
        paths.append(folder.figures / name)
        write_bytes(paths[-1], png_bytes(figure))
    write_text(folder.table, format_table(results))
    return [*paths, folder.table]


def read_results(folder):
    """The results in a study's folder, a dict each, by name."""
    found = {path: _read(path) for path in sorted(folder.results.glob("*.json"))}
    if not found:
        raise InputError(f"{folder.results} holds no result; make runs first: python tuning/study.py")
    return list(found.values())


def _read(path):
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        result = None
    if not isinstance(result, dict) or not {"name", "settings", *VARIED} <= result.keys():
        raise InputError(f"{path} is not a result of a study; remove it, and the run's result is made again")
    return _update_keys(result)


def _update_keys(result):
    """A result with the keys of today: those of earlier versions are replaced as in evaluations."""
    scores = result.get("scores", {})
    names = {"frechet": DISTANCES, "pitch": MELODY, "chroma": MELODY}
    renamed = {name: rename_keys(scores[name], keys) for name, keys in names.items() if name in scores}
    return result | ({"scores": scores | renamed} if scores else {})


def format_table(results):
    """A Markdown table: a row for each model, z_dim, optimizer and decoder, median (least to greatest) over seeds.

    Below it, reference values, settings in which runs differ in addition to those that the study varies,
    and runs that missed the reconstruction that was asked for or failed.
    """
    measured = [each for each in results if "failure" not in each]
    lines = []
    if measured:
        columns = SCORES | (OCTAVE if any(each["scores"].get("octave") for each in measured) else {})
        shown = ["z_dim", *(name for name in GROUPED[2:] if len({each[name] for each in measured}) > 1)]
        lines += [_line(["model", *shown, "runs", *columns]), "|---" * (len(columns) + len(shown) + 2) + "|"]
        lines += [_row(own, shown, columns) for own in _group(measured)]
        lines += ["", "Median over seeds, in brackets the least and the greatest.", *_ends(measured)]
    return "\n".join([*lines, *_settings(measured), *_list_missed(measured), *_list_failed(results)]).strip() + "\n"


def _group(results):
    groups = {}
    order = list(MODELS)
    for each in results:
        groups.setdefault(tuple(each[name] for name in GROUPED), []).append(each)
    place = {name: order.index(name) if name in order else len(order) for name, *_ in groups}
    return [groups[key] for key in sorted(groups, key=lambda key: (*key[1:], place[key[0]]))]


def _row(results, shown, columns):
    first = results[0]
    head = [MODELS.get(first["model"], first["model"]), *(str(first[name]) for name in shown), str(len(results))]
    return _line([*head, *(_spread(results, names) for names in columns.values())])


def _line(cells):
    return "| " + " | ".join(cells) + " |"


def _spread(results, names):
    values = [value for value in (inner(each, *names) for each in results) if value is not None]
    if not values:
        return NOTHING
    middle = number_text(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({number_text(min(values))}\N{EN DASH}{number_text(max(values))})"


def _ends(results):
    """Reference values, the same for all runs."""
    return [f"- {name}: {spread}" for name, names in ENDS.items() if (spread := _spread(results, names)) != NOTHING]


def _settings(results):
    """The settings in which runs differ though the study does not vary them: such runs are not of one recipe."""
    shown = {}
    for each in results:
        for name, value in each["settings"].items():
            if name not in (*VARIED, *FREE):
                shown.setdefault(name, {})[json.dumps(value)] = None
    differ = {name: list(values) for name, values in shown.items() if len(values) > 1}
    return [f"- not the same in all runs: {name} ({', '.join(values)})" for name, values in differ.items()]


def _list_missed(results):
    names = [each["name"] for each in results if each["reached"] is False]
    return [f"- did not reach the validation reconstruction that was asked for: {', '.join(names)}"] if names else []


def _list_failed(results):
    return [f"- failed: {each['name']}: {each['failure']}" for each in results if "failure" in each]
