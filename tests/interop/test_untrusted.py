"""Checkpoints from strangers: each is read or refused in one line, quickly and in little memory."""

import pickle
import struct
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzzing import LEAVES, answer, damaged, fuzz, little_memory
from tests.interop.torch_files import WRITERS, Made, write_bytes
from tsdsae_keras.errors import InputError
from tsdsae_keras.families.tsdsae.interop.architecture import architecture_of, check_names
from tsdsae_keras.families.tsdsae.interop.reference import from_reference_state
from tsdsae_keras.interop.torch_files import read_checkpoint

STATE = {"net_v_mu.weight": np.arange(6, dtype="float32").reshape(2, 3), "net_v_mu.bias": np.zeros(2, "float32")}
CONTENT = {"epoch": 3, "state_dict": STATE, "hyper_parameters": {"C": 5, "model": {"_target_": "a.B"}}}
NUMBERS = struct.pack("<6f", *range(6))
TENSOR = (
    b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0%sX\x03\0\0\0cpuJ%stQ"
    b"%s%s%s\x89ccollections\nOrderedDict\n)RtR"
)


def integer(n):
    """The step that puts a whole number of any size on the stack."""
    content = pickle.encode_long(n)
    return b"\x8b" + struct.pack("<i", len(content)) + content


def numbers(values):
    return b"(" + b"".join(map(integer, values)) + b"t"


def tensor(shape=(2, 3), strides=(3, 1), offset=0, count=6, key=b"0"):
    """The steps that make a tensor."""
    return TENSOR % (key, struct.pack("<i", count), integer(offset), numbers(shape), numbers(strides))


def write(path, steps, blocks=(NUMBERS,), compression=zipfile.ZIP_STORED):
    """A zip of PyTorch's form around the given steps of a pickle."""
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("archive/data.pkl", b"\x80\x02" + steps + b".")
        for number, block in enumerate(blocks):
            archive.writestr(f"archive/data/{number}", block)
    return path


def state(*tensors):
    """The steps that make a dict of tensors."""
    return b"}(" + b"".join(b"X\x02\0\0\0%02d" % i + each for i, each in enumerate(tensors)) + b"u"


@pytest.mark.parametrize("writer", WRITERS)
def test_any_damage(tmp_path, writer):
    file = writer(tmp_path / "a.ckpt", CONTENT)
    good = file.read_bytes()
    assert answer(lambda: read_checkpoint(file)) is None

    @fuzz()
    @given(st.one_of(damaged(good), st.binary(max_size=200), st.binary(max_size=50).map(lambda end: good[:20] + end)))
    def check(content):
        file.write_bytes(content)
        answer(lambda: read_checkpoint(file))

    check()


def test_any_damage_to_the_pickle(tmp_path):
    with zipfile.ZipFile(write_bytes(tmp_path / "good.ckpt", CONTENT)) as archive:
        good = archive.read("archive/data.pkl")[2:-1]
    file = tmp_path / "a.ckpt"

    @fuzz(3)
    @given(damaged(good))
    def check(steps):
        answer(lambda: read_checkpoint(write(file, steps)))

    check()


def test_any_tensor(tmp_path):
    sizes = st.one_of(st.integers(-2, 9), st.sampled_from((2**31 - 1, 2**63, -(2**63), 10**30)))
    shapes = st.lists(sizes, max_size=4)

    @fuzz(2)
    @given(shapes, shapes, sizes, st.integers(-1, 2**31 - 1), st.sampled_from((b"0", b"1", b"/", b"\x1b")))
    def check(shape, strides, offset, count, key):
        steps = state(tensor(shape, strides, offset, count, key))
        answer(lambda: read_checkpoint(write(tmp_path / "a.ckpt", steps)))

    check()


def test_a_view_is_read_as_pytorch_reads_it(tmp_path):
    turned = read_checkpoint(write(tmp_path / "a.ckpt", state(tensor((3, 2), (1, 3)), tensor((2,), (0,), 4)))).state
    assert turned["00"].tolist() == [[0, 3], [1, 4], [2, 5]] and turned["01"].tolist() == [4, 4]


LAUGHS = b"]q\0" + b"".join(b"](h%ch%ceq%c" % (i, i, i + 1) for i in range(60)) + b"0" * 61 + b"h\x3c"  # each holds
TUPLES = (
    b")q\0" + b"".join(b"h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60)) + b"0" * 61 + b"h\x3c"
)  # the last twice
SETTINGS = b"}(X\x10\0\0\0hyper_parameters%bX\x0a\0\0\0state_dict" + state(tensor()) + b"u"
HOSTILE = {
    "a memory slot of a high number": b"}r\xff\xff\xff\xff",
    "a memory slot of a high number in text": b"}p4294967295\n",
    "lists of lists as settings": SETTINGS % LAUGHS,
    "a key of tuples of tuples": b"}(" + TUPLES + b"Nu",
    "a key of tensors of tensors": b"}(ctorch._utils\n_rebuild_tensor\n(" + TUPLES + b"h\0h\0h\0tRNu",
    "a set of tuples of tuples": b"\x8f(" + TUPLES + b"\x90",
    "arguments of one list, often": b"Nq\0](" + b"h\0" * 50_000 + b"eq\1(" + b"cos\nsystem\nh\1R" * 1000 + b"t",
    "a million empty dicts": b"(" + b"}" * 300_000 + b"t",
    "a long pickle": b"N" * (1 << 22),
    "names without end": b"".join(b"ca\n%d\n" % i for i in range(2000)) + b"}",
    "attributes of a function": SETTINGS % b"ctorch._utils\n_rebuild_tensor_v2\n(N}X\x08\0\0\0__code__NstbNu",
    "a deep list": b"]" * 90_000 + b"a" * 89_999,
    "broadcast beyond memory": state(tensor((1 << 20, 1 << 20), (0, 0))),
    "numbers outside": state(tensor((2, 3), (3, 1), 1)),
    "a negative stride": state(tensor((2, 3), (-3, 1), 3)),
    "no numbers as a shape": state(tensor().replace(b"(", b"]", 3)),
    "a tensor of a tensor": state(b"ctorch._utils\n_rebuild_tensor\n(" + tensor() + b"K\0))tR"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_pickles(tmp_path, name):
    file = write(tmp_path / "a.ckpt", HOSTILE[name])
    with little_memory():
        assert str(file) in answer(lambda: read_checkpoint(file))
    file.write_bytes(b"\x80\x02" + HOSTILE[name] + b".")  # the older format begins with a pickle
    with little_memory():
        assert str(file) in answer(lambda: read_checkpoint(file))


def test_many_copies_of_one_block_are_refused(tmp_path):
    block = np.zeros(1 << 20, "f4").tobytes()
    one = tensor((1 << 20,), (1,), 0, 1 << 20)
    file = write(tmp_path / "a.ckpt", state(*[one] * 99), [block])
    with little_memory():
        assert "share their numbers" in answer(lambda: read_checkpoint(file))


def test_compressed_parts_are_refused_unread(tmp_path):
    zeros = bytes(1 << 26)
    pickled = write(tmp_path / "a.ckpt", b"}" + zeros, compression=zipfile.ZIP_DEFLATED)
    block = write(tmp_path / "b.ckpt", state(tensor()), [zeros], zipfile.ZIP_DEFLATED)
    del zeros
    for file in (pickled, block):
        assert file.stat().st_size < 1 << 20
        with little_memory(1 << 25):
            assert "compressed" in answer(lambda file=file: read_checkpoint(file))


def test_a_long_list_of_parts_is_refused(tmp_path):
    start = b"PK\x01\x02" + bytes(42)
    many = start * 400_000
    (tmp_path / "a.ckpt").write_bytes(many + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 0, 0, len(many), 0, 0))
    with little_memory(1 << 27):
        assert "list of parts" in answer(lambda: read_checkpoint(tmp_path / "a.ckpt"))


def test_names_from_a_file_cannot_speak_to_the_terminal(tmp_path):
    ugly = {"\x1b[2J\n" * 50: 1, "\u202e": [], "": {}, "\ud800": 0} | {f"x{i}": i for i in range(1000)}
    file = write(tmp_path / "a.ckpt", pickle.dumps(ugly, 2)[2:-1])
    assert "its keys are" in answer(lambda: read_checkpoint(file))
    settings = {"nonlin": "\x1b]0;x\x07", "C": 10**400, "\n": ["\r"]}
    content = {"state_dict": STATE, "epoch": 1, "hyper_parameters": settings}
    known = read_checkpoint(
        write_bytes(
            tmp_path / "b.ckpt", {**content, "hyper_parameters": Made("a", "B", state={"_content": {"n": "\x1b"}})}
        )
    )
    assert known.settings == {"n": " "}


def test_settings_are_plain(tmp_path):
    content = {
        "epoch": 10**30,
        "hyper_parameters": {"C": 10**400, "a": "\x1b" + "x" * 1000, "b": b"x", "c": [1, 2.5, None]},
    }
    steps = pickle.dumps(content, 2)[2:-1] + b"(X\x0a\0\0\0state_dict" + state(tensor()) + b"u"
    found = read_checkpoint(write(tmp_path / "a.ckpt", steps))
    assert found.epoch is None
    assert found.settings == {"C": None, "a": " " + "x" * 199, "b": None, "c": [1, 2.5, None]}


def test_any_names_and_shapes_of_a_state():
    places = st.sampled_from(
        ("net_feature.layers.", "net_feature.rnn.weight_hh_l", "net_v_prior.rnn.bias_ih_l", "net_z_mu.")
    )
    ends = st.one_of(
        st.sampled_from(("0.weight", "99", "9" * 5000, "1000000000", "0_reverse", "\u0663.weight")), st.text(max_size=9)
    )
    names = st.builds(str.__add__, places, ends)

    @fuzz()
    @given(
        st.dictionaries(
            names, st.sampled_from((np.zeros(3), np.zeros((0, 9)), np.zeros((2, 2)), np.array("x"))), max_size=9
        )
    )
    def check(state):
        answer(lambda: from_reference_state(state), most=1200)

    check()


def whole_state(**shapes):
    """Names of a state whose parts have one layer each, all shapes (2, 2) or (2,) but for those given."""
    parts = {f"{part}.layers.0" for part in ("net_v_encoder", "net_feature", "net_z_prior", "net_decoder")}
    heads = {
        "net_v_mu",
        "net_v_logvar",
        "net_z_mu",
        "net_z_logvar",
        "net_decoder_mu.0",
        "net_z_prior_mu",
        "net_z_prior_logvar",
    }
    names = [f"{part}.{kind}" for part in parts | heads for kind in ("weight", "bias")]
    return {name: np.zeros((2, 2) if name.endswith("weight") else 2, "float32") for name in names}


def test_a_small_state_makes_no_large_model():
    state = whole_state()
    check_names(state)
    wide = np.lib.stride_tricks.as_strided(np.zeros(1, "float32"), (60_000, 2), (0, 0))
    state |= {"net_decoder_mu.0.weight": wide[:, :2], "net_feature.layers.0.weight": wide.T[:, :]}
    assert architecture_of(whole_state())["features"] == 2
    with little_memory():
        assert answer(lambda: from_reference_state(state))
    with pytest.raises(InputError, match="must hold numbers"):
        from_reference_state(whole_state() | {"net_v_mu.weight": np.zeros((60_000, 0))})


@fuzz()
@given(st.dictionaries(st.text(max_size=5), LEAVES, max_size=5))
def test_any_state_of_other_values(state):
    answer(lambda: from_reference_state(state), most=1200)
