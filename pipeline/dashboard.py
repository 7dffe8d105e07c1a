"""Open the tracked runs in MLflow's own pages, on 127.0.0.1.

Reads the store that `train` and `evaluate` write.
"""

from __future__ import annotations

import argparse

from pipeline import tracking


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, default=5000)


def run(arguments: argparse.Namespace) -> None:
    tracking.serve(arguments.port)
