"""Imports without garbage collection."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage in the block, which imports large libraries.

    What modules make lives as long as the process, and is looked through again and again as it grows: a fifth
    of the time that TensorFlow, Keras and scikit-learn take together.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
