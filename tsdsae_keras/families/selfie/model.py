"""Feature diversity and decorrelation, and the methods that it contains as exact settings."""

from dataclasses import dataclass, replace

from keras import ops, random
from keras.saving import register_keras_serializable

from tsdsae_keras.base.arrays import arrays_for_arrays
from tsdsae_keras.base.model import RepresentationModel
from tsdsae_keras.errors import InputError, quote
from tsdsae_keras.families.selfie import terms
from tsdsae_keras.families.selfie.networks import SIZES, Encoder, Projector

TERMS = ("invariance", "diversity", "decorrelation")


@dataclass(frozen=True)
class Form:
    """Which function each term is, by its name in `terms`, and the usual weights. None: the method lacks that term.

    Attributes:
        space: what the terms are taken of: "sphere" (unit rows; standardised first where `center`), "standardised", or
            "raw" projections.
        invariance: of both views. diversity, decorrelation: of each view, or of both where `across`.
        views: what the two views' diversity and decorrelation are multiplied by: 1/2 is their mean, 1 their sum.
        weights: of invariance, diversity and decorrelation.
    """

    space: str
    invariance: str
    diversity: str | None
    decorrelation: str | None
    weights: tuple
    views: tuple = (0.5, 0.5)
    across: bool = False
    center: bool = True


FORMS = {
    "selfie-style": Form("sphere", "squared_distance", "uniformity", "correlation", (4.0, 1.0, 0.02)),
    "align-uniform": Form("sphere", "squared_distance", "uniformity", "correlation", (1.0, 1.0, 0.0), center=False),
    "vicreg": Form("raw", "mean_square", "variance_hinge", "covariance", (25.0, 25.0, 1.0), (0.5, 1.0)),
    "barlow": Form("standardised", "same_dimension", None, "cross_correlation", (1.0, 0.0, 0.0051), across=True),
}


@register_keras_serializable(package="tsdsae_keras")
class SelfieStyle(RepresentationModel):
    """Audio representations by feature diversity and decorrelation: a reconstruction after an abstract.

    After the abstract of Nguyen, Uhlich, Cardinaux, "Improving self-supervised learning for audio representations by
    feature diversity and decorrelation" (ICASSP 2023, arXiv 2303.03717). Its formulas, networks and weights were not
    available to us, so this is not the authors' method and reproduces none of their numbers. With p, p' the projections
    of two views of N clips, standardised column by column and then put on the sphere (z):

        loss = w_inv mean |z - z'|^2 + w_div (U(z) + U(z')) / 2 + w_dec (C(s) + C(s')) / 2

    U is the uniformity of clips (diversity), C the mean square of the correlations of dimensions (decorrelation).
    `form` replaces the three functions: "vicreg", "barlow" and "align-uniform" are those methods exactly.

    A batch is {"first", "second"}: two views (N, T, F) of the same clips, in standard units. `embed` takes log-mel
    frames as the front end gives them.

    Args:
        n_mels: F, bands of a frame.
        form: "selfie-style", "align-uniform", "vicreg" or "barlow".
        term_weights: {"invariance", "diversity", "decorrelation": weight}; those of the form where not given.
        t: of the uniformity; with w_inv = t w_div the loss is weighted as a contrastive one of temperature 1 / (2t).
        center: whether projections are standardised before the sphere. Without that, an offset that all projections
            share removes invariance and diversity together, and training is drawn to it. None: as the form has it.
        encoder: "small", or "paper", the size of BYOL-A v2.
        channels, units, projector_units: widths; None: those of the encoder.
        dim: d, dimensions of a projection.
        dropout: share of a frame's hidden values left out in training.
        front_end: settings of the features, kept for those who load the model.
        seed: of the draws; None takes Keras's global seed.

    Raises:
        InputError: if an argument is invalid.
    """

    all_terms = TERMS
    monitors = ("offset", "std", "effective_rank")

    def __init__(
        self,
        n_mels=64,
        form="selfie-style",
        *,
        term_weights=None,
        t=2.0,
        center=None,
        encoder="small",
        channels=None,
        units=None,
        projector_units=None,
        dim=256,
        dropout=0.3,
        front_end=None,
        seed=None,
        **kwargs,
    ):
        config = {name: value for name, value in locals().items() if name not in ("self", "kwargs", "__class__")}
        super().__init__(_check_config(config), **kwargs)
        sizes = {name: getattr(self, name) for name in ("channels", "units", "projector_units")}
        sizes = replace(SIZES[self.encoder], **{name: size for name, size in sizes.items() if size is not None})
        self.how = replace(FORMS[self.form], center=self.center)
        self.f = Encoder(sizes, name="encoder")
        # Only the plain sphere sees where projections lie: elsewhere the last bias would have no gradient.
        biased = self.how.space == "sphere" and not self.center
        self.g = Projector(sizes.projector_units, self.dim, biased, name="projector")
        self.build((None, None, self.n_mels))

    def build(self, input_shape):
        self.f.build((None, None, self.n_mels))
        self.g.build((None, self.f.dim))
        self.scale = self.add_weight(shape=(2,), initializer="ones", trainable=False, name="scale")
        self.scale.assign([0.0, 1.0])

    def call(self, inputs, training=False):
        # One batch of 2N, so that batch normalisation sees both views.
        both = ops.concatenate([inputs["first"], inputs["second"]], axis=0)
        embedding = self.f(both, keep=self._dropout if training and self.dropout else None, training=training)
        projection = ops.cast(self.g(embedding, training=training), "float32")
        first, second = ops.split(projection, 2, axis=0)
        return {"embedding": embedding, "first": first, "second": second}

    def _dropout(self, shape):
        """What hidden values of a frame are multiplied by: 0, or 1 / (1 - dropout)."""
        return self.draw_rows("dropout", shape, self._keep, copies=2)

    def _keep(self, shape, seed):
        return random.dropout(ops.ones(shape), self.dropout, seed=seed)

    def terms(self, batch, outputs, training=False):
        views = self.whole(outputs["first"]), self.whole(outputs["second"])
        return loss_terms(*views, self.how, self.t, self.active_terms())

    def batch_size(self, batch):
        return ops.shape(batch["first"])[0]

    def on_sphere(self, p):
        """z (N, d): projections p, standardised where `center` says so, then rows of unit norm."""
        return terms.to_sphere(terms.standardise(p) if self.center else p)

    def monitor(self, p):
        """{"offset", "std", "effective_rank"}: numbers of projections p (N, d)."""
        found = _monitors(p, self.on_sphere(p))
        return {name: float(ops.convert_to_numpy(value)) for name, value in found.items()}

    def set_scale(self, mean, deviation):
        """Sets the mean and the standard deviation of log-mel values by which `embed` standardises."""
        self.scale.assign([mean, deviation])

    def calibrate(self, x):
        """Sets the running statistics of batch normalisation from log-mel frames x (n, T, F), for untrained models."""
        norms = (self.f.first_norm, self.f.second_norm, self.g.norm)
        usual = [norm.momentum for norm in norms]
        for number, start in enumerate(range(0, len(x) - 1, 64)):
            for norm in norms:
                norm.momentum = number / (number + 1)  # the mean over batches, not a decaying one of a few
            rows = ops.convert_to_tensor(x[start : start + 64], dtype="float32")
            self.g(self.f((rows - self.scale[0]) / self.scale[1], training=True), training=True)
        for norm, momentum in zip(norms, usual, strict=True):
            norm.momentum = momentum

    @arrays_for_arrays
    def embed(self, x, mask=None):
        """Embeddings (n, k) of log-mel frames x (n, T, F), or (T, F) for one; mask (n, T) is true where valid.

        Raises:
            InputError: x has another shape.
        """
        x = ops.convert_to_tensor(x, dtype="float32")
        x = ops.expand_dims(x, 0) if len(x.shape) == 2 else x
        if len(x.shape) != 3 or x.shape[-1] != self.n_mels:
            raise InputError(f"x has shape {tuple(x.shape)}; it must be (n, time, {self.n_mels})")
        return self.f((x - self.scale[0]) / self.scale[1], valid=mask)

    @arrays_for_arrays
    def project(self, x):
        """Projections (n, dim) of log-mel frames x (n, T, F); for looking at training, not for use."""
        return self.g(self.embed(ops.convert_to_tensor(x)))


def loss_terms(p, other, how, t=2.0, active=TERMS):
    """{name: scalar} of the active terms and the monitors, of the projections (N, d) of two views.

    Raises:
        InputError: one clip only.
    """
    if p.shape[0] == 1:
        raise InputError("a batch of 1 clip has no other to be different from; give at least 2")
    standard = terms.standardise(p), terms.standardise(other)
    sphere = [terms.to_sphere(each) for each in (standard if how.center else (p, other))]
    space = {"sphere": sphere, "standardised": standard, "raw": (p, other)}[how.space]
    # Correlations are of standardised projections, whichever space the other terms are in.
    columns = (p, other) if how.space == "raw" else standard
    found = {}
    if "invariance" in active:
        found["invariance"] = getattr(terms, how.invariance)(*space)
    if "diversity" in active and how.diversity:
        more = {"t": t} if how.diversity == "uniformity" else {}
        found["diversity"] = how.views[0] * sum(getattr(terms, how.diversity)(each, **more) for each in space)
    if "decorrelation" in active:
        function = getattr(terms, how.decorrelation)
        found["decorrelation"] = function(*columns) if how.across else how.views[1] * sum(map(function, columns))
    return found | _monitors(ops.stop_gradient(p), ops.stop_gradient(sphere[0]))


def _monitors(p, z):
    return {"offset": terms.offset(z), "std": terms.deviation(p), "effective_rank": terms.effective_rank(p)}


_COUNTS = {"n_mels": 1 << 12, "channels": 1 << 10, "units": 1 << 13, "projector_units": 1 << 14, "dim": 1 << 14}


def _check_config(config):
    """The configuration, defaults filled in; InputError names the first value that is invalid."""
    config = dict(config)
    for name, choices in (("form", FORMS), ("encoder", SIZES)):
        if not isinstance(config[name], str) or config[name] not in choices:
            raise InputError(f"{name} is {quote(config[name])}; it must be {' or '.join(choices)}")
    for name, most in _COUNTS.items():
        value = config[name]
        if (type(value) is not int or not 1 <= value <= most) and not (value is None and name in _WIDTHS):
            raise InputError(f"{name} is {quote(value)}; it must be a whole number from 1 to {most}")
    form = FORMS[config["form"]]
    config["center"] = form.center if config["center"] is None else config["center"]
    if not isinstance(config["center"], bool):
        raise InputError(f"center is {quote(config['center'])}; it must be True or False")
    for name, least, most in (("t", 1e-6, 1e6), ("dropout", 0.0, 0.99)):
        if not _is_number(config[name], least, most):
            raise InputError(f"{name} is {quote(config[name])}; it must be a number from {least:g} to {most:g}")
    config["term_weights"] = _check_weights(config["term_weights"], form)
    if config["front_end"] is not None and not isinstance(config["front_end"], dict):
        raise InputError(f"front_end is {quote(config['front_end'])}; it must be what `FrontEnd.to_dict` gives")
    return config


_WIDTHS = ("channels", "units", "projector_units")


def _check_weights(weights, form):
    if weights is not None and (not isinstance(weights, dict) or not set(weights) <= set(TERMS)):
        raise InputError(f"term_weights is {quote(weights)}; it must be a dict with {', '.join(TERMS)}")
    weights = dict(zip(TERMS, form.weights, strict=True)) | (weights or {})
    for name, value in weights.items():
        if not _is_number(value, 0.0, 1e30):
            raise InputError(f"the weight of {name} is {quote(value)}; it must be a number from 0 to 1e30")
    if form.diversity is None and weights["diversity"]:
        raise InputError("barlow has no diversity term; leave its weight at 0")
    return {name: float(value) for name, value in weights.items()}


def _is_number(value, least, most):
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
