"""Labelling of the rows of Spark's data frames."""

from importlib import import_module
from typing import Any

__all__ = ["Report", "label", "rejects"]

# Imported when they are asked for: a task needs neither what the driver checks nor what finds a model.
_HOMES = {"Report": ".report", "label": ".labelling", "rejects": ".labelling"}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name], __name__), name)
