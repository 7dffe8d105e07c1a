"""Imports of large libraries, without what costs time alone."""

from __future__ import annotations

import gc
import sys
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


@contextmanager
def absent(*libraries: str) -> Iterator[None]:
    """Let other libraries, which would use these if they were installed, be imported without them."""
    hidden = [library for library in libraries if library not in sys.modules]
    sys.modules |= dict.fromkeys(hidden)  # type: ignore[arg-type]  # None: it cannot be found
    try:
        yield
    finally:
        for library in hidden:
            del sys.modules[library]
