"""What a process of the command line is told before Keras is imported."""

import os
from pathlib import Path

import pytest

from tsdsae_keras.backend import choose_backend

pytestmark = pytest.mark.no_backend
FOLDER = "JAX_COMPILATION_CACHE_DIR"


@pytest.fixture
def environment(monkeypatch):
    """Variables as they are, put back afterwards."""
    monkeypatch.setattr(os, "environ", os.environ.copy())
    os.environ.pop(FOLDER, None)


@pytest.mark.usefixtures("environment")
def test_jax_keeps_what_it_compiled_in_the_users_cache(tmp_path):
    pytest.importorskip("jax")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path)
    choose_backend("jax")
    assert Path(os.environ[FOLDER]).is_dir() and tmp_path in Path(os.environ[FOLDER]).parents
    os.environ[FOLDER] = "elsewhere"
    choose_backend("jax")
    assert os.environ[FOLDER] == "elsewhere"


@pytest.mark.usefixtures("environment")
def test_a_cache_that_cannot_be_written_is_done_without(tmp_path):
    pytest.importorskip("jax")
    (tmp_path / "file").write_text("")
    os.environ["XDG_CACHE_HOME"] = str(tmp_path / "file")
    choose_backend("jax")
    assert FOLDER not in os.environ
