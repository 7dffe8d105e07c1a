"""The predictor's innermost loop, written in LLVM's own terms.

numba has no type for a vector of numbers, and its compiler does not find out by itself that sums and maxima
can stay in registers from token to token. What generates the vectors is no public interface of numba:
where it does not compile, a plain loop, which is several times slower, takes its place.
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
from numpy.typing import NDArray

from ..arrays import Sizes
from ..compilation.kernel import compiles

Maximum = Callable[[NDArray[Any], int, Sizes, int, int, NDArray[Any], int, int, int], None]


def window_maximum(lanes: int) -> Maximum:
    """Return a function for kernels, which computes `lanes` filters at once.

    `(best, place, tokens, begin, end, table, column, stride, size)`: best[place + i] becomes the maximum over
    t in [begin, end) of the sum over k < size of table[tokens[t + k], column + stride k + i], for i < lanes.
    Arrays are contiguous, `tokens` int64, `best` and `table` int16 or float32, all else int64; begin < end.

    As Python it is the plain loop. When a kernel that calls it is compiled, its code is that of
    `vector_maximum`, or of the plain loop if numba cannot compile the former.
    """
    plain, vectors = plain_maximum(lanes), vector_maximum(lanes)

    # Not strict: here, annotations are types of numba, in `plain` they are those of its arguments.
    @overload(plain, strict=False)  # type: ignore[untyped-decorator]
    def implement(
        best: types.Array,
        place: types.Integer,
        tokens: types.Array,
        begin: types.Integer,
        end: types.Integer,
        table: types.Array,
        column: types.Integer,
        stride: types.Integer,
        size: types.Integer,
    ) -> Maximum:
        signature = (best, place, tokens, begin, end, table, column, stride, size)
        return called(vectors) if compiles(called(vectors), signature) else plain

    return plain


def called(maximum: Maximum) -> Maximum:
    """Return a function that calls the given one: numba compiles no intrinsic by itself."""
    return lambda best, place, tokens, begin, end, table, column, stride, size: maximum(
        best, place, tokens, begin, end, table, column, stride, size
    )


def plain_maximum(lanes: int) -> Maximum:
    """Return `window_maximum` as a loop."""

    def maximum(
        best: NDArray[Any],
        place: int,
        tokens: Sizes,
        begin: int,
        end: int,
        table: NDArray[Any],
        column: int,
        stride: int,
        size: int,
    ) -> None:
        total = np.empty(lanes, table.dtype)
        for first in range(begin, end):
            total[:] = 0
            for k in range(size):
                token, start = tokens[first + k], column + stride * k
                for i in range(lanes):
                    total[i] += table[token, start + i]
            for i in range(lanes):
                if first == begin or total[i] > best[place + i]:
                    best[place + i] = total[i]

    return maximum


def vector_maximum(lanes: int) -> Maximum:
    """Return `window_maximum` as an intrinsic of numba, whose sums and maxima stay in registers."""

    @intrinsic  # type: ignore[untyped-decorator]
    def maximum(
        context: BaseContext,
        best: types.Array,
        place: types.Integer,
        tokens: types.Array,
        begin: types.Integer,
        end: types.Integer,
        table: types.Array,
        column: types.Integer,
        stride: types.Integer,
        size: types.Integer,
    ) -> tuple[Signature, Callable[..., ir.Value]]:
        return types.void(best, place, tokens, begin, end, table, column, stride, size), generate

    def generate(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, arguments: list[ir.Value]
    ) -> ir.Value:
        best, place, tokens, begin, end, table, column, stride, size = arguments
        best, tokens, table = (
            context.make_array(signature.args[number])(context, builder, array)
            for number, array in ((0, best), (2, tokens), (5, table))
        )
        number = signature.args[5].dtype
        is_integer, item_bytes = isinstance(number, types.Integer), number.bitwidth // 8
        item = context.get_data_type(number)
        vector = ir.VectorType(item, lanes)
        add = builder.add if is_integer else builder.fadd
        compare = builder.icmp_signed if is_integer else builder.fcmp_ordered

        def constant(value: float) -> ir.Constant:
            return ir.Constant(vector, [ir.Constant(item, value)] * lanes)

        def vector_at(data: ir.Value, index: ir.Value) -> ir.Value:
            return builder.bitcast(builder.gep(data, [index]), vector.as_pointer())

        row_length = cgutils.unpack_tuple(builder, table.shape)[1]
        highest, total = (cgutils.alloca_once(builder, vector) for _ in range(2))
        builder.store(constant(number.minval if is_integer else float("-inf")), highest)
        with cgutils.for_range(builder, builder.sub(end, begin)) as window:
            builder.store(constant(0 if is_integer else 0.0), total)
            first = builder.add(begin, window.index)
            with cgutils.for_range(builder, size) as offset:
                token = builder.load(builder.gep(tokens.data, [builder.add(first, offset.index)]))
                shift = builder.add(column, builder.mul(stride, offset.index))
                products = vector_at(table.data, builder.add(builder.mul(token, row_length), shift))
                builder.store(add(builder.load(total), builder.load(products, align=item_bytes)), total)
            sums, maxima = builder.load(total), builder.load(highest)
            builder.store(builder.select(compare(">", sums, maxima), sums, maxima), highest)
        builder.store(builder.load(highest), vector_at(best.data, place), align=item_bytes)
        return context.get_dummy_value()

    return maximum  # type: ignore[no-any-return]
