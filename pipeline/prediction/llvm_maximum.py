"""The predictor's innermost loop, in LLVM's own terms: numba gives no type for a vector of numbers, and its
compiler does not find out by itself that sums and maxima can stay in registers from token to token."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


def window_maximum(lanes: int) -> Callable[..., None]:
    """A function for kernels, which computes so many filters at once:

    `(best, place, tokens, begin, end, table, column, stride, h)`: best[place + i] becomes the maximum over t
    in [begin, end) of the sum over k < h of table[tokens[t + k], column + stride k + i], for i < `lanes`.
    Arrays are contiguous, `tokens` int64, `best` and `table` int16 or float32, the rest int64.
    """

    @intrinsic  # type: ignore[untyped-decorator]
    def maximum(
        typing: Any,
        best: Any,
        place: Any,
        tokens: Any,
        begin: Any,
        end: Any,
        table: Any,
        column: Any,
        stride: Any,
        h: Any,
    ) -> Any:
        signature = types.void(best, place, tokens, begin, end, table, column, stride, h)
        return signature, generate

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        best, place, tokens, begin, end, table, column, stride, h = arguments
        best, tokens, table = (
            context.make_array(signature.args[number])(context, builder, array)
            for number, array in ((0, best), (2, tokens), (5, table))
        )
        number = signature.args[5].dtype
        integer, size = isinstance(number, types.Integer), number.bitwidth // 8
        item = context.get_data_type(number)
        vector = ir.VectorType(item, lanes)
        add, compare = (builder.add, builder.icmp_signed) if integer else (builder.fadd, builder.fcmp_ordered)

        def constant(value: float) -> Any:
            return ir.Constant(vector, [ir.Constant(item, value)] * lanes)

        def at(data: Any, place: Any) -> Any:
            return builder.bitcast(builder.gep(data, [place]), vector.as_pointer())

        row = cgutils.unpack_tuple(builder, table.shape)[1]
        highest, total = (cgutils.alloca_once(builder, vector) for _ in range(2))
        builder.store(constant(number.minval if integer else float("-inf")), highest)
        with cgutils.for_range(builder, builder.sub(end, begin)) as window:
            builder.store(constant(0 if integer else 0.0), total)
            first = builder.add(begin, window.index)
            with cgutils.for_range(builder, h) as offset:
                token = builder.load(builder.gep(tokens.data, [builder.add(first, offset.index)]))
                behind = builder.add(column, builder.mul(stride, offset.index))
                product = at(table.data, builder.add(builder.mul(token, row), behind))
                builder.store(add(builder.load(total), builder.load(product, align=size)), total)
            found, before = builder.load(total), builder.load(highest)
            builder.store(builder.select(compare(">", found, before), found, before), highest)
        builder.store(builder.load(highest), at(best.data, place), align=size)
        return context.get_dummy_value()

    return maximum  # type: ignore[no-any-return]
