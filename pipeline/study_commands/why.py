"""Show by measurement what convolutions are good for: the model beside dense networks.

Writes the options of each stage and has make build the network's inputs; `compare_with_dense` does the rest.
"""

from __future__ import annotations

import os

from ..config.command_line import Words
from ..graph.inner_make import Goal, make, run_stage
from ..graph.options_writer import taken_back_if_refused
from ..graph.request import TrainingRequest
from ..graph.single_run import configure_run


def run(given: Words) -> None:
    request = TrainingRequest.from_words(given)
    with taken_back_if_refused(request.folder.corpus):
        folder = configure_run(request)
        make(Goal(folder, ("inputs",)))
    os.environ |= request.environment
    run_stage("compare_with_dense", folder.path)
