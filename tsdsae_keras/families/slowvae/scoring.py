"""What is measured of every trained model of a search, without labels."""

import keras
import numpy as np

from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae.batches import batches
from tsdsae_keras.families.slowvae.codes import describe, encode_sample, kl_of_dimensions
from tsdsae_keras.families.slowvae.evaluation import new_model, terms_on
from tsdsae_keras.metrics.udr import udr
from tsdsae_keras.training.callbacks import SeedEpochs
from tsdsae_keras.training.fitting import compile_model

FRAMES = 1000


class Scorer:
    """Scores of models on the same frames.

    - ``elbo``: -(recon + kl_normal) of a frame, in nats. Unlike the loss, it compares different weights of its terms.
    - ``udr``: how alike the codes of the model and of one more are, which is trained from another seed in the same way;
      only where it is searched for, since it doubles the time.
    - ``used``: dimensions of z.

    Args:
        data: `data.sets.pair_data.PairData`.
        settings: `Settings` of the search; companions are trained by them.
    """

    def __init__(self, data, settings):
        self.data, self.settings, self.objective = data, settings, "elbo"

    def check(self, objective):
        """InputError where the models have no posterior, which both objectives look at."""
        if self.settings.model == "pcl":
            raise InputError("--model pcl has no posterior; search for --objective val_loss")
        self.objective = objective

    def __call__(self, model):
        """{name: number}."""
        codes = self.encode(model)
        terms = terms_on(model, self.data)
        scores = {"elbo": -terms["recon"] - terms["kl_normal"], "used": describe(codes)["used"]}
        if self.objective == "udr":
            several = [codes, self.encode(self.companion(model))]
            scores["udr"] = float(udr([each["mean"] for each in several], map(kl_of_dimensions, several))[0])
        return scores

    def encode(self, model):
        """Codes of the frames that all models are scored on."""
        return encode_sample(model, self.data, np.random.default_rng((self.settings.data_seed, 11)), FRAMES)[0]

    def companion(self, model):
        """A model of the same configuration, trained from another seed."""
        settings = self.settings.replace(seed=(self.settings.seed + 1) % (1 << 32))
        other, stream = new_model(model, settings.seed), batches(self.data, settings, "train")
        compile_model(other, settings, settings.epochs * stream.batches)
        seeds = [SeedEpochs(settings.seed, stream), keras.callbacks.TerminateOnNaN()]
        other.fit(stream.dataset, epochs=settings.epochs, shuffle=False, verbose=0, callbacks=seeds)
        return other
