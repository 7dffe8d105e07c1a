"""Write a classifier as a folder that MLflow serves and the Dockerfile makes an image of.

Reads a trained model/, and its MODEL_CARD.md if there is one; writes an MLflow model.
"""

from __future__ import annotations

import logging
import shutil
from pathlib import Path

from ..artifacts import MODEL_CARD
from ..config import words
from ..config.command_line import Words
from ..errors import InputError
from ..files import atomic_folder
from ..release.chosen_model import model_folder
from ..terminal import say

SERVING = Path(__file__).parents[1] / "serving"


def run(given: Words) -> None:
    output = Path(given[words.PACKED])
    if output.exists():
        raise InputError(f"{output} is there already: remove it, or name another folder with OUTPUT=")
    model = model_folder("pack", given[words.CORPUS], given[words.MODEL])
    from ..tracking import package  # not at the top: MLflow takes seconds to import

    logging.getLogger("mlflow").setLevel(logging.WARNING)  # it tells of each step
    with atomic_folder(output) as partial:
        package.save(partial, model, card=_card(model))
        for name, there in (("Dockerfile", "Dockerfile"), ("dockerignore", ".dockerignore")):
            shutil.copy(SERVING / name, partial / there)
    say(f"pack: {output} is ready: serve it with MLflow, or\n  docker build -t convtext {output}")


def _card(model: Path) -> Path | None:
    """Return the model's card: beside the model of a run, and in the folder of a champion's MLflow model."""
    cards = [folder / MODEL_CARD for folder in (model.parent, model.parents[1])]
    return next((card for card in cards if card.is_file()), None)
