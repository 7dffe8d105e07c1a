"""Show by measurement what convolutions are good for: the model beside dense networks.

Writes the options of each stage and has make build the network's inputs; `compare_with_dense` does the rest.
"""

from __future__ import annotations

from ..config.command_line import Words
from ..graph.inner_make import Goal, make, run_stage
from ..graph.request import TrainingRequest
from ..graph.single_run import configure_run


def run(given: Words) -> None:
    folder = configure_run(TrainingRequest.from_words(given))
    make(Goal(folder, ("inputs",)))
    run_stage("compare_with_dense", folder.path)
