"""A run on pairs, what TensorBoard shows of it, and the page of its evaluation."""

import json
import re

import numpy as np
import pytest
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from benchmarks import pretrained
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.cli import main

pytestmark = pytest.mark.no_backend  # all three go the same way

OPTIONS = ["--model", "slowvae", "--data", "mixed", "--epochs", "2", "--epoch-steps", "5", "--pictures-every", "1"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slowvae") / "run"
    assert main(["train", *OPTIONS, "--out", str(folder)]) == 0
    return folder


def test_tensorboard_has_terms_pictures_and_the_mcc_over_time(run):
    events = EventAccumulator(str(run / "events")).Reload()
    assert set(events.PluginTagToContent("images")) == {"correlations", "traversals", "reconstructions"}
    scalars = set(events.PluginTagToContent("scalars"))
    terms = ("loss", "recon", "kl_normal", "kl_laplace", "entropy", "cross_entropy_normal", "cross_entropy_laplace")
    assert {f"{group}/{term}" for term in terms for group in ("train", "validation")} <= scalars
    assert len(events.Tensors("watch/mcc")) == len(events.Tensors("watch/used")) == 2


def test_the_page_has_every_picture_and_a_row_for_every_factor(run, capsys):
    assert main(["evaluate", str(run), "--frames", "400"]) == 0
    assert "untrained" in capsys.readouterr().out
    page = (run / "report.html").read_text()
    captions = re.findall(r"<figcaption><strong><bdi>(\w+)</bdi>", page)
    assert captions == ["Correlations", "Steps", "Traversals", "Reconstructions"]
    assert page.count('src="data:image/png') == 4 and "s0 100 % (" in page
    scores = json.loads((run / "evaluation.json").read_text())
    for name, factor in scores["factors"].items():
        assert f">{name}<" in page and f"code z{factor['code']}" in page
    assert f"noise {scores['mcc']['noise']:.3f}" in page


def test_a_run_is_released_rounded_with_its_card(run, tmp_path):
    assert pretrained.release(run, "mine", tmp_path) == "slowvae"
    model, card = load_model(tmp_path / "mine.keras"), json.loads((tmp_path / "mine.json").read_text())
    for weight, own in zip(model.get_weights(), load_model(run / "model.keras").get_weights(), strict=True):
        np.testing.assert_array_equal(weight, own.astype("float16").astype(own.dtype))
    assert card["data"]["dataset"] == card["recipe"]["data"] == "mixed" and "rounded" in card["weights"]
    assert card["training"]["epochs"] == 2 and set(card["training"]["validation"]) == set(model.active_terms())
    assert set(card["scores"]) == set(json.loads((run / "evaluation.json").read_text())) - {"judged"}
    assert str(tmp_path.parent) not in json.dumps(card)
