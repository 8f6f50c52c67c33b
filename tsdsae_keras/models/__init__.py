"""Models: each file holds one family, and only its own terms."""

from tsdsae_keras.models.base import SequentialVAE
from tsdsae_keras.models.dsae import DSAE, DSAEf
from tsdsae_keras.models.loading import load_model, make_model
from tsdsae_keras.models.tsdsae import TSDSAE

__all__ = ["DSAE", "TSDSAE", "DSAEf", "SequentialVAE", "load_model", "make_model"]
