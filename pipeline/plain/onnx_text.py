"""A text classifier as an ONNX graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .onnx_graph import OnnxGraph
from .text_arrays import PENALTY, Branches, Convolution, NgramTree, PlainText

ACTIVATIONS = {"relu": "Relu", "tanh": "Tanh", "linear": "Identity"}


def save_text(plain: PlainText, path: Path) -> None:
    """Write a graph from `ids` int32 [rows, length], padded with 0, to `logits` and `probabilities`."""
    text = _TextGraph()
    features = [feature for part in plain.convolutions for feature in text.features(part)]
    logits = text.add("MatMul", text.add("Concat", *features, axis=1), text.constant(plain.dense))
    logits = text.add("Add", logits, text.constant(plain.bias))
    if plain.ngrams:
        logits = text.add("Add", logits, text.ngrams(plain.ngrams))
    if plain.characters is not None:
        rows = text.add("Gather", text.constant(plain.characters), "ids")
        logits = text.add("Add", logits, text.normalized(text.sum(rows, axis=1)))
    text.outputs(logits, plain.temperature)
    text.save(path, "ids", np.int32, ["rows", "length"], len(plain.bias))


class _TextGraph(OnnxGraph):
    def __init__(self) -> None:
        super().__init__()
        self._zero = self.constant(np.zeros(1, np.int32))
        is_token = self.add("Cast", self.add("Greater", "ids", self._zero), to=1)
        self._is_token = self.add("Unsqueeze", is_token, self.constant([1]))  # [rows, 1, length]
        self._has_tokens = self.add("ReduceMax", self._is_token, axes=[2], keepdims=1)

    def features(self, part: Convolution) -> list[str]:
        """Add the maxima of the filters of each window, [rows, filters].

        A window counts if it holds a token or, in a row without tokens, in any case.
        """
        vectors = self.add("Gather", self.constant(part.vectors), "ids")
        vectors = self.add("Transpose", vectors, perm=[0, 2, 1])
        maxima = []
        for kernel, bias in zip(part.kernels, part.biases, strict=True):
            size, around = len(kernel), [len(kernel) - 1] * 2
            filters = self.constant(kernel.transpose(2, 1, 0))
            convolved = self.add("Conv", vectors, filters, self.constant(bias), pads=around)
            convolved = self.add(ACTIVATIONS[part.activation], convolved)
            held = self.add("MaxPool", self._is_token, kernel_shape=[size], pads=around)
            lacks = self.add("Sub", self._has_tokens, held)
            penalty = self.add("Mul", lacks, self.constant(PENALTY))
            allowed = self.add("Sub", convolved, penalty)
            maxima.append(self.add("ReduceMax", allowed, axes=[2], keepdims=0))
        return maxima

    def ngrams(self, tree: NgramTree) -> str:
        """Add the sum over a row's n-grams [rows, classes], divided by its length."""
        nodes, following, sums = "ids", "ids", []
        for level, table in enumerate(tree.tables):
            if level:
                pads = self.constant([0, 0, 0, 1])
                following = self.slice(self.add("Pad", following, pads), 1, None)
                nodes = self.children(tree.branches[level - 1], nodes, following)
            same = self.add("Equal", self.unsqueeze(nodes, 2), self.unsqueeze(nodes, 1))
            counts = self.sum(self.add("Cast", same, to=1), axis=2, keepdims=1)
            times = self.add("Add", self.add("Log", counts), self.constant(1.0))
            values = self.add("Gather", self.constant(table), nodes)
            logits, squares = self.slice(values, 0, -1, axis=2), self.slice(values, -1, None, axis=2)
            # Each of c occurrences adds its share of what all of them do.
            logits, squares = (
                self.add("Div", self.add("Mul", factor, part), counts)
                for factor, part in ((times, logits), (self.add("Mul", times, times), squares))
            )
            sums.append(self.sum(self.add("Concat", logits, squares, axis=2), axis=1))
        return self.normalized(self.add("Sum", *sums))

    def children(self, branches: Branches, nodes: str, tokens: str) -> str:
        """Add the node of each token below a node, 0 where there is none, by binary search."""
        place = self.add("Gather", self.constant(branches.starts[:-1]), nodes)
        end = self.add("Gather", self.constant(branches.starts[1:]), nodes)
        lasts = self.constant(branches.lasts)
        most, one = (self.constant(np.array(n, np.int32)) for n in (len(branches.lasts) - 1, 1))
        for step in branches.steps:
            further = self.add("Add", place, self.constant(np.array(step, np.int32)))
            last = self.add("Gather", lasts, self.add("Min", further, most))
            inside = self.add("Less", further, end)
            before = self.add("And", inside, self.add("LessOrEqual", last, tokens))
            place = self.add("Where", before, further, place)
        last = self.add("Gather", lasts, self.add("Min", place, most))
        found = self.add("And", self.add("Less", place, end), self.add("Equal", last, tokens))
        return self.add("Where", found, self.add("Add", place, one), self._zero)

    def normalized(self, sums: str) -> str:
        """Add W'x / |x| of W'x and |x|^2, [rows, classes + 1]; a length of 0 is 1."""
        logits, squares = self.slice(sums, 0, -1), self.slice(sums, -1, None)
        is_positive = self.add("Greater", squares, self.constant(0.0))
        squares = self.add("Where", is_positive, squares, self.constant(1.0))
        return self.add("Div", logits, self.add("Sqrt", squares))

    def sum(self, values: str, axis: int, keepdims: int = 0) -> str:
        return self.add("ReduceSum", values, self.constant([axis]), keepdims=keepdims)

    def slice(self, values: str, start: int, end: int | None, axis: int = 1) -> str:
        last = 2**31 - 1 if end is None else end
        return self.add("Slice", values, *(self.constant([bound]) for bound in (start, last, axis)))

    def unsqueeze(self, values: str, axis: int) -> str:
        return self.add("Unsqueeze", values, self.constant([axis]))
