"""TS-DSAE: two-stage training with an informed prior and swap terms."""

from keras import ops
from keras.saving import register_keras_serializable

from tsdsae_keras import ops as own_ops
from tsdsae_keras.families.tsdsae.discrepancy import discrepancy
from tsdsae_keras.families.tsdsae.inputs import gaussian, split_inputs
from tsdsae_keras.families.tsdsae.networks import GlobalEncoder
from tsdsae_keras.families.tsdsae.sequential import SequentialVAE

SWAP_TERMS = ("kl_v_gswap", "kl_z_gswap", "kl_v_lswap", "kl_z_lswap")
STAGE_TWO_TERMS = (*SWAP_TERMS, "mmd_swap")


@register_keras_serializable(package="tsdsae_keras")
class TSDSAE(SequentialVAE):
    """TS-DSAE (Luo, Ewert, Dixon, IJCAI 2022, arXiv 2205.05871).

    Stage 1 freezes the local encoder and the transition, so v must carry what the decoder needs. Stage 2 thaws them,
    takes the snapshot q_C(v | x_i) of the global encoder as the prior of v_i, and adds four swap terms:

        x_g = decode(z_i, v_j):  kl_v_gswap = KL[q(v | x_g), q(v | x_j)],  kl_z_gswap = KL[q(z | x_g), q(z | x_i)]
        x_l = decode(z_j, v_i):  kl_v_lswap = KL[q(v | x_l), q(v | x_i)],  kl_z_lswap = KL[q(z | x_l), q(z | x_j)]

    with j a random partner in the batch, drawn for each swap (see `swap_pairs`). Arguments and errors are those of
    `SequentialVAE`; the weights of the four terms are in `term_weights` (all four at 0: "TS-DSAE without
    regularisation"). mmd_swap, not in the paper, is left out unless it is given a weight; see `discrepancy`.
    """

    stages = 2
    all_terms = (*SequentialVAE.all_terms, *STAGE_TWO_TERMS)
    optional_terms = (*SequentialVAE.optional_terms, "mmd_swap")

    def active_terms(self):
        names = super().active_terms()
        return names if self.stage == 2 else tuple(name for name in names if name not in STAGE_TWO_TERMS)

    def _make_parts(self):
        super()._make_parts()
        # From birth, because Keras adds no layer to a built model; frozen and copied into at the switch.
        sizes = (self.v_dim, self.global_encoder, self.global_units)
        self.informed_prior = GlobalEncoder(*sizes, precision=self.precision, name="informed_prior")

    def build(self, input_shape):
        super().build(input_shape)
        self.informed_prior.build((None, None, self.features))

    def parts(self):
        return super().parts() | {"informed_prior": self.informed_prior}

    def frozen_parts(self):
        return (self.q_z, self.p_z, self.informed_prior) if self.stage == 1 else (self.informed_prior,)

    def leave_stage(self):
        # Informs the prior of stage 2: the global encoder as it is now.
        self.informed_prior.set_weights(self.q_v.get_weights())

    def v_prior(self, x, mask, v_posterior):
        if self.stage == 1:
            return super().v_prior(x, mask, v_posterior)
        return tuple(ops.stop_gradient(parameter) for parameter in self.informed_prior(x, mask=mask))

    def terms(self, batch, outputs, training=False):
        terms = super().terms(batch, outputs, training)
        active = self.active_terms()
        if not any(name in STAGE_TWO_TERMS for name in active):
            return terms
        mask, (pi_g, pi_l) = split_inputs(batch)[1], self._partners(outputs["v"], training)
        hidden = self._decode_swap(outputs, mask, None, pi_g)
        if any(name in SWAP_TERMS for name in active):
            swaps = self.swap_terms(outputs, mask, pi_g, pi_l, training, hidden)
            terms |= {name: value for name, value in swaps.items() if self.term_weights[name]}
        if "mmd_swap" in active:
            rows = (self.rendered_from(hidden), outputs["reconstruction"], outputs["v_mean"])
            terms["mmd_swap"] = discrepancy(*map(self.whole, rows), pi_g, self.whole(mask))
        return terms

    def _partners(self, v, training):
        """pi_global and pi_local, orders of the batch; pi_local None where both swaps share their pairs."""
        n = self.whole_size(v)
        if self.is_given("permutations"):
            return (None if order is None else ops.cast(order, "int32") for order in self.given("permutations"))
        if not training:
            return [own_ops.rotation(n)] * 2
        pi_g = own_ops.permutation(n, self.sampling.generator)
        return pi_g, None if self.swap_pairs == "shared" else own_ops.permutation(n, self.sampling.generator)

    def swap_terms(self, outputs, mask, pi_g, pi_l, training=False, hidden=None):
        """The four swap terms by name; see the class for their formulas.

        Args:
            outputs: of `call`.
            mask: (batch, time) or None.
            pi_g, pi_l: partners j = pi(i) of the global and of the local swap. Without pi_l its inverse of pi_g is
                meant: both swaps then decode the same pairs (z, v), so one pass gives the terms of both.
            training: whether a full local encoder takes a sample of the swapped v or its mean.
            hidden: of the decoder for the global swap, where it is known.
        """
        global_swap = self._swap_kls(outputs, mask, None, pi_g, training, hidden)
        local_swap = global_swap if pi_l is None else self._swap_kls(outputs, mask, pi_l, None, training)
        return dict(zip(SWAP_TERMS, (*global_swap, *local_swap), strict=True))

    def _decode_swap(self, outputs, mask, z_rows, v_rows):
        """What the decoder's output layer takes for z and v of these rows."""
        z, v = self.take(outputs["z"], z_rows), self.take(outputs["v"], v_rows)
        return self.p_x.hidden(z, v, self.take(mask, z_rows))

    def _swap_kls(self, outputs, mask, z_rows, v_rows, training, hidden=None):
        """KL[q(v | swap), q(v | giver of v)], KL[q(z | swap), q(z | giver of z)] for z and v of these rows."""
        hidden = self._decode_swap(outputs, mask, z_rows, v_rows) if hidden is None else hidden
        mask = self.take(mask, z_rows)
        q_v, q_z = self._encode_swap(hidden, mask, training)
        v_giver = [self.take(parameter, v_rows) for parameter in gaussian(outputs, "v")]
        z_giver = [self.take(parameter, z_rows) for parameter in gaussian(outputs, "z")]
        return self.kl_codes(q_v, v_giver), self.kl_frames(q_z, z_giver, mask)

    def _encode_swap(self, hidden, mask, training):
        """q(v | x) and q(z | x, v) of the decoded x, without the transition.

        No frame is rendered: the decoder's last layer is linear, and so is what an encoder does first.
        """
        output_layer = self.p_x.output_layer
        q_v = self.q_v.encode_rendered(hidden, output_layer, mask)
        v = self.latent("eps_v_swap", q_v, training and self.v_condition != "none")
        return q_v, self.q_z.encode_rendered(hidden, output_layer, v, mask)
