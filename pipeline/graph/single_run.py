"""The options of one training, from the words of the command line to the files of its stages."""

from __future__ import annotations

from ..artifacts import RunFolder
from ..options import BaselineName, InputKind
from .facts import write_corpus_facts, write_run_facts
from .options_writer import write_corpus, write_run
from .request import TrainingRequest

QUICK_BASELINES: dict[InputKind, list[BaselineName]] = {
    "tokens": ["linear", "svm", "majority"],
    "images": ["pixels", "majority"],
}


def configure_run(request: TrainingRequest) -> RunFolder:
    """Write the options of each stage, and return the folder of the run."""
    configuration, folder = request.load(), request.folder
    write_corpus(folder.corpus, folder.corpus.path.name, configuration)
    write_corpus_facts(folder.corpus, configuration)
    described = request.described(folder, request.command("train"))
    write_run(folder, configuration, described, request.model, QUICK_BASELINES[configuration.source.input])
    write_run_facts(folder, configuration)
    return folder
