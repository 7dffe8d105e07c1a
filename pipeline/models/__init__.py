"""The architectures: one file each, found by its name, with its `Options` and `build` side by side."""

from __future__ import annotations

import importlib
from typing import Any


def architecture(name: str) -> Any:
    """The module of that name. Its `INPUT`, `Options` and `build` are as CONTRIBUTING.md says."""
    return importlib.import_module(f".{name}", __package__)
