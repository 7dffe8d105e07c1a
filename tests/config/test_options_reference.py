"""The reference of options is printed from their types, and none is without a meaning."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline import options
from pipeline.__main__ import main
from pipeline.config import loading
from pipeline.config.options_reference import _allowed, _meanings, reference
from pipeline.models import architecture
from pipeline.networks.image_inputs import Augmentation
from pipeline.options import Configuration, Section

SECTIONS = [
    *(one for one in vars(options).values() if isinstance(one, type) and issubclass(one, Section)),
    *(
        architecture(name).Options
        for name in ("alexnet", "dense", "dense_tokens", "image_cnn", "kim_cnn")
    ),
    Augmentation,
]  # fmt: skip


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: f"{section.__module__}.{section.__name__}")
def test_every_option_has_a_meaning_in_a_sentence(section: type[Section]) -> None:
    fields = section.model_fields
    if section is Configuration:
        fields = {name: field for name, field in fields.items() if name not in reference_sections()}
    meanings = _meanings(section)
    assert set(fields) <= set(meanings)
    assert all(meaning.endswith(".") for meaning in meanings.values())


def reference_sections() -> set[str]:
    return {"source", "split", "tokenize", "embed", "network", "train", "ensemble"}


def test_all_options_are_listed_with_their_values_within_the_terminal() -> None:
    lines = reference(loading.load("docstrings", "convtext", "network.filters=48", {})).splitlines()
    assert max(map(len, lines)) <= 79
    assert "  network.filters: 48" in lines and "  embed.vectors (VECTORS=): spectral" in lines
    named = {
        line.split(":")[0].split(" (")[0].strip() for line in lines if line.startswith("  ") and ": " in line
    }
    configuration = loading.load("docstrings", "convtext", "", {}).model_dump()
    expected = {
        f"{section}.{name}" for section in reference_sections() for name in configuration[section]
    }  # fmt: skip
    assert expected <= named and {"seed", "title", "architecture"} <= named


def test_of_images_the_options_of_their_network_are_listed_and_not_those_of_texts(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["options", "CORPUS=digits"]) == 0
    printed = capsys.readouterr().out
    assert "  network.augmentation.flip: false" in printed
    assert "tokenize." not in printed and "embed." not in printed


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "integer", "minimum": 1, "exclusiveMaximum": 2**63}, "a whole number from 1"),
        ({"type": "number", "minimum": 0, "exclusiveMaximum": 1}, "a number from 0 to below 1"),
        ({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
        ({"anyOf": [{"type": "integer", "minimum": 1, "maximum": 4096}, {"type": "null"}]},
         "a whole number from 1 to 4,096 or null"),
        ({"enum": ["a", "b"], "type": "string"}, "a, b"),
        ({"type": "array", "items": {"type": "string"}}, "a list of: text"),
        ({"type": "boolean"}, "true or false"),
    ],
)  # fmt: skip
def test_what_a_value_may_be_is_said_in_words(schema: dict[str, Any], expected: str) -> None:
    assert _allowed(schema, {}) == expected
