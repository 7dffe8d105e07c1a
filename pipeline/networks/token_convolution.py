"""Kim's convolution over token ids, multiplied once per distinct token and differentiated sparsely.

A convolution is linear in its input: offset k of a filter gives a token the same number wherever the
token stands. So the distinct tokens of a batch are multiplied by all offsets of all filters in one
matrix product, and windows are sums of its entries. Of that product's gradient only the entries of the
winning windows are not zero, one in twenty at Kim's sizes, and only these are multiplied back.
The function computed is the plain stack's; only the order of summation differs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from itertools import compress
from typing import Any, NamedTuple

import numpy as np

from ..arrays import Floats, Ints, Sizes
from ..inputs import PADDING
from . import convolution_kernels
from .backend import call_kernel, keras, tf

CHANNELS = ("static", "tuned")
COMBINATIONS = ("shared", "separate", "concatenated")
ACTIVATIONS = ("relu", "tanh", "linear")


class _Pool(NamedTuple):
    """The vectors [n, dimensions] and banks whose products are added, and which vectors are trained."""

    vectors: list[tf.Tensor]
    banks: list[tf.Tensor]
    trained: list[bool]


@keras.saving.register_keras_serializable(package="convtext")
class TokenConvolution(keras.layers.Layer):  # type: ignore[misc]  # keras has no types
    """Token ids int32 [batch, length], padded with 0 on the right -> features float32 [batch, features].

    A 0 within a row parts it into texts, such as those of two columns, of which each stands by itself.

    Kim (2014, arXiv 1408.5882), equations 1 to 3, as a wide convolution: a text of n tokens stands
    between zeros without end, as in Kim's own code. With x the tokens' vectors, and w (h vectors) and b
    a filter, the windows that touch the text start at t = 1 - h ... n - 1, and

        c_t = sum over k < h of w_k . x_{t+k}        feature = f(max over t of c_t + b)

    which is the maximum of f(c_t + b), for the activation f never falls. A text of no tokens has one
    window, of zeros. Neither padding nor the rest of the batch changes a text's features.

    A channel is a table of vectors [vocabulary, dimensions]: `static` stays as it is set, `tuned` is
    trained. "Each filter is applied to both channels and the results are added" has three readings:

        shared        one bank of filters:      (static + tuned) bank'
        separate      a bank for each channel:  static bank1' + tuned bank2'
        concatenated  the same banks, pooled side by side and not added: twice the features

    A bank is [columns, dimensions] with columns = sum of h F_h: window by window, in each offset by
    offset, in each its F_h filters. `filters` gives F_h, one for all windows or one for each.
    Parameters: channels * vocabulary * dimensions + banks * columns * dimensions + features.

    In training, `embedding_dropout` is the share of word types that are dropped: wherever they stand in the
    batch, in every channel; the others are scaled by 1 / (1 - share). Gal & Ghahramani (2016, arXiv
    1512.05287, section 4.2) drop types, not single dimensions, as an embedding is a matrix's product with
    one-hot words; they draw anew for each text, here one draw for the batch leaves one product a token.

    The forward product runs in the layer's compute dtype (bfloat16 under `mixed_bfloat16`); tables, sums,
    features and gradients are float32.
    """

    def __init__(
        self,
        vocabulary: int,
        dimensions: int,
        channels: Sequence[str] = CHANNELS,
        combination: str = "shared",
        windows: Sequence[int] = (3, 4, 5),
        filters: int | Sequence[int] = 100,
        activation: str = "relu",
        embedding_dropout: float = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        counts = (filters,) * len(windows) if isinstance(filters, int) else tuple(filters)
        if not channels or len(set(channels)) < len(channels) or not set(channels) <= set(CHANNELS):
            raise ValueError(f"channels: expected one or both of {CHANNELS}, found {channels!r}")
        if combination not in COMBINATIONS:
            raise ValueError(f"combination: expected one of {COMBINATIONS}, found {combination!r}")
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation: expected one of {ACTIVATIONS}, found {activation!r}")
        if not windows or min(windows) < 1:
            raise ValueError(f"windows: expected one or more sizes above 0, found {windows!r}")
        if len(counts) != len(windows) or min(counts) < 1:
            raise ValueError(f"filters: expected a count above 0, or one a window, found {filters!r}")
        if not 0 <= embedding_dropout < 1:
            raise ValueError(f"embedding_dropout: expected 0 or more, below 1, found {embedding_dropout!r}")
        self.vocabulary = vocabulary
        self.dimensions = dimensions
        self.channels = tuple(channels)
        self.combination = combination
        self.windows = tuple(windows)
        self.filters = counts
        self.activation = activation
        self.embedding_dropout = embedding_dropout
        self.type_dropout = keras.layers.Dropout(embedding_dropout, dtype="float32")
        self.supports_jit = False  # XLA cannot call the kernels

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # autocast=False: casting a table would copy all of it on every step; `call` casts what it uses.
        self.tables = [
            self.add_weight(
                name=channel,
                shape=(self.vocabulary, self.dimensions),
                initializer=_start_vectors,
                trainable=channel == "tuned",
                autocast=False,
            )
            for channel in self.channels
        ]
        columns = sum(h * count for h, count in zip(self.windows, self.filters, strict=True))
        self.banks = [
            self.add_weight(
                name=f"bank{number}",
                shape=(columns, self.dimensions),
                initializer=keras.initializers.RandomUniform(-0.01, 0.01),
                autocast=False,
            )
            for number in range(1 if self.combination == "shared" else len(self.channels))
        ]
        pools = len(self.banks) if self.combination == "concatenated" else 1
        self.bias = self.add_weight(
            name="bias", shape=(pools * sum(self.filters),), initializer="zeros", autocast=False
        )

    def set_vectors(self, vectors: Floats) -> None:
        """Start every channel at float32 [vocabulary, dimensions]; the padding row becomes zero."""
        vectors = np.array(vectors, np.float32)
        vectors[PADDING] = 0
        for table in self.tables:
            table.assign(vectors)

    def call(self, ids: tf.Tensor, training: bool = False) -> tf.Tensor:
        # Led by a padding id, so that padding and boundaries are the distinct id 0: no row, and the index -1.
        distinct, index = tf.unique(tf.concat([[PADDING], tf.reshape(ids, [-1])], 0))
        index = tf.reshape(index[1:], tf.shape(ids)) - 1
        pooled = [
            _maximum_over_time(pool, index, self.windows, self.filters, self.compute_dtype)
            for pool in self._pools(distinct[1:], training)
        ]
        features = pooled[0] if len(pooled) == 1 else tf.concat(pooled, 1)
        return keras.activations.get(self.activation)(features + self.bias.value)

    def products(self, tokens: tf.Tensor) -> tf.Tensor:
        """Return the products that ids int32 [n] add to their windows, float32 [n, pools * columns].

        Over the whole vocabulary it is the folded table, which replaces tables and banks in prediction.
        """
        return tf.concat([_products(pool.vectors, pool.banks, "float32") for pool in self._pools(tokens)], 1)

    def _pools(self, tokens: tf.Tensor, training: bool = False) -> list[_Pool]:
        """Return what the products of these ids [n] are made of, for each pool of features."""
        vectors = [tf.gather(table.value, tokens) for table in self.tables]
        if training and self.embedding_dropout:
            kept = self.type_dropout(tf.ones((tf.size(tokens), 1)), training=True)
            vectors = [kept * vector for vector in vectors]
        banks = [tf.convert_to_tensor(bank.value) for bank in self.banks]
        trained = [table.trainable for table in self.tables]
        if self.combination == "shared":
            return [_Pool([tf.add_n(vectors)], banks, [any(trained)])]
        if self.combination == "concatenated":
            return [_Pool([x], [bank], [one]) for x, bank, one in zip(vectors, banks, trained, strict=True)]
        return [_Pool(vectors, banks, trained)]

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "vocabulary": self.vocabulary,
            "dimensions": self.dimensions,
            "channels": list(self.channels),
            "combination": self.combination,
            "windows": list(self.windows),
            "filters": list(self.filters),
            "activation": self.activation,
            "embedding_dropout": self.embedding_dropout,
        }


def _start_vectors(shape: tuple[int, int], dtype: str | None = None) -> tf.Tensor:
    """Return Kim's vectors for unknown words, U(-0.25, 0.25), below the padding row's zeros."""
    vectors = keras.initializers.RandomUniform(-0.25, 0.25)((shape[0] - 1, shape[1]), dtype)
    return tf.concat([tf.zeros((1, shape[1]), vectors.dtype), vectors], 0)


def _products(vectors: Sequence[tf.Tensor], banks: Sequence[tf.Tensor], dtype: str) -> tf.Tensor:
    """Return the sum of vectors bank', float32 [n, columns], of numbers in `dtype`: one product for all."""
    x, bank = tf.concat(vectors, 1), tf.concat(banks, 1)
    return tf.cast(tf.matmul(tf.cast(x, dtype), tf.cast(bank, dtype), transpose_b=True), tf.float32)


def _maximum_over_time(
    pool: _Pool, index: tf.Tensor, windows: tuple[int, ...], filters: tuple[int, ...], dtype: str
) -> tf.Tensor:
    """Return max over t of c_t, float32 [batch, sum of F_h], differentiable in the pool's vectors and banks.

    `index` int32 [batch, length] says which row of the vectors stands where; -1 is padding or a boundary.
    """
    bank_form, count = (np.array(windows), np.array(filters)), len(pool.banks)

    def maximum(*operands: tf.Tensor) -> tuple[tf.Tensor, Callable[[tf.Tensor], list[tf.Tensor | None]]]:
        products = _products(operands[:count], operands[count:], dtype)
        pooled, winners = call_kernel(
            partial(convolution_kernels.pool, *bank_form), [products, index], (tf.float32, tf.int32)
        )
        pooled.set_shape((index.shape[0], sum(filters)))

        def gradient(upstream: tf.Tensor) -> list[tf.Tensor | None]:
            wanted = [*pool.trained, *[True] * count]
            found = tf.nest.flatten(  # a single one comes without a list
                call_kernel(
                    partial(_gradients, bank_form, wanted),
                    [upstream, winners, index, *operands],
                    [tf.float32] * sum(wanted),
                )
            )
            for one, operand in zip(found, compress(operands, wanted), strict=True):
                one.set_shape(operand.shape)
            remaining = iter(found)
            return [next(remaining) if is_wanted else None for is_wanted in wanted]

        return pooled, gradient

    return tf.custom_gradient(maximum)(*pool.vectors, *pool.banks)


def _gradients(
    bank_form: tuple[Sizes, Sizes],
    wanted: list[bool],
    upstream: Floats,
    winners: Ints,
    index: Ints,
    *operands: Floats,
) -> list[Floats]:
    """Return those gradients of vectors and banks, which are the operands, that are wanted.

    With G that of the products, sparse [distinct, columns], d vectors = G bank and d bank = G' vectors.
    """
    entries, tokens, columns = convolution_kernels.winning_entries(*bank_form, upstream, winners, index)
    vectors, banks = operands[: len(operands) // 2], operands[len(operands) // 2 :]
    factors = [(tokens, columns, bank, len(vectors[0])) for bank in banks]
    factors += [(columns, tokens, x, len(banks[0])) for x in vectors]
    return [convolution_kernels.sparse_product(entries, *one) for one in compress(factors, wanted)]
