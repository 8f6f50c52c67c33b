"""The base of all models: one code for a sequence (v), one for every frame (z), and everything they share.

A model is this base plus its own terms. Shapes: x (batch, time, features), v (batch, v_dim), z (batch, time, z_dim),
mask (batch, time), true where a frame is valid; padding is at the end.
"""

from functools import partial

from keras import ops, random

from tsdsae_keras import ops as own_ops
from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.base.stages import StagedModel
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.augmentation import add_noise, at_level, draw_level
from tsdsae_keras.families.tsdsae.checks import validate_config
from tsdsae_keras.families.tsdsae.independence import correlation
from tsdsae_keras.families.tsdsae.inputs import frames_of, gaussian, name_gaussian, split_inputs, valid_frames
from tsdsae_keras.families.tsdsae.networks import Decoder, GlobalEncoder, LocalEncoder, Transition
from tsdsae_keras.families.tsdsae.roll_out import draw_codes
from tsdsae_keras.families.tsdsae.v_input import v_input
from tsdsae_keras.networks.initial import draw_as_pytorch
from tsdsae_keras.networks.native import squared_error
from tsdsae_keras.networks.standardize import BandStandardization

LOCAL_KINDS = {"factorised": "frame", "full": "sequence"}


class SequentialVAE(StagedModel):
    """A sequential autoencoder with a global code v and local codes z_1:T.

    A batch is x (batch, time, features), or a dict of "x" and "mask" (batch, time). The public methods on codes take
    numpy arrays and give numpy arrays, or take tensors of the backend and give tensors; latents are at their means.

    Args:
        features: values of a frame (mel bands).
        z_dim, v_dim: dimensions of z and of v.
        local_encoder: "factorised", q(z_t | x_t), or "full", q(z_t | x_1:T, v).
        global_encoder: "frame" or "sequence" (recurrent).
        decoder: "frame", p(x_t | z_t, v), or "sequence", the enriched p(x_t | z_1:T, v).
        v_condition: where v joins the local encoder: "none", "after" its features or "before" them; by default
            "none" for "factorised" and "after" for "full".
        global_units, local_units, transition_units, decoder_units: widths of the layers of each part.
        reduction: "mean" over frames and dimensions, as published, or "sum", the ELBO but for the Gaussian's constant.
        term_weights: weight by name of a term, 1 where not given (0 of `optional_terms`); 0 leaves a term out.
        z_noise: of z in training, in standard deviations of each dimension; see `augmentation.add_noise`.
        level_db: by how many dB at most the level of a batch is moved in training; see `augmentation.draw_level`.
        v_source, v_transpose: what v is inferred from in training, and semitones it is moved by; see `v_input`.
        swap_pairs: partners in training, for models that swap: "independent", a permutation for each swap, or
            "shared", the inverse of the global swap's for the local one: both then decode the same pairs of z and v.
        stage_one_z: z while the local parts are frozen: "encoder", that of the frozen encoder, or "noise", N(0, I), by
            which a decoder that sees the whole sequence must take the sound from v.
        initial_weights: "keras", with which training is faster, or "pytorch", of the published figures.
        standardize: whether bands are standardised inside the model; the loss stays on the scale of x.
        precision: "float32", or "mixed_bfloat16" for the products of Dense trunks and of the decoder's output alone.
        front_end: settings of the features it is trained on, kept for those who load it.
        stage: 1, or 2 where the model has a second stage.
        seed: of the draws; None takes Keras's global seed.

    Raises:
        InputError: if an argument is invalid.
    """

    selection_terms = ("recon", "kl_z", "kl_v")
    all_terms = (*selection_terms, "corr_zv")
    optional_terms = ("corr_zv",)  # see `independence.correlation`

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
        z_noise=0.0,
        level_db=0.0,
        v_source="sequence",
        v_transpose=0.0,
        swap_pairs="independent",
        stage_one_z="encoder",
        initial_weights="keras",
        standardize=True,
        precision="float32",
        front_end=None,
        stage=1,
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(validate_config(config, type(self)), **kwargs)
        self._make_parts()
        self.build((None, None, self.features))
        if self.initial_weights == "pytorch":
            draw_as_pytorch(self, self.seed)
        self.freeze()

    def _make_parts(self):
        kind = LOCAL_KINDS[self.local_encoder]
        self.standardization = BandStandardization(name="standardization")
        how = {"precision": self.precision}
        self.q_v = GlobalEncoder(self.v_dim, self.global_encoder, self.global_units, **how, name="global_encoder")
        local = (self.z_dim, self.v_dim, kind, self.v_condition, self.local_units)
        self.q_z = LocalEncoder(*local, **how, name="local_encoder")
        self.p_z = Transition(self.z_dim, self.transition_units, name="transition")
        self.p_x = Decoder(self.features, self.decoder, self.decoder_units, **how, name="decoder")

    def build(self, input_shape):
        frames = (None, None, self.features)
        for part in (self.standardization, self.q_v, self.q_z):
            part.build(frames)
        self.p_z.build((None, None, self.z_dim))
        self.p_x.build((None, None, self.z_dim + self.v_dim))

    def parts(self):
        return {part.name: part for part in (self.q_v, self.q_z, self.p_z, self.p_x)}

    def idle_terms(self):
        fixed = self.v_condition == "none" and not (self.q_z.trainable or self.p_z.trainable)
        return ("kl_z",) if fixed and self.term_weights["kl_z"] else ()

    def call(self, inputs, training=False):
        x, mask = split_inputs(inputs)
        return self.one_pass(x, mask, sample=training, prior=not (training and self.idle_terms()))

    def one_pass(self, x, mask=None, sample=False, prior=True):
        """One pass: reconstruction, samples (means where `sample` is false), posteriors and priors, and the mask.

        Without `prior`, that of z is left out, and with it the transition.
        """
        level = draw_level(self, sample)
        frames = at_level(x, level)
        x = self.standardized(frames, mask)
        heard = v_input(self, frames, x, mask, sample)
        v, v_posterior = self.infer_v(*heard, sample)
        z, z_posterior = self.infer_z(x, v, mask, sample)
        outputs = level | {
            "reconstruction": self.rendered(z, v, mask),
            **{"v": v, "z": z},
            **name_gaussian("v", v_posterior),
            **name_gaussian("z", z_posterior),
            **(name_gaussian("z_prior", self.p_z(z)) if prior else {}),
            **name_gaussian("v_prior", self.v_prior(*heard, v_posterior)),
        }
        return outputs if mask is None else outputs | {"mask": mask}

    def standardized(self, x, mask=None):
        """x as the networks see it, padding set to zero."""
        return own_ops.zero_padding(self.standardization(x) if self.standardize else x, mask)

    def rendered(self, z, v, mask=None):
        """The decoder's output on the scale of x: (batch, time, features)."""
        return self.rendered_from(self.p_x.hidden(z, v, mask))

    def rendered_from(self, hidden):
        """The same of what the decoder's output layer takes."""
        x = own_ops.apply_to_rows(self.p_x.output_layer, hidden)
        return self.standardization.restore(x) if self.standardize else x

    def infer_v(self, x, mask=None, sample=False):
        """v and (mean, log-variance) of q(v | x), x standardised."""
        posterior = self.q_v(x, mask=mask)
        return self.latent("eps_v", posterior, sample), posterior

    def infer_z(self, x, v, mask=None, sample=False):
        """z and (mean, log-variance) of q(z | x, v), x standardised."""
        posterior = self.q_z(x, v, mask=mask)
        noise = self.stage_one_z == "noise" and self.stage < self.stages
        drawn = tuple(map(ops.zeros_like, posterior)) if noise else posterior
        return add_noise(self, self.latent("eps_z", drawn, sample), mask, sample), posterior

    def latent(self, name, posterior, sample):
        """mean + e^(log_var / 2) noise, the noise drawn or given as `name`; else the mean."""
        if not (sample or self.is_given(name)):
            return posterior[0]
        mean, log_var = posterior
        noise = self.draw_rows(name, ops.shape(mean), partial(random.normal, dtype=mean.dtype))
        return mean + ops.exp(0.5 * log_var) * noise

    def v_prior(self, x, mask, v_posterior):
        """(mean, log-variance) of p(v): N(0, I) here."""
        return tuple(ops.zeros_like(parameter) for parameter in v_posterior)

    def terms(self, batch, outputs, training=False):
        x, mask = split_inputs(batch)
        x = own_ops.zero_padding(at_level(x, outputs), mask)
        terms = {"recon": self.reconstruction_error(x, outputs["reconstruction"], mask)}
        if "z_prior_mean" in outputs:
            terms["kl_z"] = self.kl_frames(gaussian(outputs, "z"), gaussian(outputs, "z_prior"), mask)
        terms["kl_v"] = self.kl_codes(gaussian(outputs, "v"), gaussian(outputs, "v_prior"))
        if self.term_weights["corr_zv"]:
            terms["corr_zv"] = correlation(*map(self.whole, (outputs["z_mean"], outputs["v_mean"], mask)))
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

    def loss_terms(self, x, mask=None, *, draws=None, sample=False, permutations=None):
        """The scalars of the current stage and their weighted sum, "loss"; gradients flow.

        Args:
            x, mask: (batch, time, features) and (batch, time), or x a dict of both.
            draws: {name: array} in place of random draws: "eps_v" (batch, v_dim), "eps_z" (batch, time, z_dim),
                "eps_v_swap", noise of the codes; "eps_z_noise", as eps_z, that of `z_noise`; "level" (1, 1, 1), from
                -1 to 1, that of `level_db`; "transpose" (batch, 1, 1), the same of `v_transpose`; "permutations", a
                pair (pi_global, pi_local) of orders, j = pi(i), pi_local None for the inverse of pi_global.
            sample: whether codes and partners not given are drawn; otherwise codes are means, and each sequence's
                partner is the next in the batch.
            permutations: the same as in `draws`.
        """
        batch = x if isinstance(x, dict) else {"x": x, "mask": mask}
        draws = dict(draws or {}) | ({} if permutations is None else {"permutations": permutations})
        with self.given_draws(draws):
            outputs = self.one_pass(*split_inputs(batch), sample)
            terms = self.terms(batch, outputs, training=sample)
        return terms | {"loss": self.weighted_sum(terms)}

    def adapt(self, x):
        """Sets the standardisation from x: an array, a dict with "x" and "mask", or an iterable of such (tf.data)."""
        batches = [x] if isinstance(x, dict) or hasattr(x, "ndim") else x
        self.standardization.adapt(valid_frames(*split_inputs(batch)) for batch in batches)

    def fit(self, x=None, *args, **kwargs):
        if self.standardize and not self.standardization.adapted and x is not None:
            self.adapt(x)
        return super().fit(x, *args, **kwargs)

    @arrays_for_arrays
    def encode(self, x, mask=None):
        """The posteriors of x (batch, time, features): v_mean, v_log_var (batch, v_dim), z_mean, z_log_var
        (batch, time, z_dim)."""
        x, mask = frames_of(x, self.features), None if mask is None else ops.cast(mask, "bool")
        x = self.standardized(x, mask)
        v, v_posterior = self.infer_v(x, mask)
        _, z_posterior = self.infer_z(x, v, mask)
        return name_gaussian("v", v_posterior) | name_gaussian("z", z_posterior)

    @arrays_for_arrays
    def embed(self, x, mask=None):
        """What represents the whole of x (batch, time, features): the means of v (batch, v_dim)."""
        return self.encode(ops.convert_to_tensor(x), mask)["v_mean"]

    @arrays_for_arrays
    def decode(self, z, v, mask=None):
        """x (batch, time, features) from z (batch, time, z_dim) and v (batch, v_dim)."""
        z, v = ops.convert_to_tensor(z), ops.convert_to_tensor(v)
        return self.rendered(z, v, None if mask is None else ops.cast(mask, "bool"))

    @arrays_for_arrays
    def reconstruct(self, x, mask=None):
        """x encoded and decoded."""
        codes = self.encode(ops.convert_to_tensor(x), mask)
        return self.decode(codes["z_mean"], codes["v_mean"], mask)

    @arrays_for_arrays
    def swap(self, melody, timbre):
        """x with the z of `melody` (batch, time, features) and the v of `timbre`, of equal batch or a batch of 1."""
        z = self.encode(ops.convert_to_tensor(melody))["z_mean"]
        v = self.encode(ops.convert_to_tensor(timbre))["v_mean"]
        if v.shape[0] not in (1, z.shape[0]):
            raise InputError(f"timbre has {v.shape[0]} sequences; it must have 1 or as many as melody, {z.shape[0]}")
        return self.decode(z, ops.broadcast_to(v, (z.shape[0], v.shape[-1])))

    def generate(self, n, frames, *, v=None, noise=None, seed=None):
        """n new sequences of `frames` frames: v from N(0, I), z from the transition; (n, frames, features), numpy.

        Args:
            n, frames: how many, and the length of each.
            v: (n, v_dim), codes to use instead: after stage 2, those of real sequences give better sound, as the
                posterior is tied to the informed prior, not to N(0, I).
            noise: (n, frames, z_dim), of N(0, I), for z. With v and noise given, every backend makes the same.
            seed: of the draws; None continues the model's own generator.

        Raises:
            InputError: v or noise has another shape.
        """
        return ops.convert_to_numpy(self.rendered(*draw_codes(self, n, frames, v, noise, seed)))
