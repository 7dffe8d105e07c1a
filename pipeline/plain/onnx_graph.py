"""An ONNX graph as it is built, saved and run: the only module that imports onnx."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputError

OPSET, IR = 17, 8  # of 2022, so that older runtimes read them too
MAX_BYTES = 2**31 - 2**20  # of a file of protocol buffers, with room for the nodes
INSTALL = "pip install '.[export]'"


class OnnxGraph:
    """Nodes with their weights; each method returns the name of the value that it adds."""

    def __init__(self) -> None:
        """Raise InputError without the library."""
        try:
            import onnx
        except ImportError as error:
            raise InputError(f"FORMAT=onnx needs the library onnx: {INSTALL}") from error
        self._onnx = onnx
        self._nodes: list[Any] = []
        self._weights: list[Any] = []

    def constant(self, value: NDArray[Any] | float | list[int]) -> str:
        """Add an array; a number is float32, and a list is int64."""
        array = np.asarray(value, np.int64 if isinstance(value, list) else None)
        array = array.astype(np.float32) if array.dtype == np.float64 else array
        name = f"weights{len(self._weights)}"
        self._weights.append(self._onnx.numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def add(self, operation: str, *inputs: str, name: str = "", **attributes: Any) -> str:
        """Add a node."""
        name = name or f"{operation}{len(self._nodes)}"
        self._nodes.append(self._onnx.helper.make_node(operation, inputs, [name], **attributes))
        return name

    def outputs(self, logits: str, temperature: float) -> None:
        """Name the logits, and add the probabilities after the temperature."""
        self.add("Identity", logits, name="logits")
        cooled = self.add("Div", logits, self.constant(temperature))
        self.add("Softmax", cooled, name="probabilities", axis=1)

    def save(self, path: Path, name: str, kind: type[Any], shape: Sequence[int | str], classes: int) -> None:
        """Write the model of an input, of a type of NumPy's and a shape.

        Raises InputError for one that the format cannot hold.
        """
        size = sum(weights.ByteSize() for weights in self._weights)
        if size > MAX_BYTES:
            raise InputError(
                f"the model has {size / 1e9:,.1f} GB of weights, and FORMAT=onnx holds 2: "
                "name FORMAT=keras or FORMAT=saved_model, or train with fewer n-grams"
            )
        helper = self._onnx.helper
        kinds = helper.np_dtype_to_tensor_dtype
        outputs = [
            helper.make_tensor_value_info(output, kinds(np.dtype(np.float32)), ["rows", classes])
            for output in ("logits", "probabilities")
        ]
        inputs = [helper.make_tensor_value_info(name, kinds(np.dtype(kind)), shape)]
        graph = helper.make_graph(self._nodes, "classifier", inputs, outputs, self._weights)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(graph, producer_name="convtext", opset_imports=opsets, ir_version=IR)
        self._onnx.checker.check_model(model)
        path.write_bytes(model.SerializeToString())


def run_onnx(path: Path) -> Callable[[NDArray[Any]], NDArray[np.float32]]:
    """Return a function from a batch of inputs to its logits. Raises InputError without the runtime."""
    try:
        import onnxruntime
    except ImportError as error:
        raise InputError(f"FORMAT=onnx is checked with the library onnxruntime: {INSTALL}") from error
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()

    def logits(batch: NDArray[Any]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = session.run(["logits"], {given.name: batch})[0]
        return result

    return logits
