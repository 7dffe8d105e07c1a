"""SET: the options of a command line, written `key=value` and separated by blanks as in a shell."""

from __future__ import annotations

import re
import shlex
from typing import Any

from ..errors import InputError
from .complaints import lower_first, show_value

CORPUS_KEYS = frozenset({"title", "seed", "source", "split", "tokenize"})  # of a file in conf/corpora
MODEL_KEYS = frozenset({"seed", "embed", "architecture", "network", "train", "ensemble", "published"})


def parse(text: str) -> dict[str, Any]:
    """Return the options and their values, as in {"train.epochs": 3}.

    Raises InputError for what is not `key=value`, a value that is not YAML, and an option given twice.
    """
    from . import yaml_core  # here, as a prediction reads no YAML

    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"SET={text}: {lower_first(str(error))}: expected key=value pairs") from error
    values: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise InputError(f'SET: {word!r} is not key=value, as in SET="train.epochs=3 seed=7"')
        if any(given == key or given.startswith(f"{key}.") for given in values):
            raise InputError(f"SET: {key} is given twice")
        try:
            values[key] = yaml_core.read(value)
        except yaml_core.NotYaml as error:
            raise InputError(f"SET: the value of {key} is not YAML: {show_value(value)}: {error}") from error
    return values


def assign(values: dict[str, Any], key: str, value: Any) -> None:
    """Set an option such as `train.epochs` in nested sections; the sections on the way are copied."""
    *sections, last = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        values[section] = values = dict(inner) if isinstance(inner, dict) else {}
    values[last] = value


def corpus_settings(text: str) -> str:
    """Return the words of SET that are about the corpus, and so in no model's file."""
    words = shlex.split(text)
    return shlex.join(word for word in words if re.split(r"[.=]", word)[0] in CORPUS_KEYS - MODEL_KEYS)


def without_seed(text: str) -> str:
    """Return the words of SET that make another model or corpus, which a seed does not."""
    return shlex.join(word for word in shlex.split(text) if word.partition("=")[0] != "seed")
