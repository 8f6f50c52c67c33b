"""Models of other code bases, brought into this one."""

from tsdsae_keras.interop.reference import from_reference_state

__all__ = ["from_reference_state"]
