"""Devices of JAX: one program for all of them, `keras.distribution.DataParallel`.

The program sees the whole batch, so every number is that of one device up to the order of sums, random draws included.
"""

import os

import jax
import keras
import numpy as np
from jax.experimental import multihost_utils

from tsdsae_keras.errors import InputError
from tsdsae_keras.training.devices.one import OneDevice
from tsdsae_keras.training.devices.parts import leave_gpus, part_of
from tsdsae_keras.training.devices.place import ALL, cores

THREADS = 8  # for each device of a processor
VIRTUAL = "--xla_force_host_platform_device_count"  # without a GPU: devices that share the processor's cores


class Devices(OneDevice):
    """Devices of this process, or of several that each see those of their host."""

    def __init__(self, asked, place):
        own = cores() if asked.devices == ALL else asked.devices
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {VIRTUAL}={own}".strip()
        # A device that waits for another keeps its thread: with one for each core, as XLA has them, all can be waiting.
        os.environ.setdefault("PJRT_NPROC", str(THREADS * own))
        self.rank, self.processes = place.rank, place.processes
        leave_gpus()
        if place.processes > 1:
            keras.distribution.initialize(place.address, place.processes, place.rank)
        here = jax.local_devices()
        own = len(here) if asked.devices == ALL else asked.devices
        if own > len(here):
            raise InputError(
                f"--devices is {own}, and JAX finds {len(here)} here ({here[0].platform}); take at most that"
            )
        groups = {}
        for device in jax.devices():
            groups.setdefault(device.process_index, []).append(device)
        chosen = [device for process in sorted(groups) for device in groups[process][:own]]
        self.count = len(chosen)
        self.layout = WholeOrSplit(devices=chosen, auto_shard_dataset=False)

    def scope(self):
        return self.layout.scope()

    def training_data(self, stream):
        return part_of(stream, self.rank, self.processes)

    def callbacks(self):
        return [ValidateWhole(self.layout)]

    def agree(self, number):
        if self.processes == 1:
            return number
        return int(np.max(multihost_utils.process_allgather(np.array([number]))))

    def wait(self):
        if self.processes > 1:
            multihost_utils.sync_global_devices("wait")

    def close(self):
        if self.processes > 1:
            jax.distributed.shutdown()


class WholeOrSplit(keras.distribution.DataParallel):
    """Data parallelism in which the batches of validation go whole to every device."""

    whole = False

    def get_data_layout(self, data_shape):
        here = len(self.device_mesh.devices) // self.num_processes
        if self.whole or data_shape[0] % here:
            return keras.distribution.TensorLayout([None] * len(data_shape), self.device_mesh)
        return super().get_data_layout(data_shape)


class ValidateWhole(keras.callbacks.Callback):
    """Says to the layout when batches are those of validation."""

    def __init__(self, layout):
        super().__init__()
        self.layout = layout

    def on_test_begin(self, logs=None):
        self.layout.whole = True

    def on_test_end(self, logs=None):
        self.layout.whole = False
