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

    `model` may also be the folder itself, wherever it was trained. Of the champion a line is printed, which
    begins with the command's name. Raises InputError where nothing is trained, and for a corpus or model that
    there is not.
    """
    if model and (folder := Path(model) / MANIFEST).is_file():
        return folder.parent
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
