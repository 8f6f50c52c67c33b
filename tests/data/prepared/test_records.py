"""TFRecord shards hold what .npy shards hold, TensorFlow reads them, and a URL reads as a folder does."""

import json
import shutil
import subprocess
import sys

import numpy as np
import pytest
import soundfile

from tests.fuzzing import answer
from tests.uploading import upload
from tsdsae_keras.cli import main
from tsdsae_keras.data.prepared.pipeline import SequenceStream
from tsdsae_keras.data.prepared.store import PreparedData
from tsdsae_keras.data.prepared.writing import PreparedWriter
from tsdsae_keras.errors import InputError

import tensorflow as tf  # isort: skip - behind Keras, which the pipeline imports

pytestmark = pytest.mark.no_backend

FRONT_END = ["--sample-rate", "8000", "--mels", "20", "--n-fft", "512", "--hop-length", "128"]
EQUAL, UNEQUAL = "0.5", "0"
SHARD = "train-00000.tfrecord"


def prepare(sounds, out, segment, *more):
    line = ["prepare", "folder", str(sounds), "--out", str(out), "--segment", segment, "--labels", "folder", *FRONT_END]
    return main([*line, "--workers", "1", *more])


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    root = tmp_path_factory.mktemp("sounds")
    for number in range(12):
        folder = root / ("horn", "oboe")[number % 2]
        folder.mkdir(exist_ok=True)
        samples = np.random.default_rng(number).normal(0, 0.1, 8000 + 1500 * number)
        soundfile.write(folder / f"{number}.wav", samples, 8000)
    return root


@pytest.fixture(scope="module")
def folders(sounds, tmp_path_factory):
    """{(segment, storage): prepared folder}; shards are small, so that there are several."""
    root, made = tmp_path_factory.mktemp("made"), {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tsdsae_keras.data.sets.recordings.layout.SHARD_BYTES", 1 << 16)
        for segment in (EQUAL, UNEQUAL):
            for storage in ("npy", "tfrecord"):
                made[segment, storage] = root / f"{storage}-{segment}"
                assert prepare(sounds, made[segment, storage], segment, "--format", storage) == 0
    return made


def equal_bytes(one, other):
    assert one.dtype == other.dtype and one.shape == other.shape and one.tobytes() == other.tobytes()


def batches(data):
    """All batches of an epoch, from memory and from files."""
    for in_memory in (1 << 30, 0):
        stream = SequenceStream(data.sequences("train"), 3, seed=5, training=True, in_memory=in_memory)
        stream.set_epoch(2)
        yield from (leaf for batch in stream.dataset for leaf in tf.nest.flatten(batch))


@pytest.mark.parametrize("segment", [EQUAL, UNEQUAL])
@pytest.mark.parametrize("place", ["tfrecord", "npy by URL", "tfrecord by URL"])
def test_all_that_is_read_is_that_of_the_npy_form(folders, segment, place):
    storage, _, url = place.partition(" ")
    plain, folder = PreparedData(folders[segment, "npy"]), folders[segment, storage]
    data = PreparedData(upload(folder) if url else folder)
    assert len(plain.shards("train")) > 1 and plain.manifest["arrays"] == data.manifest["arrays"]
    for split in plain.counts:
        for name in plain.manifest["arrays"]:
            for one, other in zip(plain.shards(split, name), data.shards(split, name), strict=True):
                equal_bytes(one, other)
            equal_bytes(plain.label(split, name), data.label(split, name)) if name != "features" else None
        equal_bytes(plain.features(split), data.features(split))
        assert segment == EQUAL or (plain.mask(split) == data.mask(split)).all()
    for one, other in zip(batches(plain), batches(data), strict=True):
        equal_bytes(one.numpy(), other.numpy())


@pytest.mark.parametrize("segment", [EQUAL, UNEQUAL])
def test_tensorflow_reads_the_records_and_their_checksums(folders, segment):
    data = PreparedData(folders[segment, "tfrecord"])
    names = data.manifest["arrays"]
    for split in data.counts:
        files = sorted(str(path) for path in data.folder.glob(f"{split}-*"))
        raw = [tf.train.Example.FromString(each.numpy()) for each in tf.data.TFRecordDataset(files)]
        assert len(raw) == data.counts[split]
        for name in names:
            values = [row.tobytes() for shard in data.shards(split, name) for row in shard]
            assert [each.features.feature[name].bytes_list.value[0] for each in raw] == values
            assert all(each.features.feature.keys() == names.keys() for each in raw)


def test_the_manifest_states_storage_and_every_file(folders):
    for segment in (EQUAL, UNEQUAL):
        folder = folders[segment, "tfrecord"]
        manifest = json.loads((folder / "manifest.json").read_bytes())
        assert manifest["storage"] == "tfrecord" and not list(folder.glob("*.npy"))
        assert manifest["files"].keys() | {"manifest.json"} == {path.name for path in folder.iterdir()}
        assert "storage" not in PreparedData(folders[segment, "npy"]).manifest


def test_the_same_command_finds_it_another_format_is_refused(folders, sounds, capsys, monkeypatch):
    monkeypatch.setattr("tsdsae_keras.data.sets.recordings.layout.SHARD_BYTES", 1 << 16)
    out = folders[EQUAL, "tfrecord"]
    assert prepare(sounds, out, EQUAL, "--format", "tfrecord") == 0
    assert "already prepared" in capsys.readouterr().out
    assert prepare(sounds, out, EQUAL) != 0
    assert "another storage" in capsys.readouterr().err
    assert prepare(sounds, folders[EQUAL, "npy"], EQUAL, "--format", "tfrecord") != 0


def test_an_interrupted_run_resumes_to_the_same_bytes(folders, sounds, tmp_path, monkeypatch):
    monkeypatch.setattr("tsdsae_keras.data.sets.recordings.layout.SHARD_BYTES", 1 << 16)
    write, written = PreparedWriter.write_shard, []

    def breaks(self, split, number, arrays):
        written.append((split, number))
        if len(written) == 2:
            raise KeyboardInterrupt
        write(self, split, number, arrays)

    monkeypatch.setattr(PreparedWriter, "write_shard", breaks)
    assert prepare(sounds, tmp_path / "out", EQUAL, "--format", "tfrecord") == 130
    assert (tmp_path / "out.partial" / SHARD).is_file()
    assert prepare(sounds, tmp_path / "out", EQUAL, "--format", "tfrecord") == 0
    assert written.count(("train", 0)) == 1
    places = folders[EQUAL, "tfrecord"], tmp_path / "out"
    whole, again = ({path.name: path.read_bytes() for path in each.iterdir()} for each in places)
    assert whole == again


@pytest.fixture
def copy(folders, tmp_path):
    """A folder of TFRecord shards to be damaged, and its first shard."""
    shutil.copytree(folders[EQUAL, "tfrecord"], tmp_path / "copy")
    return tmp_path / "copy", tmp_path / "copy" / SHARD


def test_any_changed_byte_is_seen_by_the_checksums_of_the_records(copy):
    folder, path = copy
    good = path.read_bytes()
    for place in range(0, len(good), 1 + len(good) // 200):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(InputError, match="is damaged or not of these data"):
            PreparedData(folder, verify=False)


def test_rows_are_checked_again_where_a_shard_was_replaced_since_it_was_opened(copy):
    folder, path = copy
    data, good = PreparedData(folder), path.read_bytes()
    path.write_bytes(good[: len(good) // 2] + bytes(len(good) - len(good) // 2))
    with pytest.raises(InputError, match=r"record \d+ of .* is damaged"):
        data.features("train")


def test_what_is_wrong_at_a_url_is_one_line(copy):
    url = upload(copy[0])
    tf.io.gfile.remove(f"{url}/{SHARD}")
    for place, words in ((url, "is missing"), ("ram://nowhere", "is not a folder"), ("foo://bucket/x", "foo://bucket")):
        assert words in answer(lambda place=place: PreparedData(place))


def test_a_sequence_too_large_for_a_record_is_refused_before_it_is_written(tmp_path):
    writer = PreparedWriter(tmp_path / "large", "tfrecord")
    with pytest.raises(InputError, match="use the npy format"):
        writer.write_shard("train", 0, {"features": np.broadcast_to(np.zeros(1, "float32"), (1, 1 << 20, 1 << 10))})


def test_reading_npy_shards_from_a_disk_takes_no_tensorflow(folders):
    code = (
        "import sys; from tsdsae_keras.data.prepared.store import PreparedData; d = PreparedData(sys.argv[1]);"
        "d.features('train'); d.labels('train'); print([n for n in ('tensorflow', 'keras') if n in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(folders[UNEQUAL, "npy"])]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
