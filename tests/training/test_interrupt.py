"""A run that is asked to end."""

import io
import signal

import pytest

from tsdsae_keras.training.interrupt import StopOnSignal

pytestmark = pytest.mark.no_backend


def test_an_interrupt_that_python_swallows_is_raised_at_the_end_of_the_step(capsys):
    class Finalized:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    with StopOnSignal(file=io.StringIO()) as stop:
        stop.on_train_begin()
        signal.raise_signal(signal.SIGINT)
        stop.on_train_batch_end(0)
        Finalized()
        with pytest.raises(KeyboardInterrupt):
            stop.on_train_batch_end(1)
    assert "KeyboardInterrupt" not in capsys.readouterr().err
