"""Training on one device, and what training on several has to answer."""

import contextlib
import tempfile

from tsdsae_keras.errors import InputError
from tsdsae_keras.training.run import RunFolder


class OneDevice:
    """What `training.train` asks of the devices it trains on; this one has nothing to do.

    Attributes:
        count: devices that share a batch.
        rank: of this process among those that train the model.
        processes: how many there are.
        options: of the command line, that a resumed run is to have again.
    """

    count, rank, processes, options = 1, 0, 1, ""

    @property
    def leads(self):
        """Whether this process writes the run folder and speaks."""
        return self.rank == 0

    def scope(self):
        """A context in which the model is built and trained."""
        return contextlib.nullcontext()

    def training_data(self, stream):
        """What `fit` takes of a stream of training batches: here, or in this process, its part of each."""
        return stream.dataset

    def validation_data(self, stream):
        """What `fit` takes of a stream of validation batches: every device computes all of them, whole.

        So every process sees the same validation terms, to the last bit, and keeps and ends the same epochs.
        """
        return stream.dataset

    def callbacks(self):
        """Callbacks at work before all others."""
        return []

    def agree(self, number):
        """The largest of the numbers with which all processes call this."""
        return number

    def wait(self):
        """Returns when all processes have come here."""

    def close(self):
        """Leaves the others; after it this process computes on its own."""

    @contextlib.contextmanager
    def leader_first(self):
        """Within it the leading process works first, then all others."""
        if not self.leads:
            self.wait()
        yield
        if self.leads:
            self.wait()

    @contextlib.contextmanager
    def own_folder(self, run):
        """The run folder of the leading process; of others one that is thrown away.

        All do the same, because a JAX program is run by all processes or by none, and only one leaves files.
        """
        if self.leads:
            yield run
            return
        with tempfile.TemporaryDirectory(prefix=f"rank-{self.rank}-") as folder:
            yield RunFolder(folder)

    def check(self, settings, streams):
        """InputError where batches cannot be split equally."""
        size = getattr(streams[0], "batch_size", settings.batch_size)
        if size % self.count:
            raise InputError(
                f"a batch of {size} cannot be split equally over {self.count} devices; take a --batch-size that is a "
                f"multiple of {self.count}"
            )


ONE_DEVICE = OneDevice()
