"""What the ONNX format cannot hold, and libraries that are missing, are said in a line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.plain import onnx_graph
from pipeline.plain.onnx_graph import OnnxGraph, run_onnx


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(InputError, match=r"needs the library onnx: pip install '.\[export\]'"):
        OnnxGraph()


def test_without_the_runtime_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"onnxruntime: pip install '.\[export\]'"):
        run_onnx(tmp_path / "model.onnx")


def test_a_model_larger_than_the_format_holds_is_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("onnx", reason="onnx is not installed")
    monkeypatch.setattr(onnx_graph, "MAX_BYTES", 1000)
    graph = OnnxGraph()
    graph.outputs(graph.add("MatMul", "inputs", graph.constant(np.ones((251, 1), np.float32))), 1.0)
    with pytest.raises(InputError, match="FORMAT=onnx holds 2"):
        graph.save(tmp_path / "model.onnx", "inputs", np.float32, ["rows", 251], 1)
    assert not (tmp_path / "model.onnx").exists()
