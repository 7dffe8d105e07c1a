"""A command line as words: parsed, checked, and explained."""

from __future__ import annotations

import difflib
import os
from collections.abc import Sequence
from textwrap import wrap
from typing import TypeVar

from ..environment.program import invocation
from ..errors import InputError
from ..terminal import TERMINAL_WIDTH
from .words import COMMANDS, Word

T = TypeVar("T")
INDENT = 23  # columns in which a word's example stands, before its help


class Words:
    """The words of one command line, each checked; `words[TOP]` is the value of `TOP=3`, or its default."""

    def __init__(self, command: str, allowed: Sequence[Word[object]], arguments: Sequence[str]) -> None:
        """Raise InputError for a word that the command does not take, and for a value it cannot have."""
        known = {word.name: word for word in allowed}
        settings = {name for name, word in known.items() if word.from_environment}
        around = {name: os.environ[name] for name in settings if name in os.environ}
        self.texts = around | _split(command, arguments, list(known))
        self.settings = {name: text for name, text in self.texts.items() if name in settings}
        self._values = {
            name: _checked(known[name], text)
            for name, text in self.texts.items()
            if text or not known[name].blank_is_default
        }

    def __getitem__(self, word: Word[T]) -> T:
        return self._values.get(word.name, word.default)  # type: ignore[return-value]  # checked by the word


def _split(command: str, arguments: Sequence[str], known: list[str]) -> dict[str, str]:
    """Return the text of each word. Raises InputError for what is no word that the command takes."""
    texts: dict[str, str] = {}
    for argument in arguments:
        name, equals, text = argument.partition("=")
        if name not in known or not equals:
            raise InputError(_unknown(command, argument, known))
        texts[name] = text  # of one that is given twice the last counts, as make has it
    return texts


def _checked(word: Word[T], text: str) -> T:
    try:
        return word.check(text)
    except ValueError as error:
        raise InputError(f"{word.name}={text}: {error}") from error


def _unknown(command: str, argument: str, known: list[str]) -> str:
    name, equals, _ = argument.partition("=")
    near = difflib.get_close_matches(name.upper(), known, n=1)
    if not equals and name in known:
        return f"{command}: {name} has no value; expected {name}=..."
    takes = f"it takes {', '.join(known)}" if known else "it takes none"
    if near:
        return f"{command} has no word {name!r}; did you mean {near[0]}? {takes}"
    return (
        f"{command} has no word {name!r}; {takes}" if equals else f"{command}: {name!r} is no word; {takes}"
    )


def parse_words(command: str, arguments: Sequence[str]) -> Words:
    """Return the words of a command of the table."""
    return Words(command, COMMANDS[command].words, arguments)


def unknown_command(name: str, known: Sequence[str]) -> InputError:
    """Return the error for a command, or a stage, that there is not."""
    near = difflib.get_close_matches(name, known, n=1)
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    return InputError(f"no command {name!r}; {suggestion}there are: {', '.join(known)}")


def overview() -> str:
    """Return the help on all commands and their words, in lines for a terminal."""
    lines = [f"usage: {invocation()} COMMAND [WORD=value ...]", ""]
    for name, command in COMMANDS.items():
        lines += _paragraph(f"  {name}", command.purpose, 12)
        words = " ".join(word.name for word in command.words)
        lines += wrap(words, TERMINAL_WIDTH, initial_indent=" " * 16, subsequent_indent=" " * 16)
    words_by_name = {word.name: word for command in COMMANDS.values() for word in command.words}
    return "\n".join([*lines, "", *_explained(list(words_by_name.values()))])


def command_help(name: str) -> str:
    """Return the help on one command: what it does, and each word that it takes."""
    command = COMMANDS[name]
    words = " [WORD=value ...]" if command.words else ""
    purpose = wrap(f"{command.purpose[0].upper()}{command.purpose[1:]}.", TERMINAL_WIDTH)
    return "\n".join([f"usage: {invocation()} {name}{words}", "", *purpose, "", *_explained(command.words)])


def _explained(words: Sequence[Word[object]]) -> list[str]:
    return [
        line for word in words for line in _paragraph(f"  {word.name}={word.example}", word.help, INDENT + 2)
    ]


def _paragraph(head: str, text: str, indent: int) -> list[str]:
    """Return a head and what is said of it beside it, or below it where the head is long."""
    lines = wrap(text, TERMINAL_WIDTH, initial_indent=" " * indent, subsequent_indent=" " * indent)
    if len(head) < indent:
        return [head.ljust(indent) + lines[0].lstrip(), *lines[1:]]
    return [head, *lines]
