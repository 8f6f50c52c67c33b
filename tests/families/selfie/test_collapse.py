"""The offset collapse: without standardisation a heavy invariance falls into it, and the run's warning names it.

A probe does not show it, so the run has to.
"""

import keras
import pytest

from tsdsae_keras.data.sets import open_data
from tsdsae_keras.families.selfie.watch import collapse_watch
from tsdsae_keras.settings import Settings
from tsdsae_keras.training.callbacks import SeedEpochs
from tsdsae_keras.training.fitting import build_model, open_streams
from tsdsae_keras.training.guards import WatchCollapse

pytestmark = pytest.mark.no_backend

SIZES = {"channels": 2, "units": 16, "projector_units": 32, "dim": 32, "batch_size": 16, "window": 32, "steps": 40}
POOL = {"sources": ("synth",), "sounds": 48}
HEAVY = {"w_inv": 8.0}  # beyond 2.3 times w_div


def offset_of(folder, **changes):
    """The offset of the projections after 40 steps: 0 is spread, 1 collapsed."""
    settings = Settings(model="selfie-style", cache=str(folder), **SIZES | POOL | changes)
    data = open_data(settings)
    (stream, _), model = open_streams(settings, data), build_model(settings, data)
    # XLA would take longer to compile than the steps of such a small model take.
    model.compile(optimizer=keras.optimizers.Adam(1e-2), jit_compile=False)
    watch = collapse_watch(data, settings)
    calls = [SeedEpochs(settings.seed, stream), WatchCollapse(watch, 1)]
    model.fit(stream.dataset, shuffle=False, verbose=0, callbacks=calls)
    return watch.measure(model)["offset"]


def test_the_plain_sphere_collapses_to_an_offset_and_the_run_says_so(tmp_path, caplog):
    assert offset_of(tmp_path, center=False, **HEAVY) > 0.9
    warnings = [record.getMessage() for record in caplog.records if "collapsed" in record.getMessage()]
    assert len(warnings) == 1 and "\n" not in warnings[0]
    assert "collapsed to a common offset" in warnings[0] and "train with --center, or lower --w-inv" in warnings[0]


def test_standardised_projections_do_not_whatever_the_weights(tmp_path, caplog):
    assert offset_of(tmp_path, **HEAVY) < 0.2
    assert "collapsed" not in caplog.text
