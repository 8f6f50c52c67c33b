"""Files of other code bases: PyTorch's, CREPE's, VGGish's, and the states of authors' models."""

from tsdsae_keras.errors import InputError
from tsdsae_keras.families import find_family


def from_reference_state(state, **options):
    """`from_reference` for a TS-DSAE, the name from when there was one family."""
    return from_reference("tsdsae", state, **options)


def from_reference(name, state, **config):
    """A model of this library with the weights of its authors' code.

    Args:
        name: of the model, as in --model.
        state: arrays by name, in the layouts of the authors' framework.
        config: what the state does not tell; see the family's `from_reference`.

    Raises:
        InputError: an unknown model, or names of weights that are unknown or missing, which are listed.
    """
    reference = find_family(name).part("reference")
    if reference is None:
        raise InputError(f"no code of the authors of {name!r} is known here; train it instead")
    return reference(name, state, **config)
