"""An interrupt waits for the end of the block, and is then raised."""

from __future__ import annotations

import signal
import threading

import pytest

from pipeline.environment.interrupts import interrupts_wait


def test_an_interrupt_is_raised_after_the_block() -> None:
    steps: list[str] = []
    handler = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt), interrupts_wait():
        signal.raise_signal(signal.SIGINT)
        steps.append("done")
    assert steps == ["done"] and signal.getsignal(signal.SIGINT) is handler


def test_without_one_nothing_is_raised_and_an_error_passes() -> None:
    with interrupts_wait():
        pass
    with pytest.raises(ZeroDivisionError), interrupts_wait():
        raise ZeroDivisionError
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_another_thread_sets_no_handler() -> None:
    handlers: list[object] = []

    def work() -> None:
        with interrupts_wait():
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert handlers == [before]
