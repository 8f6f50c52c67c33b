"""The devices that a command line asks for, on the backend that is loaded."""

import importlib

from tsdsae_keras.training.devices.one import ONE_DEVICE
from tsdsae_keras.training.devices.place import Place


def open_devices(backend, asked):
    """What `train` takes; call it before anything is computed.

    Args:
        backend: its name.
        asked: `place.Asked`, or None for one device, the usual one.

    Raises:
        InputError: there are fewer devices, or the backend cannot use them.
    """
    if asked is None:
        return ONE_DEVICE
    devices = importlib.import_module(f"tsdsae_keras.training.devices.{backend}").Devices(asked, Place.of_environment())
    devices.options = asked.options
    return devices
