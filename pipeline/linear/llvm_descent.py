"""An epoch of dual coordinate descent, written in LLVM's own terms.

numba has no type for a vector of numbers, and its compiler does not find out by itself that the scores of a
row can stay in registers while its features are added. With vectors an epoch of 21,800 rows and 12 classes
takes a quarter of the time. What generates them is no public interface of numba: where it does not compile, a
plain loop takes its place, which gives the same bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic, overload

from ..arrays import Sizes
from ..compilation.kernel import compiles

Descent = Callable[[Any, Sizes], np.float32]  # of a `descent.Group` and the order of its rows
FLOAT, INT, LONG = ir.FloatType(), ir.IntType(32), ir.IntType(64)


def descent(width: int) -> Descent:
    """Return `descent.descend` for a `Group` of so many classes, as a function for kernels.

    As Python it is the plain loop. When a kernel that calls it is compiled, its code is that of
    `vector_descent`, or of the plain loop if numba cannot compile the former or an array is not contiguous.
    """
    plain, vectors = plain_descent(width), vector_descent(width)

    # Not strict: here, annotations are types of numba, in `plain` they are those of its arguments.
    @overload(plain, strict=False)  # type: ignore[untyped-decorator]
    def implement(group: types.NamedTuple, order: types.Array) -> Descent:
        rows_are_contiguous = all(array.layout == "C" for array in (*group.types, order))
        return called(vectors) if rows_are_contiguous and compiles(called(vectors), (group, order)) else plain

    return plain


def called(function: Descent) -> Descent:
    """Return a function that calls the given one: numba compiles no intrinsic by itself."""
    return lambda group, order: function(group, order)


def plain_descent(width: int) -> Descent:
    """Return `descent` as loops."""

    def descend(group: Any, order: Sizes) -> np.float32:
        scores, steps, worst = np.empty(width, np.float32), np.empty(width, np.float32), np.float32(0)
        for row in order:
            begin, end, slack = group.starts[row], group.starts[row + 1], group.slacks[row]
            scores[:] = group.bias
            for n in range(begin, end):
                for c in range(width):
                    scores[c] += group.values[n] * group.weights[group.columns[n], c]
            for c in range(width):
                sign = np.float32(2 * (group.positives[row] == c) - 1)
                before = group.dual[row, c]
                gradient = sign * scores[c] - np.float32(1) + slack * before
                if before == 0:
                    gradient = min(gradient, np.float32(0))
                worst = max(worst, abs(gradient))
                after = max(before - gradient / (group.squares[row, c] + slack), np.float32(0))
                steps[c] = sign * (after - before)
                group.dual[row, c] = after
                group.bias[c] += steps[c]
            for n in range(begin, end):
                for c in range(width):
                    change = group.values[n] * steps[c]
                    if len(group.scales) > 0:
                        change *= group.scales[group.columns[n], c]
                    group.weights[group.columns[n], c] += change
        return worst

    return descend


def vector_descent(width: int) -> Descent:
    """Return `descent` as an intrinsic of numba, in vectors of one number for each class."""

    @intrinsic  # type: ignore[untyped-decorator]
    def descend(
        context: BaseContext, group: types.NamedTuple, order: types.Array
    ) -> tuple[Signature, Callable[..., ir.Value]]:
        return types.float32(group, order), generate

    def generate(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
    ) -> ir.Value:
        group, order = signature.args
        arrays = {
            name: context.make_array(array)(context, builder, builder.extract_value(arguments[0], number))
            for number, (name, array) in enumerate(zip(group.fields, group.types, strict=True))
        }
        arrays["order"] = context.make_array(order)(context, builder, arguments[1])
        return _Descent(builder, arrays, width).descend()

    return descend  # type: ignore[no-any-return]


class _Descent:
    """The code of `descend` in the making."""

    def __init__(self, builder: ir.IRBuilder, arrays: dict[str, Any], width: int) -> None:
        self._builder, self._arrays, self._width = builder, arrays, width
        self._vector = ir.VectorType(FLOAT, width)

    def descend(self) -> ir.Value:
        """Write the loop over the rows, and return the largest violation."""
        builder = self._builder
        largest = cgutils.alloca_once_value(builder, self._constant(0))
        rows = cgutils.unpack_tuple(builder, self._arrays["order"].shape)[0]
        with cgutils.for_range(builder, rows) as place:
            violations = self._step(self._item("order", place.index))
            builder.store(self._greatest(violations, builder.load(largest)), largest)
        return self._maximum(builder.load(largest))

    def _step(self, row: ir.Value) -> ir.Value:
        """Write the step of a row, and return the violations."""
        builder, first = self._builder, ir.Constant(LONG, 0)
        begin, end = self._item("starts", row), self._item("starts", builder.add(row, ir.Constant(LONG, 1)))
        sign = self._signs(row)
        before, slack = self._load("dual", row), self._spread(self._item("slacks", row))
        margin = builder.fsub(builder.fmul(sign, self._scores(begin, end)), self._constant(1))
        gradient = builder.fadd(margin, builder.fmul(slack, before))
        at_bound = builder.fcmp_ordered("==", before, self._constant(0))
        gradient = builder.select(at_bound, self._least(gradient, self._constant(0)), gradient)
        divisor = builder.fadd(self._load("squares", row), slack)
        after = self._greatest(builder.fsub(before, builder.fdiv(gradient, divisor)), self._constant(0))
        steps = builder.fmul(sign, builder.fsub(after, before))
        self._store(after, "dual", row)
        self._store(builder.fadd(self._load("bias", first), steps), "bias", first)
        violations = self._greatest(gradient, builder.fneg(gradient))
        is_changed = builder.fcmp_ordered(">", self._maximum(violations), ir.Constant(FLOAT, 0))
        with builder.if_then(is_changed):
            features = cgutils.unpack_tuple(builder, self._arrays["scales"].shape)[0]
            is_scaled = builder.icmp_signed(">", features, ir.Constant(LONG, 0))
            with builder.if_else(is_scaled) as (scaled, plain):
                with scaled:
                    self._add(begin, end, steps, is_scaled=True)
                with plain:
                    self._add(begin, end, steps, is_scaled=False)
        return violations

    def _scores(self, begin: ir.Value, end: ir.Value) -> ir.Value:
        builder = self._builder
        scores = cgutils.alloca_once_value(builder, self._load("bias", ir.Constant(LONG, 0)))
        with cgutils.for_range(builder, end, begin) as feature:
            value, column = self._feature(feature.index)
            product = builder.fmul(value, self._load("weights", column))
            builder.store(builder.fadd(builder.load(scores), product), scores)
        return builder.load(scores)

    def _add(self, begin: ir.Value, end: ir.Value, steps: ir.Value, is_scaled: bool) -> None:
        builder = self._builder
        with cgutils.for_range(builder, end, begin) as feature:
            value, column = self._feature(feature.index)
            change = builder.fmul(value, steps)
            if is_scaled:
                change = builder.fmul(change, self._load("scales", column))
            self._store(builder.fadd(self._load("weights", column), change), "weights", column)

    def _feature(self, index: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Return the value of an entry in all lanes, and its column."""
        column = self._builder.sext(self._item("columns", index), LONG)
        return self._spread(self._item("values", index)), column

    def _signs(self, row: ir.Value) -> ir.Value:
        positive = self._spread(self._builder.trunc(self._item("positives", row), INT))
        lanes = ir.Constant(ir.VectorType(INT, self._width), list(range(self._width)))
        is_own = self._builder.icmp_signed("==", positive, lanes)
        return self._builder.select(is_own, self._constant(1), self._constant(-1))

    def _least(self, one: ir.Value, other: ir.Value) -> ir.Value:
        return self._builder.select(self._builder.fcmp_ordered("<", one, other), one, other)

    def _greatest(self, one: ir.Value, other: ir.Value) -> ir.Value:
        return self._builder.select(self._builder.fcmp_ordered(">", one, other), one, other)

    def _maximum(self, vector: ir.Value) -> ir.Value:
        kind = ir.FunctionType(FLOAT, [self._vector])
        name = f"llvm.vector.reduce.fmax.v{self._width}f32"
        return self._builder.call(cgutils.get_or_insert_function(self._builder.module, kind, name), [vector])

    def _constant(self, value: float) -> ir.Constant:
        return ir.Constant(self._vector, [ir.Constant(FLOAT, value)] * self._width)

    def _spread(self, value: ir.Value) -> ir.Value:
        """Return a number in all lanes."""
        empty = ir.Constant(ir.VectorType(value.type, self._width), ir.Undefined)
        first = self._builder.insert_element(empty, value, ir.Constant(INT, 0))
        lanes = ir.Constant(ir.VectorType(INT, self._width), [0] * self._width)
        return self._builder.shuffle_vector(first, empty, lanes)

    def _item(self, name: str, index: ir.Value) -> ir.Value:
        return self._builder.load(self._builder.gep(self._arrays[name].data, [index]))

    def _load(self, name: str, row: ir.Value) -> ir.Value:
        return self._builder.load(self._place(name, row), align=4)

    def _store(self, vector: ir.Value, name: str, row: ir.Value) -> None:
        self._builder.store(vector, self._place(name, row), align=4)

    def _place(self, name: str, row: ir.Value) -> ir.Value:
        """Return a pointer to a row of an array [n, classes]."""
        start = self._builder.mul(row, ir.Constant(LONG, self._width))
        return self._builder.bitcast(
            self._builder.gep(self._arrays[name].data, [start]), self._vector.as_pointer()
        )
