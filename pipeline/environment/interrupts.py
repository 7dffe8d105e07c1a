"""Interrupts that wait: some imports cannot be taken up again where Ctrl-C ended them."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def interrupts_wait() -> Iterator[None]:
    """Raise a KeyboardInterrupt that comes in the block at its end.

    Half imported, TensorFlow can never be imported again in the process, as a notebook's user who presses
    stop would find. Other threads than the main one get no interrupts.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
    if came:
        raise KeyboardInterrupt
