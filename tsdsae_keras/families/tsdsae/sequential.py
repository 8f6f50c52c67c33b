"""The base of all models: one code for a sequence (v), one for every frame (z), and everything they share.

A model is this base plus its own terms. Shapes: x (batch, time, features), v (batch, v_dim), z (batch, time, z_dim),
mask (batch, time), true where a frame is valid; padding stands at the end.
"""

import keras
from keras import ops

from tsdsae_keras import ops as own_ops
from tsdsae_keras.base.stages import Stages
from tsdsae_keras.base.steps import TrainStep
from tsdsae_keras.families.tsdsae.checks import checked_config
from tsdsae_keras.families.tsdsae.codes import Codes
from tsdsae_keras.families.tsdsae.decoders import Decoder
from tsdsae_keras.families.tsdsae.encoders import GlobalEncoder, LocalEncoder
from tsdsae_keras.families.tsdsae.transitions import Transition
from tsdsae_keras.networks.initial import draw_as_pytorch
from tsdsae_keras.networks.native import squared_error
from tsdsae_keras.networks.sampling import Sampling
from tsdsae_keras.networks.standardize import BandStandardization

LOCAL_KINDS = {"factorised": "frame", "full": "sequence"}


class SequentialVAE(TrainStep, Codes, Stages, keras.Model):
    """A sequential autoencoder with a global code v and local codes z_1:T.

    `call` returns a flat dict of all that the loss needs, `terms` turns it into named scalars, `compute_loss` weighs
    them. Training, the stages and the public methods that encode, swap and generate are inherited.

    Args:
        features: values of a frame (mel bands).
        z_dim: dimensions of z.
        v_dim: dimensions of v.
        local_encoder: "factorised", q(z_t | x_t), or "full", q(z_t | x_1:T, v).
        global_encoder: "frame" or "sequence" (recurrent).
        decoder: "frame", p(x_t | z_t, v), or "sequence", the enriched p(x_t | z_1:T, v).
        v_condition: where v joins the local encoder: "none", "after" its features or "before" them; by default
            "none" for "factorised" and "after" for "full".
        global_units, local_units, transition_units, decoder_units: widths of the layers of each part.
        reduction: "mean" over frames and dimensions (the published figures) or "sum" (the exact ELBO up to the
            Gaussian's constant: half the squared error, summed).
        term_weights: weight by name of a term, 1 where not given; 0 leaves a term out.
        swap_pairs: partners in training, for models that swap: "independent", a permutation for each swap, or
            "shared", the inverse of the global swap's for the local swap. Both then pair the same z with the same v
            and are computed once; every permutation is as likely as before, so the mean of the loss is the same.
        initial_weights: "keras", with which training is faster, or "pytorch", of the published figures.
        standardize: whether bands are standardised inside the model; the loss stays on the scale of x.
        precision: "float32", or "mixed_bfloat16": the products of Dense trunks and of the decoder's output are taken
            in bfloat16, all else (weights, heads, recurrence, loss) stays float32.
        front_end: settings of the features it is trained on, kept for those who load it.
        stage: 1, or 2 where the model has a second stage.
        seed: of the draws; None takes Keras's global seed.

    Raises:
        InputError: for a value that cannot be.
    """

    stages = 1
    all_terms = ("recon", "kl_z", "kl_v")

    def __init__(
        self,
        features=80,
        z_dim=16,
        v_dim=16,
        *,
        local_encoder="factorised",
        global_encoder="frame",
        decoder="frame",
        v_condition=None,
        global_units=(64, 64),
        local_units=(64, 64),
        transition_units=(32, 32),
        decoder_units=(64, 64),
        reduction="mean",
        term_weights=None,
        swap_pairs="independent",
        initial_weights="keras",
        standardize=True,
        precision="float32",
        front_end=None,
        stage=1,
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        config = checked_config(config, type(self))
        # Keras would number the names of later instances, and with them the paths of weights.
        super().__init__(**{"name": type(self).__name__.lower(), **kwargs})
        for name, value in config.items():
            setattr(self, name, value)
        self._config = config
        self._make_parts()
        self._make_trackers()
        self.build((None, None, self.features))
        if self.initial_weights == "pytorch":
            draw_as_pytorch(self, self.seed)
        self._freeze()

    def _make_parts(self):
        kind = LOCAL_KINDS[self.local_encoder]
        self.standardization = BandStandardization(name="standardization")
        how = {"precision": self.precision}
        self.q_v = GlobalEncoder(self.v_dim, self.global_encoder, self.global_units, **how, name="global_encoder")
        local = (self.z_dim, self.v_dim, kind, self.v_condition, self.local_units)
        self.q_z = LocalEncoder(*local, **how, name="local_encoder")
        self.p_z = Transition(self.z_dim, self.transition_units, name="transition")
        self.p_x = Decoder(self.features, self.decoder, self.decoder_units, **how, name="decoder")
        self.sampling = Sampling(self.seed, name="sampling")

    def _make_trackers(self):
        self.trackers = {name: keras.metrics.Mean(name=name) for name in self.all_terms}
        self.norm_tracker = keras.metrics.Mean(name="gradient_norm")
        self.skipped_tracker = keras.metrics.Sum(name="skipped_steps")

    def build(self, input_shape):
        frames = (None, None, self.features)
        for part in (self.standardization, self.q_v, self.q_z):
            part.build(frames)
        self.p_z.build((None, None, self.z_dim))
        self.p_x.build((None, None, self.z_dim + self.v_dim))
        self.sampling.build()

    def active_terms(self):
        """Names of the terms of the current stage whose weight is not 0."""
        return tuple(name for name in self.all_terms if self.term_weights[name])

    def idle_terms(self):
        """Names of the active terms that nothing which trains can change; a training step leaves them out."""
        fixed = self.v_condition == "none" and not (self.q_z.trainable or self.p_z.trainable)
        return ("kl_z",) if fixed and self.term_weights["kl_z"] else ()

    def call(self, inputs, training=False):
        x, mask = split_inputs(inputs)
        return self.one_pass(x, mask, sample=training, prior=not (training and self.idle_terms()))

    def one_pass(self, x, mask=None, sample=False, prior=True):
        """One pass: reconstruction, samples (means where `sample` is false), posteriors and priors, and the mask.

        Without `prior`, that of z is left out, and with it the transition.
        """
        x = self.standardized(x, mask)
        v, v_posterior = self.infer_v(x, mask, sample)
        z, z_posterior = self.infer_z(x, v, mask, sample)
        outputs = {
            "reconstruction": self.rendered(z, v, mask),
            **{"v": v, "z": z},
            **named("v", v_posterior),
            **named("z", z_posterior),
            **(named("z_prior", self.p_z(z)) if prior else {}),
            **named("v_prior", self.v_prior(x, mask, v_posterior)),
        }
        return outputs if mask is None else outputs | {"mask": mask}

    def standardized(self, x, mask=None):
        """x as the networks see it, padding set to zero."""
        return own_ops.hide_padding(self.standardization(x) if self.standardize else x, mask)

    def rendered(self, z, v, mask=None):
        """The decoder's output on the scale of x."""
        x = self.p_x(z, v, mask=mask)
        return self.standardization.restore(x) if self.standardize else x

    def infer_v(self, x, mask=None, sample=False, behind=None):
        """v and (mean, log-variance) of q(v | x), x standardised, or what a linear layer `behind` x makes of it."""
        posterior = self.q_v(x, mask=mask, behind=behind)
        return self.sampling(*posterior) if sample else posterior[0], posterior

    def infer_z(self, x, v, mask=None, sample=False, behind=None):
        """z and (mean, log-variance) of q(z | x, v), x as for `infer_v`."""
        posterior = self.q_z(x, v, mask=mask, behind=behind)
        return self.sampling(*posterior) if sample else posterior[0], posterior

    def v_prior(self, x, mask, v_posterior):
        """(mean, log-variance) of p(v): N(0, I) here."""
        return tuple(ops.zeros_like(parameter) for parameter in v_posterior)

    def terms(self, x, outputs, *, sample=False, permutations=None):
        """The named scalars of the loss, unweighted; those of weight 0 are left out, and kl_z without a prior of z.

        Args:
            x: the sequences; or a dict with "x" and "mask".
            outputs: of `call` on them.
            sample: whether a second pass draws its v or takes the mean.
            permutations: partners of the swaps, for models that swap.
        """
        x, mask = split_inputs(x)
        x = own_ops.hide_padding(x, mask)
        terms = {"recon": self.reconstruction_error(x, outputs["reconstruction"], mask)}
        if "z_prior_mean" in outputs:
            terms["kl_z"] = self.kl_frames(gaussian(outputs, "z"), gaussian(outputs, "z_prior"), mask)
        terms["kl_v"] = self.kl_codes(gaussian(outputs, "v"), gaussian(outputs, "v_prior"))
        return {name: value for name, value in terms.items() if self.term_weights[name]}

    def reconstruction_error(self, x, reconstruction, mask=None):
        """mean (x - x_hat)^2, or half the sum of it."""
        scale = 1.0 if self.reduction == "mean" else 0.5
        if mask is not None:
            return scale * own_ops.reduce_frames(ops.square(x - reconstruction), mask, self.reduction)
        count = ops.size(x) if self.reduction == "mean" else ops.shape(x)[0]
        return scale * squared_error(x, reconstruction) / ops.cast(count, "float32")

    def kl_frames(self, posterior, prior, mask=None):
        """KL between Gaussians of every frame, reduced to a number."""
        return own_ops.reduce_frames(own_ops.gaussian_kl(*posterior, *prior), mask, self.reduction)

    def kl_codes(self, posterior, prior):
        """KL between Gaussians of sequences, reduced to a number."""
        return own_ops.reduce_codes(own_ops.gaussian_kl(*posterior, *prior), self.reduction)

    def weighted_sum(self, terms):
        """The loss."""
        return sum(self.term_weights[name] * value for name, value in terms.items())

    def loss_terms(self, x, mask=None, *, sample=True, permutations=None):
        """The scalars of the current stage and their weighted sum, "loss"; gradients flow.

        Args:
            x: (batch, time, features).
            mask: (batch, time), or None where all frames are valid.
            sample: whether latents are drawn or at their means.
            permutations: for models that swap, the partners (pi_global, pi_local), each (batch,), or None as
                pi_local for the inverse of pi_global; drawn where `sample` is true and not given, else the next in
                the batch.
        """
        x, mask = split_inputs({"x": x, "mask": mask})
        outputs = self.one_pass(x, mask, sample)
        terms = self.terms({"x": x, "mask": mask}, outputs, sample=sample, permutations=permutations)
        return terms | {"loss": self.weighted_sum(terms)}

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        terms = self.terms(x, y_pred, sample=training)
        loss = self.weighted_sum(terms)
        finite = ops.isfinite(loss)
        weight = ops.where(finite, ops.cast(ops.shape(y_pred["v"])[0], "float32"), 0.0)
        for name, value in terms.items():
            self.trackers[name].update_state(ops.where(finite, value, 0.0), sample_weight=weight)
        return loss

    def get_metrics_result(self):
        names = ("loss", *self.active_terms())
        results = super().get_metrics_result()
        return {name: results[name] for name in names if name in results}

    def adapt(self, x):
        """Sets the standardisation from x: an array, a dict with "x" and "mask", or an iterable of such (tf.data)."""
        batches = [x] if isinstance(x, dict) or hasattr(x, "ndim") else x
        self.standardization.adapt(valid_frames(*split_inputs(batch)) for batch in batches)

    def fit(self, x=None, *args, **kwargs):
        if self.standardize and not self.standardization.adapted and x is not None:
            self.adapt(x)
        return super().fit(x, *args, **kwargs)

    def get_config(self):
        return {"name": self.name} | self._config | {"stage": self.stage}


def split_inputs(inputs):
    """x and mask (bool, or None) as tensors, from an array or a dict with "x" and "mask"."""
    x, mask = (inputs["x"], inputs.get("mask")) if isinstance(inputs, dict) else (inputs, None)
    return ops.convert_to_tensor(x), None if mask is None else ops.cast(mask, "bool")


def valid_frames(x, mask):
    """Frames (n, features) without padding, as an array."""
    x = ops.convert_to_numpy(x)
    return x.reshape(-1, x.shape[-1]) if mask is None else x[ops.convert_to_numpy(mask)]


def named(name, gaussian_parameters):
    """{name_mean, name_log_var}."""
    return dict(zip((f"{name}_mean", f"{name}_log_var"), gaussian_parameters, strict=True))


def gaussian(outputs, name):
    """(mean, log-variance) of a Gaussian in a dict of outputs."""
    return outputs[f"{name}_mean"], outputs[f"{name}_log_var"]
