"""The options of the YAML files, from their types: what each means, what it may be, and what it is."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from textwrap import dedent, fill
from typing import Any, NamedTuple

from ..models import architecture
from ..options import Configuration, Section
from ..terminal import TERMINAL_WIDTH
from .words import WORD_OF_OPTION

INDENT = "      "
HOW_TO_SET = (
    "Each option with its value, its meaning and what it may be. Set one in conf/corpora/ or conf/models/, "
    'or for one command with SET="name=value" or the word in brackets.'
)
OF_TEXTS = ("tokenize", "embed")
SECTIONS = ("source", "split", "tokenize", "embed", "network", "train", "ensemble")


class Option(NamedTuple):
    """An option by its full name, as SET and the YAML files have it; `value` is as YAML writes it."""

    name: str
    value: str
    allowed: str
    meaning: str


def reference(configuration: Configuration) -> str:
    """Return all options with their values in a corpus and a model, in lines that fit the terminal."""
    module = architecture(configuration.architecture)
    values = configuration.model_dump()
    lines = [fill(HOW_TO_SET, TERMINAL_WIDTH), ""]
    lines += map(_shown, _options(Configuration, values, "", left_out=SECTIONS))
    for name in SECTIONS:
        if configuration.source.input == "images" and name in OF_TEXTS:
            continue
        section = module.Options if name == "network" else type(getattr(configuration, name))
        lines += ["", fill(f"{name}: {_first_sentence(section)}", TERMINAL_WIDTH)]
        lines += map(_shown, _options(section, values[name], f"{name}."))
    return "\n".join(lines)


def _options(
    section: type[Section], values: dict[str, Any], prefix: str, left_out: tuple[str, ...] = ()
) -> Iterator[Option]:
    meanings, schema = _meanings(section), section.model_json_schema()
    for name, field in section.model_fields.items():
        if name in left_out:
            continue
        below = field.annotation
        if isinstance(below, type) and issubclass(below, Section):
            yield from _options(below, values[name], f"{prefix}{name}.")
        else:
            allowed = _allowed(schema["properties"][name], schema.get("$defs", {}))
            yield Option(f"{prefix}{name}", _yaml(values[name]), allowed, meanings[name])


def _shown(option: Option) -> str:
    text = f"{option.meaning} ({option.allowed})"
    word = f" ({WORD_OF_OPTION[option.name]}=)" if option.name in WORD_OF_OPTION else ""
    head = fill(f"  {option.name}{word}: {option.value}", TERMINAL_WIDTH, subsequent_indent=INDENT)
    return f"{head}\n" + fill(text, TERMINAL_WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)


def _meanings(section: type[Section]) -> dict[str, str]:
    """Return the string below each field, which only the source has."""
    (body,) = ast.parse(dedent(inspect.getsource(section))).body
    assert isinstance(body, ast.ClassDef)
    meanings, name = {}, ""
    for statement in body.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name = statement.target.id
        elif name and isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
            meanings[name] = " ".join(str(statement.value.value).split())
            name = ""
    return meanings


def _first_sentence(section: type[Section]) -> str:
    return (inspect.getdoc(section) or "").split("\n\n")[0].replace("\n", " ")


def _allowed(schema: dict[str, Any], definitions: dict[str, Any]) -> str:
    """Return what a value may be, in words, from its JSON schema."""
    if schema.get("$ref", "").endswith("/File"):
        return "a path"
    if "$ref" in schema:
        return _allowed(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if "anyOf" in schema:
        return " or ".join(_allowed(one, definitions) for one in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(map(str, schema["enum"]))
    if "const" in schema:
        return str(schema["const"])
    kind = schema["type"]
    if kind == "array":
        return f"a list of: {_allowed(schema['items'], definitions)}"
    words = {
        "integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false",
        "null": "null", "object": "keys and values",
    }  # fmt: skip
    return words[kind] + _bounds(schema)


def _bounds(schema: dict[str, Any]) -> str:
    below = schema.get("exclusiveMaximum", 0)
    bounds = [
        f" from {schema['minimum']:g}" if "minimum" in schema else "",
        f" above {schema['exclusiveMinimum']:g}" if "exclusiveMinimum" in schema else "",
        f" to {schema['maximum']:,g}" if "maximum" in schema else "",
        f" to below {below:g}" if 0 < below < 2**31 else "",
    ]
    return "".join(bounds)


def _yaml(value: Any) -> str:
    """Return a value as YAML has it on one line."""
    if value is None or isinstance(value, bool):
        return str(value).replace("None", "null").lower()
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_yaml(entry)}" for key, entry in value.items()) + "}"
    return str(value) if value != "" else '""'
