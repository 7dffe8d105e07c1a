"""Print all that can be set in a corpus and a model: what it is, what it may be and what it means.

Reads conf/; writes nothing.
"""

from __future__ import annotations

from ..config import loading, words
from ..config.command_line import Words
from ..config.options_reference import reference
from ..terminal import say


def run(given: Words) -> None:
    corpus, model = loading.resolved(given[words.CORPUS], given[words.MODEL])
    say(reference(loading.load(corpus, model, given[words.SET], {})))
