"""The architectures: one file each, found by its name, with its `Options` and `build` side by side."""

from __future__ import annotations

import importlib
from typing import Any


def architecture(name: str) -> Any:
    """Return the module of that name, whose `INPUT`, `Options` and `build` CONTRIBUTING.md describes."""
    return importlib.import_module(f".{name}", __package__)
