"""A prepared folder as a stranger may hand it over: its manifest changed, a shard replaced and vouched for."""

import contextlib
import hashlib
import json

from hypothesis import given

from tests.fuzzing import answer, changed, fuzz


def manifest_of(folder):
    return json.loads((folder / "manifest.json").read_bytes())


def with_manifest(folder, manifest):
    """Puts a manifest in the folder."""
    (folder / "manifest.json").write_text(json.dumps(manifest))


def with_shard(folder, name, content):
    """Puts a shard in the folder and in its manifest."""
    (folder / name).write_bytes(content)
    manifest = manifest_of(folder)
    manifest["files"][name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    with_manifest(folder, manifest)
    return folder


@contextlib.contextmanager
def put_back(folder, shard):
    """The folder; its manifest and a shard are as they were when the block is over."""
    kept = {name: (folder / name).read_bytes() for name in ("manifest.json", shard)}
    yield folder
    for name, content in kept.items():
        (folder / name).unlink(missing_ok=True)
        (folder / name).write_bytes(content)


def check_any_manifest(folder, read):
    """Read or refused, whatever is changed in the manifest; as it was, it is read."""
    good = manifest_of(folder)
    assert answer(lambda: read(folder)) is None

    @fuzz()
    @given(changed(good))
    def check(manifest):
        with_manifest(folder, manifest)
        answer(lambda: read(folder))

    check()
