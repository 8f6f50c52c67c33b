"""Writing a prepared folder so that an interrupted run can resume: finished shards stay, the name comes last."""

import io
import json
import os
from pathlib import Path

import numpy as np

from tsdsae_keras.data.prepared.files import json_bytes, write_atomically
from tsdsae_keras.data.prepared.manifest import MANIFEST
from tsdsae_keras.data.prepared.records import write_records
from tsdsae_keras.data.prepared.store import check_file, shard_name
from tsdsae_keras.errors import InputError
from tsdsae_keras.files import TEMPORARY, remove_temporary

PROGRESS = "progress.json"


class PreparedWriter:
    """Fills `<folder>.partial` shard by shard and renames it to `<folder>` when the manifest is written.

    Args:
        folder: where the prepared folder will be; it must not exist yet.
        storage: "npy", a file an array, or "tfrecord", a file of records for all arrays of a shard.

    Raises:
        InputError: the partial folder holds something that is not from an interrupted run.
    """

    def __init__(self, folder, storage="npy"):
        self.folder, self.storage = Path(folder), storage
        self.partial = self.folder.with_name(self.folder.name + ".partial")
        self.partial.mkdir(parents=True, exist_ok=True)
        self.files = self._read_finished()
        self._save_progress()

    def has_shard(self, split, number, arrays):
        """Whether an earlier run left this shard whole."""
        return all(self._is_whole(shard_name(split, number, array, self.storage)) for array in arrays)

    def write_shard(self, split, number, arrays):
        """Write one shard: a dictionary of arrays."""
        if self.storage == "tfrecord":
            file = shard_name(split, number, "features", self.storage)
            self.files[file] = write_records(self.partial / file, arrays)
            arrays = {}
        for name, array in arrays.items():
            content = io.BytesIO()
            np.save(content, np.ascontiguousarray(array), allow_pickle=False)
            file = shard_name(split, number, name)
            self.files[file] = write_atomically(self.partial / file, content.getvalue())
        self._save_progress()

    def finish(self, manifest):
        """Write the manifest and give the folder its name; returns it."""
        stated = {"files": self.files} | ({} if self.storage == "npy" else {"storage": self.storage})
        write_atomically(self.partial / MANIFEST, json_bytes(manifest | stated))
        remove_temporary(self.partial)
        (self.partial / PROGRESS).unlink(missing_ok=True)
        os.rename(self.partial, self.folder)
        return self.folder

    def _read_finished(self):
        """The files of an interrupted run, from its progress or, if it stopped at the very end, its manifest."""
        for name in (PROGRESS, MANIFEST):
            path = self.partial / name
            if path.is_file():
                try:
                    return dict(json.loads(path.read_bytes())["files"])
                except (ValueError, KeyError, TypeError) as error:
                    raise InputError(f"{path} cannot be read: delete {self.partial} and prepare again") from error
        foreign = [path.name for path in self.partial.iterdir() if not path.name.startswith(TEMPORARY)]
        if foreign:
            raise InputError(f"{self.partial} holds {foreign[0]}, which is not from an interrupted run: move it away")
        return {}

    def _is_whole(self, name):
        try:
            check_file(self.partial / name, self.files[name])
        except (InputError, KeyError, TypeError):
            return False
        return True

    def _save_progress(self):
        write_atomically(self.partial / PROGRESS, json_bytes({"files": self.files}))
