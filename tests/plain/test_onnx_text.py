"""The ONNX graph of a text classifier gives the classifier's logits in ONNX's own runtime."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings

from pipeline.inputs import Sequences
from tests.plain.cases import BORDERS, all_cases, rows_of_ids

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
from pipeline.plain.onnx_text import save_text  # noqa: E402

CASES = all_cases()


@pytest.fixture(scope="module")
def sessions(tmp_path_factory: pytest.TempPathFactory) -> dict[str, onnxruntime.InferenceSession]:
    folder = tmp_path_factory.mktemp("onnx")
    for name, of in CASES.items():
        save_text(of.plain, folder / f"{name}.onnx")
    return {name: onnxruntime.InferenceSession(folder / f"{name}.onnx") for name in CASES}


@pytest.mark.parametrize("name", CASES)
def test_logits_are_the_classifiers_at_all_borders(
    name: str, sessions: dict[str, onnxruntime.InferenceSession]
) -> None:
    rows, of = Sequences.from_rows(BORDERS), CASES[name]
    logits, probabilities = sessions[name].run(
        ["logits", "probabilities"], {"ids": of.plain.spread(rows).padded()}
    )
    np.testing.assert_allclose(logits, of.pool.logits(rows), atol=1e-4)
    raised = np.exp(logits / 2)  # the temperature
    np.testing.assert_allclose(probabilities, raised / raised.sum(axis=1, keepdims=True), atol=1e-6)


@settings(max_examples=40)
@given(rows_of_ids)
def test_logits_are_the_classifiers_of_any_rows(
    sessions: dict[str, onnxruntime.InferenceSession], rows: list[list[int]]
) -> None:
    for name in ("triples", "wide"):
        of, sequences = CASES[name], Sequences.from_rows(rows)
        (logits,) = sessions[name].run(["logits"], {"ids": of.plain.spread(sequences).padded()})
        np.testing.assert_allclose(logits, of.pool.logits(sequences), atol=1e-4)


def test_the_graph_has_onnxs_own_operations_alone(tmp_path: Path) -> None:
    save_text(CASES["separate"].plain, tmp_path / "model.onnx")
    model = onnx.load(tmp_path / "model.onnx")
    assert {node.domain for node in model.graph.node} == {""}
    assert [entry.version for entry in model.opset_import] == [17]
