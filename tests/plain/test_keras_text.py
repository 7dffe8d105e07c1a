"""The Keras graph of a text classifier gives the classifier's logits, whatever the row."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.inputs import Sequences
from pipeline.plain.keras_text import build_text
from tests.plain.cases import BORDERS, Case, all_cases, case, case_of_triples, rows_of_ids

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy keyword:DeprecationWarning"
)
CASES = all_cases()


def outputs(of: Case, rows: list[list[int]]) -> dict[str, np.ndarray]:
    inputs = of.plain.spread(Sequences.from_rows(rows)).padded()
    return {name: output.numpy() for name, output in build_text(of.plain)(inputs).items()}


@pytest.mark.parametrize("name", CASES)
def test_logits_are_the_classifiers_at_all_borders(name: str) -> None:
    expected = CASES[name].pool.logits(Sequences.from_rows(BORDERS))
    np.testing.assert_allclose(outputs(CASES[name], BORDERS)["logits"], expected, atol=1e-4)


TRIPLES, WIDE = case_of_triples(), case("wide")
MODELS = [(of, build_text(of.plain)) for of in (TRIPLES, WIDE)]


@pytest.mark.slow
@settings(max_examples=25)
@given(rows_of_ids)
def test_logits_are_the_classifiers_of_any_rows(rows: list[list[int]]) -> None:
    for of, model in MODELS:
        sequences = Sequences.from_rows(rows)
        logits = model(of.plain.spread(sequences).padded())["logits"].numpy()
        np.testing.assert_allclose(logits, of.pool.logits(sequences), atol=1e-4)


def test_a_row_does_not_depend_on_the_padding() -> None:
    of = CASES["separate"]
    model = build_text(of.plain)
    short = model(np.array([[4, 5]], np.int32))["logits"].numpy()
    long = model(np.array([[4, 5, 0, 0, 0, 0, 0, 0]], np.int32))["logits"].numpy()
    np.testing.assert_allclose(short, long, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_a_batch_of_empty_texts_alone_has_no_column(name: str) -> None:
    expected = CASES[name].pool.logits(Sequences.from_rows([[], []]))
    logits = build_text(CASES[name].plain)(np.empty((2, 0), np.int32))["logits"].numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4)


def test_probabilities_are_those_after_the_temperature() -> None:
    """The temperature is 2."""
    both = outputs(CASES["shared"], BORDERS)
    raised = np.exp(both["logits"] / 2)
    np.testing.assert_allclose(both["probabilities"], raised / raised.sum(axis=1, keepdims=True), atol=1e-6)


def test_the_layers_are_kerass_own() -> None:
    layers = build_text(CASES["separate"].plain).layers
    assert {type(layer).__module__.partition(".")[0] for layer in layers} == {"keras"}
    names = [type(layer).__name__ for layer in layers]
    assert {"Embedding", "Conv1D", "GlobalMaxPooling1D", "Dense"} <= set(names)
