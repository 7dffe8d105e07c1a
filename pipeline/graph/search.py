"""The options of a search for better options of a model."""

from __future__ import annotations

from ..artifacts import SearchFolder
from ..config import assignments, names
from ..config.conf_folders import MODELS
from ..config.stage_options import TuneOptions
from ..config.tuned_model import reserved
from ..errors import InputError
from ..files import short_hash
from ..terminal import without_password
from .facts import write_corpus_facts
from .options_writer import training, write, write_baselines, write_corpus, write_inputs
from .request import TrainingRequest
from .single_run import QUICK_BASELINES

# The environment hands it to the stage, as no file may hold a password.
STORAGE_VARIABLE = "CONVTEXT_STORAGE"


def configure_search(
    request: TrainingRequest, budget: int, budget_text: str, name: str, storage: str
) -> SearchFolder:
    """Write the options of a search and of the stages before it; return the folder of the search.

    The folder is named by all that was asked for, as several searches may be under way. Raises InputError for
    whatever would stop the winner from being written or trained: that is said before the search.
    """
    configuration, folder = request.load(), request.folder
    winner = name or f"{folder.corpus.path.name}-tuned"
    if not names.NAME.fullmatch(winner):
        raise InputError(f"NAME={winner!r}: {names.NAMES}")
    output = MODELS.new_file(winner)
    with reserved(output):
        prepare = write_corpus(folder.corpus, folder.corpus.path.name, configuration)
        write_corpus_facts(folder.corpus, configuration)
        tokenize, embed = write_inputs(folder, configuration)
        write_baselines(folder, configuration, QUICK_BASELINES[configuration.source.input])
    shown = without_password(storage, keeps_user=True)  # a user is part of "the same command"
    options = TuneOptions(
        budget=budget,
        output=str(output),
        command=request.command("tune", NAME=name, BUDGET=budget_text, STORAGE=shown),
        again=request.command(
            "train", MODEL=winner, VECTORS="", SET=assignments.corpus_settings(request.set)
        ),
        prepare=prepare,
        tokenize=tokenize,
        embed=embed,
        train=training(configuration, request.model),
    )
    search = folder.search(winner + short_hash(options.model_dump_json()))
    write(search.options, options)
    return search
