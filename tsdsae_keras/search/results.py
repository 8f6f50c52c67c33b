"""What a search found: a row a trial, the configurations, the model that is taken, a table and a page."""

import csv
import io
import json
import logging
from dataclasses import dataclass

import numpy as np

from tsdsae_keras.base.family import resolve
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import write_bytes, write_text
from tsdsae_keras.report.page import write_page
from tsdsae_keras.report.table import number_text, short_text
from tsdsae_keras.search.folder import read_json
from tsdsae_keras.search.page import search_page
from tsdsae_keras.search.trials import TrialFolder, count_epochs
from tsdsae_keras.training.run import versions

log = logging.getLogger(__name__)

SHOWN = 20  # rows of the table
LEVEL = 0.95


@dataclass(frozen=True)
class Row:
    """One trial.

    Attributes:
        trial: its name.
        status: "finished", "failed" or "unfinished".
        reason: why it failed, or "".
        values: {name: value} of the options that vary.
        metrics: {name: number}; {} where it is not finished.
        sizes: {option: value} of the options that say how large its model is.
        epochs, parameters, seconds: of its model; the last two None where it is not finished.
    """

    trial: str
    status: str
    reason: str
    values: dict
    metrics: dict
    sizes: dict
    epochs: int
    parameters: int | None = None
    seconds: float | None = None

    @property
    def configuration(self):
        """What is the same for all seeds: the options but the seed, and the epochs."""
        return (*((name, value) for name, value in self.values.items() if name != "seed"), ("epochs", self.epochs))


def rows_of(search):
    """The `Row` of every trial of a started `Search`, in order."""
    folders = [path for path in search.folder.trials.iterdir() if path.is_dir()]
    return [_row(search, path) for path in sorted(folders, key=lambda path: int(path.name))]


def _row(search, path):
    run, base = TrialFolder(path), search.space.base
    values, scores, failure = read_json(run.values, {}), read_json(run.scores), read_json(run.failure)
    status = "failed" if failure else "finished" if scores else "unfinished"
    scores = scores or {}
    return Row(
        path.name,
        status,
        (failure or {}).get("reason", ""),
        {name: values.get(name) for name in search.space.ranges},
        scores.get("metrics", {}),
        {name: values.get(name, getattr(base, name)) for name in search.search_card.sizes},
        values.get("epochs", base.epochs) if status == "finished" else count_epochs(path),
        scores.get("parameters"),
        scores.get("seconds"),
    )


def configurations(rows, objective, direction):
    """{configuration: its finished rows}, best mean score over seeds first."""
    groups = {}
    for row in rows:
        if row.status == "finished" and objective in row.metrics:
            groups.setdefault(row.configuration, []).append(row)
    sign = -1 if direction == "max" else 1
    return dict(sorted(groups.items(), key=lambda item: sign * mean_score(item[1], objective)))


def mean_score(rows, objective):
    """The mean of a score over rows."""
    return float(np.mean([row.metrics[objective] for row in rows]))


def choose(rows, objective, direction, margin):
    """The row that is taken: of the configurations whose mean score lies within the margin of the best one, that of
    the smallest sizes, then of the fewest parameters, then of the best score; of its seeds the best.

    Raises:
        InputError: no trial is finished.
    """
    groups = list(configurations(rows, objective, direction).values())
    if not groups:
        failed = {row.trial: row.reason for row in rows if row.reason}
        why = f"; trial {min(failed)}: {failed[min(failed)]}" if failed else ""
        raise InputError(f"none of {len(rows)} trials has finished, so there is no best model{why}")
    best = mean_score(groups[0], objective)
    near = [group for group in groups if abs(mean_score(group, objective) - best) <= margin]
    # The first, so the best, of equals.
    smallest = min(near, key=lambda group: (*group[0].sizes.values(), group[0].parameters))
    pick = max if direction == "max" else min
    return pick(smallest, key=lambda row: row.metrics[objective])


def seeds_interval(scores):
    """The 95 % interval of the mean over seeds by Student's t, or None with fewer than two.

    It takes scores for normally distributed, which near the end of their range they are not.
    """
    from scipy import stats

    if len(scores) < 2:
        return None
    half = stats.t.ppf(0.5 + LEVEL / 2, len(scores) - 1) * np.std(scores, ddof=1) / np.sqrt(len(scores))
    return float(np.mean(scores) - half), float(np.mean(scores) + half)


def group_by_size(rows, objective, direction):
    """[{"size", "mean", "interval", "scores"}]: of every value of the first size the best configuration, over seeds.

    Sizes are numbers of parameters where the family names no other.
    """
    scores = {}
    for group in configurations(rows, objective, direction).values():
        size = next(iter(group[0].sizes.values()), group[0].parameters)
        scores.setdefault(size, [row.metrics[objective] for row in group])
    return [
        {"size": size, "mean": float(np.mean(found)), "interval": seeds_interval(found), "scores": found}
        for size, found in sorted(scores.items())
    ]


def agreement(rows, name, judged):
    """Spearman's correlation of a measure with the mean of measures that labels gave, over the trials.

    From -1 to 1; None where fewer than three trials have both, or one of the two is the same for all.
    """
    from scipy import stats

    both = [row.metrics for row in rows if row.status == "finished" and judged[0] in row.metrics]
    pairs = [(metrics[name], np.mean([metrics[each] for each in judged])) for metrics in both]
    if len(pairs) < 3 or any(len(set(column)) < 2 for column in zip(*pairs, strict=True)):
        return None
    return float(stats.spearmanr(*zip(*pairs, strict=True)).statistic)


def csv_text(rows):
    """`results.csv`: trial, status, reason, what varies, size, and all measures."""
    flat = [
        {"trial": row.trial, "status": row.status, "reason": row.reason}
        | row.values
        | row.sizes
        | {name: getattr(row, name) for name in ("epochs", "parameters", "seconds")}
        | row.metrics
        for row in rows
    ]
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for row in flat for name in row)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def text_table(rows, objective, direction, taken):
    """The best configurations as aligned text; the one that is taken has a star."""
    groups = list(configurations(rows, objective, direction).items())
    names = [name for name in rows[0].values if name != "seed"]
    head = ["", objective, "seeds", *names, "parameters"]
    lines = [head]
    for configuration, group in groups[:SHOWN]:
        values = dict(configuration)
        star = "*" if taken in group else ""
        cells = [short_text(values[name]) for name in names]
        score_text = number_text(mean_score(group, objective))
        lines.append([star, score_text, str(len(group)), *cells, str(group[0].parameters)])
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    text = ["  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    failed = [f"trial {row.trial} failed: {row.reason}" for row in rows if row.status == "failed"]
    more = [f"and {len(groups) - SHOWN} more in results.csv"] if len(groups) > SHOWN else []
    return "\n".join([*text, *more, *failed])


def conclude(search):
    """Writes `results.csv`, `best.keras` and `report.html` of a `Search`, and logs the outcome.

    Raises:
        InputError: no trial has finished.
    """
    rows, objective, folder, base = rows_of(search), search.plan["objective"], search.folder, search.space.base
    direction = search.search_card.directions[objective]
    write_text(folder.results, csv_text(rows))
    margin = search.plan["margin"]
    taken = choose(rows, objective, direction, margin)
    write_bytes(folder.best, TrialFolder(folder.trial(taken.trial)).model.read_bytes())
    model = load_model(folder.best)
    scores = base.card.part("evaluate")(model, search.data, base.seed)
    write_page(search_page(_content(search, rows, taken) | _family_content(search, model, scores)), folder.page)
    log.info(f"\n{text_table(rows, objective, direction, taken)}\n")
    log.info(f"taken: trial {taken.trial}, the smallest within {margin:g} of the best; on the test split:")
    log.info(f"{base.card.part('table')(scores)}\n")
    for path in (folder.best, folder.results, folder.page):
        log.info(f"  {path}")
    log.info(f"  tensorboard --logdir {folder.folder}")


def _content(search, rows, taken):
    objective, plan, card = search.plan["objective"], search.plan, search.search_card
    direction = card.directions[objective]
    counts = {status: sum(row.status == status for row in rows) for status in ("finished", "failed", "unfinished")}
    return {
        "title": f"Search {search.folder.folder.resolve().name}",
        "objective": objective,
        "direction": direction,
        "margin": plan["margin"],
        "counts": counts,
        "agreement": card.agreement and (card.agreement[0], agreement(rows, *card.agreement)),
        "unit_measures": card.unit_measures,
        "trials": [
            {"trial": row.trial, "values": row.values, "score": row.metrics[objective], "taken": row is taken}
            for row in rows
            if row.status == "finished" and objective in row.metrics
        ],
        "size": next(iter(card.sizes), "parameters"),
        "by_size": group_by_size(rows, objective, direction),
        "taken": {"trial": taken.trial, "values": taken.values, "metrics": taken.metrics},
        "failed": {f"trial {row.trial}": row.reason for row in rows if row.status == "failed"},
        "settings": {name: json.loads(json.dumps(value)) for name, value in plan.items()},
        "versions": versions(),
    }


def _family_content(search, model, scores):
    """What the family shows of the model that is taken: "test", "sounds", "pictures"."""
    parts = search.search_card.page and resolve(search.space.base.card.package, search.search_card.page)
    return parts(model, search.data, scores) if parts else {"test": [], "sounds": [], "pictures": {}}
