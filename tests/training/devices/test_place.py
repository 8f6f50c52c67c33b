"""What `--devices` and `--hosts` may be, where a process finds itself, and what is refused before anything starts."""

from types import SimpleNamespace

import pytest

from tsdsae_keras import cli
from tsdsae_keras.errors import InputError
from tsdsae_keras.training.devices.launch import must_launch
from tsdsae_keras.training.devices.one import OneDevice
from tsdsae_keras.training.devices.place import VARIABLES, Place, parse

pytestmark = pytest.mark.no_backend


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in (*VARIABLES, "TSDSAE_HOST", "SLURM_NODEID"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (["--devices", "0"], "--devices is '0'; it must be a number of at least 1, or all"),
        (["--devices", "two"], "--devices is 'two'; it must be a number"),
        (["--hosts", "a", "b"], "--hosts needs --devices"),
        (["--devices", "2", "--hosts", "a:b", "c"], "--hosts has 'a:b'; give names, the first with a port"),
        (["--devices", "2", "--hosts", "a", "b:1"], "--hosts has 'b:1'"),
        (["--devices", "2", "--seeds", "1", "2"], "leave out one of them"),
        (["--devices", "2", "--hosts", "a:1", "b", "--backend", "tensorflow"], "multi-worker strategy fails"),
        (["--devices", "2", "--hosts", "a:1", "b", "--backend", "jax"], "--hosts needs --out"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(given, line, capsys):
    assert cli.main(["train", *given]) == 2
    said = capsys.readouterr().err
    assert line in said and said.count("\n") == 1


def test_processes_are_started_where_a_backend_needs_them():
    assert not must_launch("jax", None)
    assert not must_launch("jax", parse("4", None)) and not must_launch("tensorflow", parse("4", None))
    assert must_launch("torch", parse("2", None)) and not must_launch("torch", parse("1", None))
    assert must_launch("jax", parse("1", ["a:1", "b"]))


def test_a_process_knows_its_rank_and_starts_no_others(monkeypatch):
    assert Place.of_environment() == Place(0, 1, 0, None)
    for name, value in zip(VARIABLES, ("3", "4", "1", "node1", "29400"), strict=True):
        monkeypatch.setenv(name, value)
    assert Place.of_environment() == Place(3, 4, 1, "node1:29400")
    assert not must_launch("torch", parse("2", None))
    monkeypatch.setenv("RANK", "x")
    with pytest.raises(InputError, match="must be numbers"):
        Place.of_environment()


def test_a_host_is_found_by_its_name_or_number(monkeypatch):
    asked = parse("2", ["localhost:29411", "198.51.100.1"])  # the second is of no machine
    assert asked.here() == [0] and asked.address == ("localhost", 29411)
    monkeypatch.setenv("SLURM_NODEID", "1")
    assert asked.here() == [1]
    monkeypatch.setenv("TSDSAE_HOST", "2")
    with pytest.raises(InputError, match="number '2' of --hosts, which names 2"):
        asked.here()
    monkeypatch.delenv("TSDSAE_HOST")
    monkeypatch.delenv("SLURM_NODEID")
    with pytest.raises(InputError, match="none of which is this machine"):
        parse("2", ["198.51.100.1:29411", "198.51.100.2"]).here()


class _Stream:
    batch_size = 30


class _Four(OneDevice):
    count = 4


def test_a_batch_that_cannot_be_split_is_refused():
    with pytest.raises(InputError, match="a batch of 30 cannot be split equally over 4 devices; take a --batch-size"):
        _Four().check(SimpleNamespace(batch_size=32), [_Stream()])
    _Four().check(SimpleNamespace(batch_size=32), [object()])
