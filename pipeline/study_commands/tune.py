"""Search a model's options within a time budget.

Writes the options of the search and has make build the network's inputs; `search_options` does the rest.
"""

from __future__ import annotations

import os

from ..artifacts import SearchFolder
from ..config import words
from ..config.command_line import Words
from ..graph.inner_make import Goal, make, run_stage
from ..graph.options_writer import taken_back_if_refused
from ..graph.request import TrainingRequest
from ..graph.search import STORAGE_VARIABLE, configure_search


def run(given: Words) -> None:
    request = TrainingRequest.from_words(given)
    with taken_back_if_refused(request.folder.corpus):
        search = configure(given)
        make(Goal(search.run, ("inputs",)))
    os.environ |= {**request.environment, STORAGE_VARIABLE: given[words.STORAGE]}
    run_stage("search_options", search.path)


def configure(given: Words) -> SearchFolder:
    """Write the options of the search, and return its folder."""
    request = TrainingRequest.from_words(given)
    budget = given.texts.get(words.BUDGET.name, words.BUDGET.example)
    return configure_search(request, given[words.BUDGET], budget, given[words.NAME], given[words.STORAGE])
