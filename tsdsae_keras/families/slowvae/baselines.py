"""Baselines on the same pairs: Ada-GVAE, Ada-ML-VAE and permutation-contrastive learning.

All three are as in the branch `baselines` of github bethgelab/slow_disentanglement, commit 0ff5514.
"""

from keras import ops
from keras.initializers import Constant
from keras.saving import register_keras_serializable

from tsdsae_keras import ops as own_ops
from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.families.slowvae import terms as of
from tsdsae_keras.families.slowvae.model import PairModel, PairVAE


@register_keras_serializable(package="tsdsae_keras")
class AdaVAE(PairVAE):
    """Ada-GVAE and Ada-ML-VAE (Locatello et al., Weakly-Supervised Disentanglement Without Compromises, ICML 2020).

        loss = recon + beta kl_normal

    Per pair and dimension the divergence of the two posteriors is scaled to 0 .. 1 over the dimensions; where it is
    below 1/2, both frames get one shared posterior: its mean and variance are the means of the two ("gvae") or come
    from their precisions ("ml-vae").

    Args:
        x_shape, z_dim, beta, likelihood, scale, units, seed: as in `SlowVAE`.
        sharing: "gvae" or "ml-vae".

    Raises:
        InputError: if an argument is invalid.
    """

    all_terms = ("recon", "kl_normal")

    def __init__(
        self,
        x_shape=(64, 64, 1),
        z_dim=10,
        *,
        beta=1.0,
        sharing="gvae",
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
        """Weight by name of a term."""
        return {"recon": 1.0, "kl_normal": self.beta}

    def posterior(self, x):
        return share(*self.infer(x), self.sharing)

    def terms(self, batch, outputs, training=False):
        mean, log_var = outputs["mean"], outputs["log_var"]
        divergence = of.normal_cross_entropy(mean, log_var) - of.entropy(log_var)
        return {"recon": self.recon(batch, outputs), "kl_normal": of.sum_mean(divergence)}


def share(mean, log_var, sharing="gvae"):
    """Posteriors of pairs, the dimensions that did not change put together; see `AdaVAE`.

    Args:
        mean, log_var: (frames, z_dim), pairs interleaved.
        sharing: "gvae" or "ml-vae".

    Returns:
        mean, log_var.
    """
    (m1, m2), (v1, v2) = (ops.unstack(of.pairs(each), 2, axis=1) for each in (mean, ops.exp(log_var)))
    # Twice KL[q_1, q_2]; the authors take this direction only.
    distance = v1 / v2 + ops.square(m2 - m1) / v2 - 1 + ops.log(v2) - ops.log(v1)
    low, high = (reduce(distance, axis=-1, keepdims=True) for reduce in (ops.min, ops.max))
    changed = 2 * (distance - low) >= high - low
    if sharing == "gvae":
        shared_mean, shared_var = (m1 + m2) / 2, (v1 + v2) / 2
    else:
        shared_mean, shared_var = (m1 * v2 + m2 * v1) / (v1 + v2), 2 * v1 * v2 / (v1 + v2)
    changed, shape = ops.repeat(changed, 2, axis=0), ops.shape(mean)
    pick = [ops.reshape(ops.repeat(each, 2, axis=0), shape) for each in (shared_mean, ops.log(shared_var))]
    return tuple(ops.where(changed, own, shared) for own, shared in zip((mean, log_var), pick, strict=True))


@register_keras_serializable(package="tsdsae_keras")
class PCL(PairModel):
    """Permutation-contrastive learning (Hyvarinen, Morioka, AISTATS 2017): an encoder h that tells neighbouring frames
    from frames put together at random, and no decoder.

        score(x', x) = -sum_d |a_d h'_d + b_d h_d + c_d| + sum_d h'_d^2 + e

    The loss is that of a logistic regression on the score: 1 for the pairs of the batch, x the first frame and x' the
    second, 0 for the same with x shuffled. Draws: "permutation", an order of the pairs.

    Args:
        x_shape, z_dim, units, seed: as in `SlowVAE`.

    Raises:
        InputError: if an argument is invalid.
    """

    all_terms = ("logistic",)
    monitors = ("accuracy",)
    term_weights = {"logistic": 1.0}

    def __init__(self, x_shape=(64, 64, 1), z_dim=10, *, units=(64, 64), seed=None, **kwargs):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(config, **kwargs)

    def make_parts(self):
        super().make_parts()
        sizes = {"a": (1.0, self.z_dim), "b": (-1.0, self.z_dim), "c": (0.0, self.z_dim), "e": (0.0, 1)}
        for name, (value, size) in sizes.items():
            setattr(self, name, self.add_weight(shape=(size,), initializer=Constant(value), name=name))

    def encoder_outputs(self):
        return self.z_dim

    def call(self, batch, training=False):
        return {"mean": self.encoder(self.frames(batch))}

    def terms(self, batch, outputs, training=False):
        before, after = ops.unstack(of.pairs(outputs["mean"]), 2, axis=1)
        if training or self.is_given("permutation"):
            n = self.whole_size(before)
            order = ops.cast(self.draw("permutation", lambda seed: own_ops.permutation(n, seed)), "int32")
        else:
            order = own_ops.rotation(ops.shape(before)[0])
        true, false = self.score(after, before), self.score(after, self.take(before, order))
        loss = ops.mean(ops.softplus(-true)) + ops.mean(ops.softplus(false))
        right = ops.mean(ops.cast(true > 0, "float32")) + ops.mean(ops.cast(false < 0, "float32"))
        return {"logistic": loss / 2, "accuracy": right / 2}

    def score(self, after, before):
        """(pairs,), high where the two are thought to be neighbours."""
        apart = ops.sum(ops.abs(self.a * after + self.b * before + self.c), axis=-1)
        return ops.sum(ops.square(after), axis=-1) - apart + self.e

    @arrays_for_arrays
    def encode(self, x):
        """{"mean": h}, (frames, z_dim)."""
        return {"mean": self.encoder(self.frames(x, paired=False))}
