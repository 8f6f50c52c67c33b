"""The baselines of class-pose decomposition: a learned action, and a vector that is rotated."""

import itertools
import math

from keras import ops
from keras.saving import register_keras_serializable

from tsdsae_keras.families.cpd import losses
from tsdsae_keras.families.cpd.checks import validate_config
from tsdsae_keras.families.cpd.equivariant import EquivariantModel, partners
from tsdsae_keras.families.cpd.model import class_distance
from tsdsae_keras.families.cpd.networks import linear
from tsdsae_keras.groups import find_group

VECTOR = "rotate_vector"


@register_keras_serializable(package="tsdsae_keras")
class MDPHomomorphism(EquivariantModel):
    """MDP homomorphism: a latent without structure, and a network that learns what an action does to it.

    act(z, g) = f(z, g), two hidden layers with ReLU; the flattened action follows the latent. Terms, each of weight 1:

    - equivariance: the mean of (f(z(x), g) - z(y))^2 over batch and latents;
    - hinge: the mean of max(0, 1 - |z(y) - z(y of a partner)|).

    Draws that can be given: "permutation", the partners of the hinge.

    Args:
        group, dims: of the actions; only their shape is used.
        latent_dim: numbers of the latent.
        units: of the hidden layers of f.
        channels, encoder, width, batch_norm, term_weights, seed: as in `CPD`.
    """

    all_terms = ("equivariance", "hinge")

    def __init__(
        self,
        group="translate",
        dims=3,
        channels=1,
        *,
        encoder="cnn",
        width=64,
        batch_norm=None,
        latent_dim=11,
        units=128,
        term_weights=None,
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(validate_config(config, self.all_terms), **kwargs)
        self.poses = find_group(self.group, self.dims)
        self._make_encoder(self.latent_dim)
        action_dim = math.prod(self.poses.action_shape)
        widths = (self.latent_dim + action_dim, self.units, self.units, self.latent_dim)
        self.action_layers = [
            linear(fan, out, None if i == 2 else "relu", name=f"action_{i}")
            for i, (fan, out) in enumerate(itertools.pairwise(widths))
        ]
        self.build()

    group_dim = property(lambda self: self.latent_dim, doc="How many numbers of a code the actions change: all.")

    def code_of(self, raw):
        return raw

    def act_on_code(self, action, code):
        flat = ops.reshape(action, (-1, math.prod(self.poses.action_shape)))
        code = ops.concatenate([code, flat], axis=-1)
        for layer in self.action_layers:
            code = layer(code)
        return code

    def terms(self, batch, outputs, training=False):
        true = outputs["code_y"]
        return {
            "equivariance": ops.mean(ops.square(outputs["acted"] - true)),
            "hinge": losses.push_apart(true, self.take(true, partners(self, true, training))),
        }

    def distance(self, predicted, true):
        """What decides a hit: the squared L2 distance of the latents."""
        return class_distance(predicted, true, cosine=False)


@register_keras_serializable(package="tsdsae_keras")
class Linear(EquivariantModel):
    """The linear baseline: the pose is moved as in `CPD`, by rotations a plain vector; further numbers stay.

    Nothing ties the further numbers of x to those of y: with the published three of them the hinge is satisfied by
    them alone. `extra_dim=0` is the fair baseline. Terms, each of weight 1: equivariance of the pose, and hinge, the
    mean of max(0, 1 - |code(y) - code(y of a partner)|) of whole codes.

    Draws that can be given: "permutation", the partners of the hinge.

    Args:
        group: as in `CPD`; all groups of rotations mean "rotate_vector".
        extra_dim: further numbers.
        dims, channels, encoder, width, batch_norm, term_weights, seed: as in `CPD`.
    """

    all_terms = ("equivariance", "hinge")

    def __init__(
        self,
        group="translate",
        dims=3,
        channels=1,
        *,
        encoder="cnn",
        width=64,
        batch_norm=None,
        extra_dim=3,
        term_weights=None,
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(validate_config(config, self.all_terms, least_extra=0), **kwargs)
        self.poses = find_group(VECTOR if self.group.startswith("rotate") else self.group, self.dims)
        self._make_encoder(self.poses.action_dim + self.extra_dim)
        self.build()

    group_dim = property(lambda self: self.poses.group_dim, doc="How many numbers of a code are the pose.")

    def code_of(self, raw):
        k = self.poses.action_dim
        return ops.concatenate([self.poses.pose_activation(raw[:, :k]), raw[:, k:]], axis=-1)

    def act_on_code(self, action, code):
        return ops.concatenate([self.poses.act(action, code[:, : self.group_dim]), code[:, self.group_dim :]], axis=-1)

    def terms(self, batch, outputs, training=False):
        moved, true, n = outputs["acted"], outputs["code_y"], self.group_dim
        return {
            "equivariance": losses.equivariance(self.poses, moved[:, :n], true[:, :n]),
            "hinge": losses.push_apart(true, self.take(true, partners(self, true, training))),
        }

    def distance(self, predicted, true):
        """What decides a hit: the squared L2 distance of whole codes."""
        return class_distance(predicted, true, cosine=False)
