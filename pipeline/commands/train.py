"""Train a classifier on a labelled corpus: the whole line, from the words to the report.

Writes the options of each stage, and has make build what they concern. Prints the run's folder.
"""

from __future__ import annotations

import time

from ..config.command_line import Words
from ..environment.program import PROCESS_START
from ..graph.inner_make import Goal
from ..graph.options_writer import taken_back_if_refused
from ..graph.request import TrainingRequest
from ..graph.single_run import configure_run
from ..sharing.shared_make import make_alone
from ..terminal import say, wrapped


def run(given: Words) -> None:
    request = TrainingRequest.from_words(given)
    with taken_back_if_refused(request.folder.corpus):
        folder = configure_run(request)
        # The baseline is fitted beside the network's preparation: they need nothing of each other.
        goal = Goal(folder, (folder.metrics,), request.environment, request.inputs)
        seconds = make_alone(goal, f"the run {folder.path.name}", jobs=2)
    if seconds:
        of_stages = ", ".join(f"{stage} {taken:.1f} s" for stage, taken in seconds.items())
        say(wrapped(f"time: {time.monotonic() - PROCESS_START:.1f} s ({of_stages})", indent=""))
    say(folder.path)
