"""Check the options and hand each stage its own.

Reads conf/ and the words of the command line; writes the stages' options as JSON. Prints the run's folder.
"""

from __future__ import annotations

from ..config.command_line import Words
from ..graph.request import TrainingRequest
from ..graph.single_run import configure_run
from ..terminal import say


def run(given: Words) -> None:
    say(configure_run(TrainingRequest.from_words(given)).path)
