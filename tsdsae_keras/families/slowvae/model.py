"""SlowVAE and the beta-VAE: a VAE of pairs of frames whose prior on the change within a pair is a Laplace distribution.

With gamma 0 no term sees a pair, and the SlowVAE is a beta-VAE.
"""

import numpy as np
from keras import ops, random
from keras.saving import register_keras_serializable

from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.base.model import RepresentationModel
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.slowvae import terms as of
from tsdsae_keras.families.slowvae.checks import validate_config
from tsdsae_keras.families.slowvae.likelihoods import LIKELIHOODS
from tsdsae_keras.families.slowvae.networks import make_decoder, make_encoder


class PairModel(RepresentationModel):
    """The base of the family: an encoder of single frames, batches of pairs {"x": (frames, *x_shape)}, interleaved:
    frames 2i and 2i + 1 are pair i. A subclass says what the encoder's numbers mean."""

    def __init__(self, config, **kwargs):
        super().__init__(validate_config(config), **kwargs)
        self.make_parts()
        self.build()

    def make_parts(self):
        """Makes the networks; a subclass may put its own in their place."""
        self.encoder = make_encoder(self.x_shape, self.encoder_outputs(), self.units)

    def encoder_outputs(self):
        """How many numbers the encoder gives."""
        return 2 * self.z_dim

    def build(self, input_shape=None):
        # The parts are built when they are made: they know their input's shape.
        self.built = True

    def frames(self, batch, paired=True):
        """The frames of a batch, a dict or the array itself; InputError where they do not fit."""
        x = ops.convert_to_tensor(batch["x"] if isinstance(batch, dict) else batch, "float32")
        if tuple(x.shape[1:]) != tuple(self.x_shape):
            raise InputError(f"x has shape {tuple(x.shape)}; this model takes frames of shape {self.x_shape}")
        if paired and x.shape[0] is not None and x.shape[0] % 2:
            raise InputError(f"the batch has {x.shape[0]} frames; pairs are interleaved, so give an even number")
        return x


class PairVAE(PairModel):
    """The base of the family's autoencoders: a Gaussian posterior, a decoder and a likelihood."""

    def make_parts(self):
        super().make_parts()
        self.decoder = make_decoder(self.x_shape, self.z_dim, self.units)

    def call(self, batch, training=False):
        mean, log_var = self.posterior(self.frames(batch))
        z = self.sample(mean, log_var, training)
        return {"mean": mean, "log_var": log_var, "z": z, "decoded": self.decoder(z)}

    def infer(self, x):
        """Mean and log-variance of q(z | x)."""
        return ops.split(self.encoder(x), 2, axis=-1)

    def posterior(self, x):
        """Mean and log-variance of the latents of a batch of pairs; what `infer` says of each frame by itself."""
        return self.infer(x)

    def sample(self, mean, log_var, training=False):
        """mean + s eps in training, or with the eps that the caller gave; the mean otherwise."""
        if not (training or self.is_given("eps")):
            return mean
        eps = self.draw_rows("eps", ops.shape(mean), random.normal)
        return mean + ops.exp(0.5 * log_var) * eps

    def recon(self, batch, outputs):
        """Negative log-likelihood of a frame, mean over the batch."""
        return ops.mean(self.reconstruction_error(self.frames(batch), outputs["decoded"]))

    def reconstruction_error(self, x, decoded):
        """Negative log-likelihood of every frame, (frames,)."""
        return LIKELIHOODS[self.likelihood](x, decoded, self.scale)

    @arrays_for_arrays
    def encode(self, x):
        """{"mean", "log_var"} of q(z | x), (frames, z_dim) each; x (frames, *x_shape), in no particular order."""
        mean, log_var = self.infer(self.frames(x, paired=False))
        return {"mean": mean, "log_var": log_var}

    @arrays_for_arrays
    def decode(self, z):
        """The mean of p(x | z), (frames, *x_shape), from z (frames, z_dim)."""
        decoded = self.decoder(ops.convert_to_tensor(z, "float32"))
        return ops.sigmoid(decoded) if self.likelihood == "bernoulli" else decoded

    @arrays_for_arrays
    def reconstruct(self, x):
        """`decode` of the mean of q(z | x)."""
        return self.decode(self.infer(self.frames(x, paired=False))[0])


@register_keras_serializable(package="tsdsae_keras")
class SlowVAE(PairVAE):
    """SlowVAE (Klindt et al., ICLR 2021, arXiv 2007.10930); with `gamma` 0 a beta-VAE.

        loss = 2 recon + beta kl_normal + gamma kl_laplace          form "official", the authors' code
        loss = 2 recon + beta kl_normal + gamma kl_laplace_exact    form "exact", the negative ELBO

    recon is the negative log-likelihood of a frame; kl_normal = CE_N - H = KL[q(z | x), N(0, I)]; kl_laplace = CE_L - H
    with the cross-entropy of the Laplace prior on the change, added over both directions of a pair, and
    kl_laplace_exact = CE_L / 2 - H, its mean over the two directions. The official form pulls the means of a pair
    together twice as hard for the same reward of entropy; it is not a KL and can be negative.

    A batch is {"x": (frames, *x_shape)}, pairs interleaved. Draws: "eps", (frames, z_dim).

    Args:
        x_shape: (height, width, channels) of images, both sides multiples of 16, or (n,) of vectors.
        z_dim: dimensions of z.
        beta: weight of kl_normal.
        gamma: weight of the Laplace term; 0 makes a beta-VAE.
        rate_prior: lam, the rate of the Laplace prior.
        form: "official" or "exact".
        likelihood: "bernoulli" (x between 0 and 1, the decoder gives logits) or "gaussian".
        scale: standard deviation of the Gaussian likelihood.
        units: widths of the dense layers, for vectors; the decoder has them in reverse.
        seed: of the draws; None takes Keras's global seed.

    Raises:
        InputError: if an argument is invalid.
    """

    all_terms = ("recon", "kl_normal", "kl_laplace", "kl_laplace_exact")
    monitors = ("entropy", "cross_entropy_normal", "cross_entropy_laplace")

    def __init__(
        self,
        x_shape=(64, 64, 1),
        z_dim=10,
        *,
        beta=1.0,
        gamma=10.0,
        rate_prior=6.0,
        form="official",
        likelihood="bernoulli",
        scale=0.1,
        units=(64, 64),
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(config, **kwargs)

    @property
    def term_weights(self):
        """Weight by name of a term. Each frame is reconstructed once, and a pair has two."""
        official = self.form == "official"
        laplace = {"kl_laplace": self.gamma * official, "kl_laplace_exact": self.gamma * (not official)}
        return {"recon": 2.0, "kl_normal": self.beta} | laplace

    def terms(self, batch, outputs, training=False):
        mean, log_var = outputs["mean"], outputs["log_var"]
        entropy = of.sum_mean(of.entropy(log_var))
        normal = of.sum_mean(of.normal_cross_entropy(mean, log_var))
        # The two frames of a pair are added, where all else is a mean over frames.
        laplace = 2 * of.sum_mean(of.transition_cross_entropy(mean, log_var, self.rate_prior))
        return {
            "recon": self.recon(batch, outputs),
            "kl_normal": normal - entropy,
            "kl_laplace": laplace - entropy,
            "kl_laplace_exact": laplace / 2 - entropy,
            "entropy": entropy,
            "cross_entropy_normal": normal,
            "cross_entropy_laplace": laplace,
        }


def encode_all(model, x, batch=256):
    """`model.encode(x)["mean"]` as an array, a batch at a time.

    Args:
        x: array, or anything whose slices are arrays.
    """
    return np.concatenate([model.encode(np.asarray(x[i : i + batch]))["mean"] for i in range(0, len(x), batch)])
