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
    champions.refresh(name)  # notes an alias that was moved in MLflow's pages, whatever comes of the rollback
    previous, champion = registry.previous(name)
    champions.ensure_local(name, previous.model_id)  # first: if that fails, nothing has changed
    registry.set_champion(name, previous)
    champions.refresh(name)
    now = f"version {previous.number} ({previous.title})"
    print(f"rollback: {name} {now} is the champion, in place of {champion.number}")
