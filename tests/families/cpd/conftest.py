"""A run of seconds, which several files look at: training takes most of their time."""

import pytest

from tsdsae_keras import cli


@pytest.fixture(scope="package")
def finished_run(tmp_path_factory):
    """A run folder. What writes into it takes a copy."""
    folder = tmp_path_factory.mktemp("cpd") / "run"
    small = ["--epochs", "2", "--epoch-steps", "2", "--batch-size", "8", "--width", "4", "--images", "64"]
    options = ["--held-out", "64", "--pictures-every", "0", "--validation-steps", "1", "--out", str(folder)]
    assert cli.main(["train", "--model", "cpd", "--data", "sprites", *small, *options]) == 0
    return folder
