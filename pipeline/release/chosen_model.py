"""The model that labels for a user: the one that is named, or in a folder, or the corpus's champion."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from ..artifacts import RunFolder
from ..config import loading
from ..environment.program import command_text
from ..errors import InputError
from ..files import appears
from ..manifest import MANIFEST
from ..terminal import say
from . import champions


def model_folder(command: str, corpus: str, model: str) -> Path:
    """Return the champion's folder if no model is named and there is a champion, else the named run's.

    `model` may also be what `trained_model` takes. Of the champion a line is printed, which begins with the
    command's name. Raises InputError where nothing is trained, and for a corpus or model that there is not.
    """
    if folder := trained_model(model):
        return folder
    if os.sep in model:
        raise InputError(f"MODEL={model} is no folder of a trained model: it has no {MANIFEST}")
    named = bool(model)
    corpus, model = loading.resolved(corpus, model)
    run = RunFolder(loading.run_folder(corpus, model))
    if not named and (champion := champions.current(run.corpus.path.name)):
        say(f"{command}: by the champion, version {champion.version} ({champion.title})", sys.stderr)
        return champion.files.classifier
    if not appears(run.model):
        loading.check_corpus(corpus)
        loading.check_model(model)
        train = command_text("train", {"CORPUS": corpus, "MODEL": model})
        raise InputError(f"there is no trained model in {run.model}: run `{train}` first")
    return run.model


def trained_model(model: str) -> Path | None:
    """Return the folder of a trained model: the text itself, or that of models:/reviews@champion in MLflow.

    What is registered is fetched once. Returns None for a text of another kind.
    """
    if model.startswith("models:"):
        from . import registry  # not at the top: MLflow takes seconds to import

        return champions.ensure_local(registry.registered(model).model_id)
    return Path(model) if model and (Path(model) / MANIFEST).is_file() else None
