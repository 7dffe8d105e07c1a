"""Send the runs that no tracking server took to the store that MLFLOW_TRACKING_URI names now.

Reads data/tracking/unsent/, where `train` and `evaluate` keep them; removes what was sent.
"""

from __future__ import annotations

import argparse

from pipeline import address, replay


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(arguments: argparse.Namespace) -> None:
    print(f"send: to {address.shown()}", flush=True)
    said = False
    for line in replay.send():
        print(f"  {line}", flush=True)
        said = True
    if not said:
        print("  nothing was unsent")
