"""Send the runs that no tracking server took to the store that MLFLOW_TRACKING_URI names now.

Reads data/tracking/unsent/, where `train` and `evaluate` keep them; removes what was sent.
"""

from __future__ import annotations

import argparse

from pipeline import replay, store


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(arguments: argparse.Namespace) -> None:
    said = list(map(_say, replay.send()))
    print(f"send: {len(said) or 'no'} unsent run{'s' * (len(said) != 1)}; the store is {store.shown()}")


def _say(line: str) -> None:
    print(f"  {line}", flush=True)
