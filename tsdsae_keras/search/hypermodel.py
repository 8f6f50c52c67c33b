"""The models of a search: built from hyperparameters, trained as a run is, and rebuilt."""

import json
import logging
import time

import keras_tuner

from tsdsae_keras.base.family import resolve
from tsdsae_keras.base.loading import load_model
from tsdsae_keras.files import write_json
from tsdsae_keras.search.card import search_card
from tsdsae_keras.training import fitting
from tsdsae_keras.training.checkpoints import newest
from tsdsae_keras.training.hparams import TrialWriter

log = logging.getLogger(__name__)

EPOCHS = "tuner/epochs"  # what Hyperband sets


class RepresentationHyperModel(keras_tuner.HyperModel):
    """Models of one family over a `Space`, trained on what its data set's `open` gave, for KerasTuner.

    `build` gives a model that is built and compiled; `fit` trains it in a run folder; `rebuild` gives the trained model
    of a trial. With KerasTuner's own tuners use `tuner.SearchTuner`: they would load the weights of a later stage into
    a model of the first.
    """

    def __init__(self, data, space):
        super().__init__(name="tsdsae_keras")
        self.data, self.space, self._streams = data, space, None
        self.search_card = search_card(space.base.card)
        scorer = self.search_card.scorer and resolve(space.base.card.package, self.search_card.scorer)
        self.scorer = scorer(data, space.base) if scorer else None

    def declare_hyperparameters(self, hp):
        self.space.declare(hp)

    def settings(self, hp):
        """The `Settings` of a trial."""
        return self.space.settings(self.space.values(hp), hp.values.get(EPOCHS))

    def check(self, objective):
        """InputError where the data do not allow an objective."""
        if self.scorer is not None:
            self.scorer.check(objective)

    def _open_streams(self, settings):
        """The streams of a trial, opened once: building it asks how long an epoch is, fitting it reads them."""
        if self._streams is None or self._streams[0] != settings:
            self._streams = settings, fitting.open_streams(settings, self.data)
        return self._streams[1]

    def build(self, hp):
        self.space.declare(hp)
        settings = self.settings(hp)
        steps = self._open_streams(settings)[0].batches
        model = fitting.build_model(settings, self.data)
        fitting.compile_model(model, settings, settings.epochs * steps)
        return model

    def rebuild(self, hp, weights):
        """The trained model of a trial: built from its hyperparameters, put in its last stage, its weights loaded."""
        model = self.build(hp)
        if model.phase():
            model.enter_stage(model.stages)
        model.load_weights(weights)
        return model

    def fit(self, hp, model, run, stop=None):
        """Trains a built model in its `TrialFolder`, from the last whole checkpoint on, and scores its best epoch.

        Returns:
            {name: number}: of the family's scorer, the lowest "val_loss" of the last stage, and the sum by which the
            best epoch was kept.

        Raises:
            TrainingDiverged: training gives no finite values, or left no model.
            KeyboardInterrupt: it was asked to stop, and the running epoch is finished.
        """
        start, settings = time.perf_counter(), self.settings(hp)
        state = fitting.start_or_restore(model, run, settings, self.data, newest(run.checkpoints))
        if state.first:
            log.info(f"{run.folder}: resuming after epoch {state.first} of {settings.epochs}")
        with TrialWriter(run.events, self.space.values(hp), state.first) as writer:
            streams = self._open_streams(settings)
            fitting.fit(state, run, settings, self.data, streams, writer, stop, progress=False)
            if stop is not None and stop.asked:
                raise KeyboardInterrupt
            run.check_model()
            scores = self.scorer(load_model(run.model)) if self.scorer is not None else {}
            scores |= {"val_loss": lowest(state.history.rows), self.search_card.selection: float(state.keep.best)}
            writer.finish(scores, settings.epochs)
        seconds = {"seconds": round(time.perf_counter() - start, 3), "parameters": int(model.count_params())}
        write_json(run.scores, {"metrics": scores} | seconds)
        return scores


def lowest(rows):
    """The lowest validation loss of the last stage."""
    last = rows[-1].get("stage")
    return min(row["val_loss"] for row in rows if row.get("stage") == last)


def read_scores(path):
    """The metrics in a trial's file, or None where it has none yet."""
    return json.loads(path.read_text(encoding="utf-8"))["metrics"] if path.is_file() else None
