"""Send the runs that no tracking server took to the store that MLFLOW_TRACKING_URI names now.

Reads data/tracking/unsent/, where `train` and `evaluate` keep them; removes what was sent.
"""

from __future__ import annotations

import argparse

from ..errors import InputError
from ..tracking import location, mlflow_calls


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """It takes none."""


def run(arguments: argparse.Namespace) -> None:
    print(f"send: to {location.shown()}", flush=True)
    sent = []
    for line, is_sent in mlflow_calls.send():
        print(f"  {line}", flush=True)
        sent.append(is_sent)
    if not sent:
        print("  nothing was unsent")
    if not all(sent):
        raise InputError(f"{sent.count(False)} of {len(sent)} runs stay in {location.folder() / 'unsent'}")
