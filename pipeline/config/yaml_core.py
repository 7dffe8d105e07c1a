"""YAML restricted to the core schema of YAML 1.2, without repeated keys. The only module to import PyYAML.

PyYAML follows YAML 1.1, where `010` is 8, `1:30` is 90, `no` is false and `2026-11-27` a date, and where the
last of two equal keys counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable
from typing import Any

import yaml

MAX_VALUES = 100_000  # of a file, each counted as often as an alias repeats it
TAG = "tag:yaml.org,2002:"
PLAIN = {  # type -> the plain scalars that are of it, and their first characters; all others are texts
    "null": (r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
}


class NotYaml(Exception):
    """Text that is not YAML: the problem and, if known, its line, counted from 1."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def read(text: str) -> Any:
    """Return lists, dictionaries, texts, numbers, booleans and None. Raises NotYaml for anything else."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise NotYaml(str(getattr(error, "problem", error)), mark.line + 1 if mark else None) from error
    except (ValueError, KeyError) as error:  # a tag, such as !!int, on a value of another type
        raise NotYaml("a value is not what its tag says, or too long for a number") from error
    except RecursionError as error:
        raise NotYaml("nested too deeply") from error


def write(values: dict[str, Any]) -> str:
    """Return YAML with one key a line, in their order; lists are on one line."""
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


def _resolvers() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """Return which tags a plain scalar may have, by its first character."""
    resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for name, (pattern, first_characters) in PLAIN.items():
        for character in first_characters:
            resolvers.setdefault(character, []).append((TAG + name, re.compile(f"^(?:{pattern})$")))
    return resolvers


def _constructors() -> dict[str | None, Callable[..., Any]]:
    """Return the function that constructs a value, by its tag; PyYAML's own read `010` as 8."""
    known = {TAG + name for name in (*PLAIN, "str", "seq", "map")}
    constructors = {
        tag: construct
        for tag, construct in yaml.SafeLoader.yaml_constructors.items()
        if tag is None or tag in known
    }
    return constructors | {
        TAG + "int": lambda loader, node: int(loader.construct_scalar(node)),
        TAG + "float": lambda loader, node: float(loader.construct_scalar(node)),
    }


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _resolvers()
    yaml_constructors = _constructors()

    def get_single_node(self) -> yaml.Node | None:
        node: yaml.Node | None = super().get_single_node()
        if node and _count_values(node, {}) > MAX_VALUES:
            problem = f"more than {MAX_VALUES:,} values, where an alias stands for all of its anchor's"
            raise yaml.constructor.ConstructorError(None, None, problem, None)
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):  # PyYAML refuses the others
                if key in keys:
                    problem = f"the key {key!r} is there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                keys.add(key)
        return super().construct_mapping(node, deep)


def _count_values(node: yaml.Node, counts: dict[int, int]) -> int:
    """Return the number of values in a node, with those of an anchor once for each alias of it."""
    if id(node) not in counts:
        counts[id(node)] = MAX_VALUES + 1  # until it is known: an anchor that holds its own alias has no end
        inner = [] if isinstance(node, yaml.ScalarNode) else node.value
        if isinstance(node, yaml.MappingNode):
            inner = [part for pair in inner for part in pair]
        counts[id(node)] = 1 + sum(_count_values(part, counts) for part in inner)
    return counts[id(node)]


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = _resolvers()  # those of the loader, so that a text is quoted where it must be

    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, flow_style=True)
