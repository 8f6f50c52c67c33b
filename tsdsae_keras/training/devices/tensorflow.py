"""Devices of TensorFlow on one machine: `tf.distribute.MirroredStrategy`."""

import tensorflow as tf

from tsdsae_keras.errors import InputError
from tsdsae_keras.training.devices.one import OneDevice
from tsdsae_keras.training.devices.parts import dataset_of, repeat_rows
from tsdsae_keras.training.devices.place import ALL, ONE_MACHINE, cores


class Devices(OneDevice):
    """Replicas on the GPUs of this machine; without one, on devices that share the processor's cores."""

    def __init__(self, asked, place):
        if place.processes > 1 or len(asked.hosts) > 1:
            raise InputError(f"TensorFlow trains in one process: {ONE_MACHINE}")
        kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
        if kind == "CPU":
            _divide_processor(cores() if asked.devices == ALL else asked.devices)
        names = [device.name for device in tf.config.list_logical_devices(kind)]
        self.count = len(names) if asked.devices == ALL else asked.devices
        if self.count > len(names):
            raise InputError(
                f"--devices is {self.count}, and TensorFlow finds {len(names)} ({kind}); take at most that"
            )
        self.strategy = tf.distribute.MirroredStrategy(names[: self.count])

    def scope(self):
        return self.strategy.scope()

    def training_data(self, stream):
        return dataset_of(stream)  # Keras gives each replica its part

    def validation_data(self, stream):
        return repeat_rows(stream, self.count)


def _divide_processor(count):
    """Makes `count` logical devices of the processor; possible only before TensorFlow computes anything."""
    try:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * count
        )
    except RuntimeError as error:
        raise InputError(f"TensorFlow is already at work here; start a new process for --devices {count}") from error
