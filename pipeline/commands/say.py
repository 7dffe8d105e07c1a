"""Label one text, or each line that is typed or piped in, and show why.

Reads a trained model/, and standard input where no TEXT is given.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

from ..config import words
from ..config.command_line import Words
from ..errors import InputError
from ..inputs import parse_shown, shown
from ..prediction.answer import NO_WORDS, answer, check_texts
from ..prediction.classifier import Classifier
from ..release.chosen_model import model_folder
from ..terminal import TERMINAL_WIDTH, say, shorten

PROMPT = "> "


def run(given: Words) -> None:
    classifier = Classifier.load(model_folder("say", given[words.CORPUS], given[words.MODEL]))
    check_texts(classifier)
    if (text := given[words.SAID]) is None:
        _answer_lines(classifier)
        return
    lines = answer(classifier, _meant(classifier, os.fsencode(text)))
    if lines == [NO_WORDS]:
        raise InputError(f"TEXT={text}: {NO_WORDS}")
    say("\n".join(lines))


def _answer_lines(classifier: Classifier) -> None:
    """Answer each line at once; a terminal shows the line already, and a file of answers needs it."""
    is_typed = sys.stdin.isatty() and sys.stdout.isatty()
    for line in _typed_lines() if is_typed else sys.stdin.buffer:
        try:
            text = _meant(classifier, line.rstrip(b"\r\n"))
        except InputError as error:
            say(f"no label: {error}\n")
            continue
        if not is_typed:
            say(shorten(shown(text), TERMINAL_WIDTH))
        say("\n".join(answer(classifier, text)) + "\n")


def _typed_lines() -> Iterator[bytes]:
    """Yield lines from a terminal, which can be edited and called up again, until Ctrl-D or Ctrl-C."""
    import readline  # noqa: F401  # `input` uses it

    try:
        while True:
            yield os.fsencode(input(PROMPT))
    except (EOFError, KeyboardInterrupt):
        say("")  # the shell's prompt begins a line


def _meant(classifier: Classifier, text: bytes) -> str:
    """Return what was typed as a text of the classifier: for several columns, with " | " between."""
    try:
        return parse_shown(text.decode(), len(classifier.columns))
    except UnicodeDecodeError as error:
        raise InputError(f"byte {error.start + 1} of the text is not UTF-8") from error
