"""The models of a search: built from hyperparameters, trained through both stages, and rebuilt in the right one."""

import json
import logging
import time

import keras
import keras_tuner

from tsdsae_keras.base.loading import load_model, make_model
from tsdsae_keras.data.prepared.pipeline import SequenceStream, check_fills_a_batch
from tsdsae_keras.families.tsdsae.watch import remembering
from tsdsae_keras.files import write_json
from tsdsae_keras.search.scoring import Scorer
from tsdsae_keras.training.checkpoints import WriteCheckpoint, go_on, newest
from tsdsae_keras.training.fit import fit_epochs
from tsdsae_keras.training.hparams import TrialWriter
from tsdsae_keras.training.train import MODEL_OPTIONS, compile_model, work_of_epochs

log = logging.getLogger(__name__)

EPOCHS = "tuner/epochs"  # what Hyperband sets
WIDTHS = {"global_units": 1, "local_units": 1, "decoder_units": 1, "transition_units": 0.5}


class DisentanglingModel(keras_tuner.HyperModel):
    """Models of this library over a `Space`, for KerasTuner.

    `build` gives a model that is built, standardised by the training split, compiled and in stage 1; `fit` trains it
    through both stages in a run folder; `rebuild` gives the trained model of a trial in the stage it ended in. With
    KerasTuner's own tuners use `tuner.SearchTuner`: they would load weights into a model of stage 1.

    Args:
        data: `PreparedData`.
        space: `Space`.
    """

    def __init__(self, data, space):
        super().__init__(name="tsdsae_keras")
        self.data, self.space = data, space
        self.scorer = Scorer(data, space.base.seed)

    def declare_hyperparameters(self, hp):
        self.space.declare(hp)

    def settings(self, hp):
        """The `Settings` of a trial, and the width of its layers."""
        return self.space.settings(self.space.values(hp), hp.values.get(EPOCHS))

    def build(self, hp):
        self.space.declare(hp)
        settings, units = self.settings(hp)
        check_fills_a_batch(self.data.counts["train"], settings.batch_size)
        model = self._make(settings, units)
        if settings.standardize:
            model.adapt(self.data.sequences("train").chunks())
        compile_model(model, settings, settings.epochs * (self.data.counts["train"] // settings.batch_size))
        return model

    def _make(self, settings, units):
        keras.utils.set_random_seed(settings.seed)
        return make_model(
            settings.model,
            swap_weights=settings.swap_weights,
            features=self.data.bands,
            front_end=self.data.front_end,
            seed=settings.seed,
            **{name: getattr(settings, name) for name in MODEL_OPTIONS},
            **{name: (max(1, round(share * units)),) * 2 for name, share in WIDTHS.items()},
        )

    def rebuild(self, hp, weights):
        """A trained model: built from its hyperparameters, put in its last stage, its weights loaded.

        Args:
            hp: `HyperParameters` of the trial.
            weights: the `.keras` file of the trial.
        """
        model = self.build(hp)
        model.enter_stage(model.stages)
        model.load_weights(weights)
        return model

    def fit(self, hp, model, run, stop=None):
        """Trains a built model through both stages, from the run's last whole checkpoint on, and scores its best epoch.

        Args:
            hp: `HyperParameters` of the trial.
            model: what `build` gave.
            run: `TrialFolder`.
            stop: `StopOnSignal`, or None.

        Returns:
            {name: number}: of `Scorer`, and "val_loss" and "val_elbo" (recon + kl_z + kl_v), the lowest of the last
            stage.

        Raises:
            TrainingDiverged: training gives no finite values, or left no model.
            KeyboardInterrupt: it was asked to stop, and the running epoch is finished.
        """
        start = time.perf_counter()
        settings, _ = self.settings(hp)
        with TrialWriter(run.events, self.space.values(hp), run.first_epoch()) as writer:
            keep, history = self._train(model, settings, run, writer, stop)
            if stop is not None and stop.asked:
                raise KeyboardInterrupt
            run.check_model()
            found = self.scorer(load_model(run.model)) | lowest_losses(history.rows, keep.best)
            writer.finish(found, settings.epochs)
        seconds = {"seconds": round(time.perf_counter() - start, 3), "parameters": int(model.count_params())}
        write_json(run.scores, {"metrics": found} | seconds)
        return found

    def _train(self, model, settings, run, writer, stop):
        keep, history, *_ = kept = remembering(run, settings, self.data)
        first = run.first_epoch()
        if first:
            go_on(model, kept, newest(run.checkpoints))
            log.info(f"{run.folder}: going on after epoch {first} of {settings.epochs}")
        if first < settings.epochs and not keep.finished:
            sequences, size = self.data.sequences, settings.batch_size
            stream = SequenceStream(sequences("train"), size, seed=settings.seed, training=True)
            work = [*work_of_epochs(settings, self.data, kept, writer), WriteCheckpoint(run.checkpoints, kept)]
            work += [] if stop is None else [stop]
            fit_epochs(model, stream, SequenceStream(sequences("validation"), size), settings, first, work)
        return keep, history


def lowest_losses(rows, elbo):
    """The lowest validation loss of the last stage, as a search without this library would take it, and `elbo`."""
    last = max(row["stage"] for row in rows)
    return {"val_loss": min(row["val_loss"] for row in rows if row["stage"] == last), "val_elbo": float(elbo)}


def read_scores(path):
    """The metrics in a trial's file, or None where it has none yet."""
    return json.loads(path.read_text(encoding="utf-8"))["metrics"] if path.is_file() else None
