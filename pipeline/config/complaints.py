"""The wording of errors in options: where an option was set, what was expected, and what is near."""

from __future__ import annotations

import difflib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import InputError
from ..options import InconsistentOptions, Section

MAX_VALUE_CHARACTERS = 80
S = TypeVar("S", bound=Section)


class Origins:
    """The file or the word of the command line that set each option, by its name or that of its section."""

    def __init__(self, by_key: dict[str, str]) -> None:
        self._by_key = by_key

    def of(self, key: str) -> str:
        """Return where the key, or a key below it, was set; else the file of its section."""
        below = next((known for known in self._by_key if known.startswith(f"{key}.")), None)
        if below:
            return self._by_key[below]
        while key and key not in self._by_key:
            key = key.rpartition(".")[0]
        return self._by_key[key]

    def of_any(self, keys: list[str]) -> str:
        """Return where one of the keys was set by hand, else the file of the first."""
        origins = [self.of(key) for key in keys]
        return next((origin for origin in origins if not origin.startswith("conf/")), origins[0])


def validate(options: type[S], values: Any, origins: Origins, prefix: str = "") -> S:
    """Return the values as typed options.

    `prefix` precedes their names, as in `network.`. Raises InputError for pydantic's first complaint: one
    line that names the file, the key and what is allowed.
    """
    try:
        return options.model_validate(values)
    except ValidationError as error:
        raise _input_error(error, options, values, origins, prefix) from error


def suggest(name: str, known: list[str]) -> str:
    """Return "did you mean ...? there are: ...": the nearest of the known names, and those of its section."""
    near = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(
        name, sorted({key.partition(".")[0] for key in known}), n=1
    )
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    section = name.partition(".")[0] + "."
    listed = [key for key in known if key.startswith(section)]
    listed = listed or list(dict.fromkeys(key.partition(".")[0] for key in known))
    return f"{suggestion}there are: {', '.join(listed)}"


def show_value(value: Any) -> str:
    """Return the value as Python writes it, cut to MAX_VALUE_CHARACTERS."""
    text = repr(value)
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[:MAX_VALUE_CHARACTERS]}…"


def lower_first(text: str) -> str:
    """Return the text with a small first letter, to stand after a colon."""
    return text[:1].lower() + text[1:]


def _input_error(
    error: ValidationError, options: type[Section], values: Any, origins: Origins, prefix: str
) -> InputError:
    first, *alternatives = _first_complaints(error, values)
    key = prefix + ".".join(_path(first, values))
    if first["type"] == "extra_forbidden":
        return InputError(f"{origins.of(key)}: no option {key!r}; {suggest(key, _keys(options, prefix))}")
    if first["type"] == "value_error":
        cause = first["ctx"]["error"]
        keys = list(cause.keys) if isinstance(cause, InconsistentOptions) else [key.rstrip(".")]
        return InputError(f"{origins.of_any(keys)}: {cause}")
    expected = lower_first(first["msg"])
    expected += "".join(f" or {other['msg'].removeprefix('Input should be ')}" for other in alternatives)
    actual = "" if first["type"] == "missing" else f", found {show_value(first['input'])}"
    return InputError(f"{origins.of(key)}: {key}: {expected}{actual}")


def _first_complaints(error: ValidationError, values: Any) -> list[ErrorDetails]:
    """Return the first complaint; for an option of several types, those of the types that got furthest."""
    errors = error.errors()
    top = _path(errors[0], values)[:1]
    of_first = [details for details in errors if _path(details, values)[:1] == top]
    furthest = max((_path(details, values) for details in of_first), key=len)
    return [details for details in of_first if _path(details, values) == furthest]


def _path(error: ErrorDetails, values: Any) -> list[str]:
    """Return the keys and positions that lead to the value; pydantic's also name the type that was tried."""
    path: list[str] = []
    for part in error["loc"]:
        exists = part in values if isinstance(values, dict) else isinstance(part, int)
        if exists:
            values = values[part]
        if exists or error["type"] == "missing":
            path.append(str(part))
    return path


def _keys(options: type[BaseModel], prefix: str) -> list[str]:
    keys: list[str] = []
    for name, field in options.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += _keys(inner, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys
