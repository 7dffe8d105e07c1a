"""Make the champion before the present one the champion again; called again, the one before that.

Reads and moves the alias in MLflow, and fetches the model for `predict`.
"""

from __future__ import annotations

import argparse

from ..config import loading
from ..release import champions, registry


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", required=True, help="whose champion")


def run(arguments: argparse.Namespace) -> None:
    corpus, model = loading.resolved(arguments.corpus, "")
    name = loading.run_folder(corpus, model).parent.name
    one, now = registry.before(name)
    champions.bring(name, one.model_id)  # first: where that fails, nothing has changed
    registry.set_champion(name, one)
    champions.remember(name)
    print(f"rollback: {name} version {one.number} ({one.title}) is the champion, in place of {now.number}")
