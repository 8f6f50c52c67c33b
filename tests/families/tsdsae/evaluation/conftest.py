"""Four notes a clip and a model that has learnt nothing, which several files score."""

import keras
import pytest

from tests.families.tsdsae.evaluation.tones import write_folder
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.families.tsdsae.building import make_model

SMALL = {"global_units": (8, 8), "local_units": (8, 8), "transition_units": (4, 4), "decoder_units": (8, 8)}


@pytest.fixture(scope="package")
def data(tmp_path_factory):
    return PreparedData(write_folder(tmp_path_factory.mktemp("data") / "prepared"))


@pytest.fixture(scope="package")
def model(data, tmp_path_factory):
    """The file of a model that has learnt nothing."""
    keras.utils.set_random_seed(3)
    made = make_model("tsdsae", features=80, z_dim=3, v_dim=2, front_end=data.front_end, seed=3, **SMALL)
    made.adapt(data.features("train"))
    path = tmp_path_factory.mktemp("model") / "made.keras"
    made.save(path)
    return path
