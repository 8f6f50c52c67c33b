"""Class-pose decomposition: an image becomes a pose, on which the group acts, and a class, on which it does not."""

import numpy as np
from keras import ops
from keras.saving import register_keras_serializable

from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd import losses
from tsdsae_keras.families.cpd.checks import validate_config
from tsdsae_keras.families.cpd.equivariant import EquivariantModel, partners
from tsdsae_keras.families.cpd.networks import DECODERS
from tsdsae_keras.groups import find_group
from tsdsae_keras.ops import unit_vectors


@register_keras_serializable(package="tsdsae_keras")
class CPD(EquivariantModel):
    """Class-pose decomposition (Marchetti, Tegner, Varava, Kragic, AISTATS 2023, arXiv 2207.03116).

    A batch is {"x": images, "action": g, "y": images of g.x}; images (batch, 64, 64, channels) in [0, 1], or 0 to 255
    as uint8. The code (batch, group_dim + extra_dim) is the pose followed by the class. Terms, each of weight 1:

    - equivariance: how far g . pose(x) is from pose(y), see `losses.equivariance`;
    - info_nce, of the classes of x and y, each of length 1; or hinge: the mean square of their difference plus the mean
      of max(0, 1 - |class(y) - class(y of a partner)|);
    - reconstruction, with a decoder: the mean cross-entropy of the decoded codes of x and of y, halved.

    Draws that can be given: "permutation", the partners of the hinge.

    Args:
        group: of the poses, a name in `tsdsae_keras.groups.POSES`.
        dims: n of R^n, where the group is "translate".
        channels: of an image.
        encoder: "cnn" or "resnet".
        width: of the encoder's narrowest layer; 64 is the published one.
        batch_norm: of the cnn; by default where the group is of rotations, which are not learned without it.
        extra_dim: numbers of the class.
        class_loss: "info_nce" or "hinge".
        temperature: tau of InfoNCE.
        decoder: whether there is one, the encoder's mirror.
        nuclear: for rotations, the nuclear norm in the equivariance (the authors' loss of the right action).
        term_weights: weight by name of a term, 1 where not given.
        seed: of the draws.

    Raises:
        InputError: an argument is invalid, or a batch is.
    """

    all_terms = ("equivariance", "info_nce", "hinge", "reconstruction")

    def __init__(
        self,
        group="translate",
        dims=3,
        channels=1,
        *,
        encoder="cnn",
        width=64,
        batch_norm=None,
        extra_dim=8,
        class_loss="info_nce",
        temperature=0.8,
        decoder=False,
        nuclear=False,
        term_weights=None,
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(validate_config(config, self.all_terms), **kwargs)
        self.poses = find_group(self.group, self.dims)
        self._make_encoder(self.poses.action_dim + self.extra_dim)
        self.image_decoder = None
        if self.decoder:
            self.image_decoder = DECODERS[self.encoder](self.channels, self.width, name="decoder")
            self.image_decoder.build((None, self.group_dim + self.extra_dim))
        self.build()

    @property
    def group_dim(self):
        """How many numbers of a code are the pose."""
        return self.poses.group_dim

    def active_terms(self):
        idle = {"hinge" if self.class_loss == "info_nce" else "info_nce"}
        idle |= set() if self.decoder else {"reconstruction"}
        return tuple(name for name in super().active_terms() if name not in idle)

    def code_of(self, raw):
        raw_pose, extra = raw[:, : self.poses.action_dim], raw[:, self.poses.action_dim :]
        extra = unit_vectors(extra) if self.class_loss == "info_nce" else extra
        return ops.concatenate([self.poses.pose_activation(raw_pose), extra], axis=-1)

    def act_on_code(self, action, code):
        return ops.concatenate([self.poses.act(action, code[:, : self.group_dim]), code[:, self.group_dim :]], axis=-1)

    def call(self, batch, training=False):
        outputs = super().call(batch, training)
        if self.image_decoder is not None:
            both = [self.image_decoder(outputs[name], training=training) for name in ("code_x", "code_y")]
            outputs["reconstruction"] = ops.concatenate(both, axis=0)
        return outputs

    def terms(self, batch, outputs, training=False):
        moved, true, n = outputs["acted"], outputs["code_y"], self.group_dim
        terms = {"equivariance": losses.equivariance(self.poses, moved[:, :n], true[:, :n], nuclear=self.nuclear)}
        if self.class_loss == "info_nce":
            terms["info_nce"] = losses.info_nce(*map(self.whole, (moved[:, n:], true[:, n:])), self.temperature)
        else:
            terms["hinge"] = self._hinge(moved[:, n:], true[:, n:], partners(self, true, training))
        if self.image_decoder is not None:
            images = ops.concatenate(self.images_of(batch), axis=0)  # the mean over both is half the sum of the means
            terms["reconstruction"] = losses.binary_cross_entropy(outputs["reconstruction"], images)
        return terms

    def spread_classes(self, images):
        """Shifts and scales the last layer so that every number of the class has mean 0 and deviation 1 over images.

        Initial weights give nearly the same class to all images, the layer's bias; their classes of length 1 hardly
        differ then, and InfoNCE may stay at log(batch), its value for one class. For a model not yet trained.

        Args:
            images: (n, 64, 64, channels), n > 1.
        """
        raw = ops.convert_to_numpy(self.run_encoder(images))
        layer, own = self.image_encoder.linear, np.arange(raw.shape[1]) >= self.poses.action_dim
        shift = np.where(own, raw.mean(axis=0), 0.0)
        scale = np.where(own, np.maximum(raw.std(axis=0), 1e-6), 1.0)
        kernel, bias = (ops.convert_to_numpy(weight) for weight in (layer.kernel, layer.bias))
        layer.kernel.assign(kernel / scale)
        layer.bias.assign((bias - shift) / scale)

    def _hinge(self, moved, true, partner):
        return ops.mean(ops.square(moved - true)) + losses.push_apart(true, self.take(true, partner))

    @arrays_for_arrays
    def decode(self, code):
        """Images (batch, 64, 64, channels) of codes (batch, group_dim + extra_dim).

        Raises:
            InputError: the model has no decoder.
        """
        if self.image_decoder is None:
            raise InputError("this model has no decoder; train one with --decoder, or make it with decoder=True")
        return self.image_decoder(ops.convert_to_tensor(code, "float32"))

    @arrays_for_arrays
    def relative(self, x, y):
        """The group elements (batch, ...) that lead from the poses of images x to those of images y."""
        codes = (self.code_of(self.run_encoder(image)) for image in (x, y))
        return self.poses.relative(*(code[:, : self.group_dim] for code in codes))

    def distance(self, predicted, true):
        """What decides a hit: the squared distance of the poses plus that of the classes, (..., code) -> (...)."""
        n, cosine = self.group_dim, self.class_loss == "info_nce"
        pose = self.poses.distance(predicted[..., :n], true[..., :n])
        return pose + class_distance(predicted[..., n:], true[..., n:], cosine)


def class_distance(e, f, cosine):
    """1 - cosine, of vectors of length 1, or the squared L2 distance."""
    if cosine:
        return 1 - ops.sum(e * f, axis=-1)
    return ops.sum(ops.square(e - f), axis=-1)
