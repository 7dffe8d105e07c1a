"""Train a classifier on a labelled corpus: the whole line, from the words to the report.

Writes the options of each stage, and has make build what they concern. Prints the run's folder.
"""

from __future__ import annotations

from ..config.command_line import Words
from ..graph.inner_make import Goal, make
from ..graph.request import TrainingRequest
from ..graph.single_run import configure_run
from ..terminal import say


def run(given: Words) -> None:
    folder = configure_run(TrainingRequest.from_words(given))
    # The baseline is fitted beside the network's preparation: they need nothing of each other.
    make(Goal(folder, (folder.metrics,)), jobs=2)
    say(folder.path)
