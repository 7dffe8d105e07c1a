"""YAML as it looks: no more than the core of YAML 1.2, and no key twice. The only module that imports PyYAML.

PyYAML follows YAML 1.1, where `010` is 8, `1:30` is 90, `no` is false and `2026-11-27` a date, and where the
last of two equal keys counts.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml


class NotYaml(Exception):
    """What is wrong, and in which line, from 1, if that is known."""

    def __init__(self, problem: str, line: int | None = None) -> None:
        super().__init__(problem)
        self.line = line


def read(text: str) -> Any:
    """Lists, dictionaries, texts, numbers, booleans and None. Raises NotYaml for anything else."""
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise NotYaml(str(getattr(error, "problem", error)), mark.line + 1 if mark else None) from error
    except (ValueError, KeyError) as error:  # of a tag, such as !!int, whose value is another
        raise NotYaml("a value is not what its tag says, or too long for a number") from error
    except RecursionError as error:
        raise NotYaml("nested too deeply") from error


def write(values: dict[str, Any]) -> str:
    """A line a key, in their order; lists on one line."""
    return str(yaml.dump(values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100))


class _Loader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        found: set[Hashable] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable):  # what is not, PyYAML refuses
                if key in found:
                    problem = f"the key {key!r} is there twice"
                    raise yaml.constructor.ConstructorError(None, None, problem, key_node.start_mark)
                found.add(key)
        return super().construct_mapping(node, deep)


class _Dumper(yaml.SafeDumper):
    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, flow_style=True)


def _text(loader: Any, node: Any) -> str:
    return str(loader.construct_scalar(node))


CORE = "tag:yaml.org,2002:"
PLAIN = {  # what is no text, and what it begins with
    "null": (r"~|null|Null|NULL|", "~nN"),
    "bool": (r"true|True|TRUE|false|False|FALSE", "tTfF"),
    "int": (r"[-+]?[0-9]+", "-+0123456789"),
    "float": (r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
}
_Loader.yaml_implicit_resolvers = {}
for _name, (_pattern, _begins) in PLAIN.items():
    _first = [*_begins, ""] if _name == "null" else list(_begins)
    _Loader.add_implicit_resolver(CORE + _name, re.compile(f"^(?:{_pattern})$"), _first)
_Dumper.yaml_implicit_resolvers = _Loader.yaml_implicit_resolvers  # so that a text is quoted where it must be
_known = (*PLAIN, "str", "seq", "map")
_Loader.yaml_constructors = {
    tag: build
    for tag, build in yaml.SafeLoader.yaml_constructors.items()
    if tag is None or tag in {CORE + name for name in _known}
}
_Loader.add_constructor(CORE + "int", lambda loader, node: int(_text(loader, node)))
_Loader.add_constructor(CORE + "float", lambda loader, node: float(_text(loader, node)))
