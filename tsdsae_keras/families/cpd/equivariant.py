"""What class-pose decomposition and its baselines share: two images, an action, their codes."""

from keras import ops

from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.base.model import RepresentationModel
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.cpd.networks import ENCODERS, SIZE
from tsdsae_keras.ops import permutation, rotation


class EquivariantModel(RepresentationModel):
    """A model of triples x, g, y = g.x. A subclass gives `code_of(raw)` and `act_on_code(action, code)`."""

    def _make_encoder(self, outputs):
        how = {"batch_norm": self.batch_norm} if self.encoder == "cnn" else {}
        self.image_encoder = ENCODERS[self.encoder](outputs, self.width, **how, name="encoder")
        self.image_encoder.build((None, SIZE, SIZE, self.channels))

    def build(self, input_shape=None):
        self.built = True  # the constructor builds all parts

    def images_of(self, batch):
        """x and y as floats in [0, 1]."""
        if not isinstance(batch, dict) or not {"x", "action", "y"} <= set(batch):
            shown = sorted(batch) if isinstance(batch, dict) else type(batch).__name__
            raise InputError(f'the batch is {shown}; it must be a dict of "x", "action" and "y", see `{_name(self)}`')
        return floats(batch["x"], self.channels), floats(batch["y"], self.channels)

    def call(self, batch, training=False):
        x, y = self.images_of(batch)
        action = self.checked_action(batch["action"], x)
        # One after the other: batch norm takes the statistics of each alone.
        raw_x, raw_y = (self.image_encoder(images, training=training) for images in (x, y))
        code_x, code_y = self.code_of(raw_x), self.code_of(raw_y)
        return {"raw_x": raw_x, "code_x": code_x, "code_y": code_y, "acted": self.act_on_code(action, code_x)}

    def checked_action(self, action, x):
        """The actions of a batch as a tensor; InputError where they do not fit the images or the group."""
        action, shape = ops.cast(ops.convert_to_tensor(action), "float32"), self.poses.action_shape
        if tuple(action.shape[1:]) != shape or action.shape[0] != x.shape[0]:
            want = ", ".join(map(str, (x.shape[0], *shape)))
            raise InputError(f"actions have shape {tuple(action.shape)}; group {self.group} needs ({want}) here")
        if x.shape[0] == 1:
            raise InputError("a batch of one has nothing to tell classes apart by; give two triples at least")
        return action

    def run_encoder(self, images):
        """Raw numbers of images, as outside training."""
        return self.image_encoder(floats(images, self.channels))

    @arrays_for_arrays
    def encode(self, x):
        """Codes of images (batch, 64, 64, channels): a dict of "code" and, before the pose activation, "raw"."""
        raw = self.run_encoder(x)
        return {"code": self.code_of(raw), "raw": raw}

    @arrays_for_arrays
    def act(self, code, action):
        """What an action, or several in turn, makes of codes.

        Args:
            code: (batch, code_dim).
            action: (batch, ...) as the group has it, or (batch, steps, ...), the first step first.
        """
        code, action = (ops.cast(ops.convert_to_tensor(value), "float32") for value in (code, action))
        if len(action.shape) == 1 + len(self.poses.action_shape):
            return self.act_on_code(action, code)
        for step in range(action.shape[1]):
            code = self.act_on_code(action[:, step], code)
        return code


def partners(model, codes, training):
    """The partner of each row of the whole batch for the hinge: never itself, except where the caller gives a
    permutation that does so.

    In training the rows are put on a random circle and the partner is the next one; else it is the next row.
    """
    n = model.whole_size(codes)
    if model.is_given("permutation") or training:
        return ops.cast(model.draw("permutation", lambda seed: random_partners(n, seed)), "int32")
    return rotation(n)


def random_partners(n, seed):
    """A random permutation of 0 .. n-1 that is one circle, so that nothing stays in its place (n > 1)."""
    order = permutation(n, seed)
    return ops.take(ops.roll(order, -1), ops.argsort(order))


def floats(images, channels):
    """Images (batch, 64, 64, channels) as floats in [0, 1]; integers are divided by 255."""
    images = ops.convert_to_tensor(images)
    if tuple(images.shape[1:]) != (SIZE, SIZE, channels):
        raise InputError(f"images have shape {tuple(images.shape)}; they must be (batch, {SIZE}, {SIZE}, {channels})")
    if "int" in str(images.dtype):
        return ops.cast(images, "float32") / 255.0
    return ops.cast(images, "float32")


def _name(model):
    return type(model).__name__
