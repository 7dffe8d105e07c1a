"""The runs that a study compares: their seeds, and the opponents in each."""

from __future__ import annotations

from ..baselines.catalogue import BASELINES
from ..errors import InputError
from ..options import BaselineName, Configuration

MAX_SEEDS = 2**32


def seeds(first: int, count: int) -> range:
    """Return consecutive seeds. Raises InputError where there are not as many."""
    if first + count > MAX_SEEDS:
        raise InputError(f"seed: {first} leaves no room for {count} seeds below 2^32")
    return range(first, first + count)


def opponents(configuration: Configuration) -> tuple[list[BaselineName], list[str]]:
    """Return the baselines for such inputs, and the titles of those whose library is not installed."""
    kind = configuration.source.input
    fitting = {name: baseline for name, baseline in BASELINES.items() if baseline.fits(kind)}
    available = [name for name, baseline in fitting.items() if baseline.available()]
    return available, [baseline.title for baseline in fitting.values() if not baseline.available()]
