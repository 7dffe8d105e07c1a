"""A text classifier as plain arrays, of which every format builds the same graph.

    logits = dense features + bias + n-grams / |n-grams| + characters / |characters|

The weights of the members, and the mean over several networks, are in the arrays already. Few formats have a
hash table to find n-grams in: here they are a tree, in which a token has its pairs as children, and a pair
its triples, and which is searched by look-ups and comparisons of int32 alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..arrays import Floats
from ..errors import InputError
from ..inputs import PADDING, Sequences, UnseenWords
from ..linear.kernels import TRIPLE, TRIPLE_BITS
from ..linear.token_ngrams import TokenNgrams
from ..networks.backend import keras
from ..networks.token_convolution import TokenConvolution
from ..prediction.pool import Pool

PENALTY = 1e9  # of a window that holds no token, so that it never wins


@dataclass(frozen=True, eq=False)
class Convolution:
    """Filters over a table of vectors: for each window float32 [window, dimensions, filters] and [filters].

    `vectors` is float32 [vocabulary, dimensions], zero for PADDING.
    """

    vectors: Floats
    kernels: Sequence[Floats]
    biases: Sequence[Floats]
    activation: str


@dataclass(frozen=True, eq=False)
class Branches:
    """The children of the nodes of a tree, one level below: of node i `lasts[starts[i]:starts[i + 1]]`.

    These are tokens, int32 [children], which rise within a node. Child i is node i + 1 of its level, as 0 is
    no node.
    """

    starts: NDArray[np.int32]
    lasts: NDArray[np.int32]

    @property
    def steps(self) -> list[int]:
        """The steps of a binary search through the children of the node that has most, halving."""
        most = int(np.diff(self.starts).max(initial=0))
        return [1 << bit for bit in reversed(range(max(0, most - 1).bit_length()))]


@dataclass(frozen=True, eq=False)
class NgramTree:
    """Single tokens, pairs and perhaps triples with, for each, W'x and |x|^2 of a single occurrence.

    `tables` are float32 [nodes, classes + 1], the first by token, each other by node of the `branches`; row 0
    is zero. An n-gram that occurs c times has (1 + log c) times its W'x, and the square of that of its |x|^2.
    """

    tables: Sequence[Floats]
    branches: Sequence[Branches]

    @classmethod
    def of(cls, model: TokenNgrams, weight: np.floating, vocabulary: int) -> NgramTree:
        """Return the tree of a linear model whose logits are multiplied by `weight`."""
        idf = model.idf[:, None]
        values = np.hstack([weight * idf * model.weights, idf * idf])
        pairs, triples = np.searchsorted(model.keys, [1 << 32, TRIPLE])
        tokens, of_pairs, of_triples = np.split(model.keys, [pairs, triples])
        single, *others = np.split(values, [pairs, triples])
        by_token = np.zeros((vocabulary, values.shape[1]), np.float32)
        by_token[tokens] = single
        tables, branches = [by_token], [_branches(of_pairs >> 32, of_pairs & 0xFFFFFFFF, vocabulary)]
        if len(of_triples):
            first, second, third = _tokens_of_triples(of_triples)
            key = first << 32 | second
            parents = np.searchsorted(of_pairs, key)
            if (np.append(of_pairs, 0)[parents] != key).any():
                raise InputError("the model has runs of three tokens without their pairs: train again")
            branches.append(_branches(parents + 1, third, len(of_pairs) + 1))
        nothing = np.zeros((1, values.shape[1]), np.float32)
        tables += [np.concatenate([nothing, table]) for table, _ in zip(others, branches, strict=False)]
        return cls(tables, branches)


def _tokens_of_triples(keys: NDArray[np.int64]) -> tuple[NDArray[np.int64], ...]:
    mask = (1 << TRIPLE_BITS) - 1
    keys = keys & ~TRIPLE
    return keys >> 2 * TRIPLE_BITS, keys >> TRIPLE_BITS & mask, keys & mask


def _branches(parents: NDArray[np.int64], lasts: NDArray[np.int64], nodes: int) -> Branches:
    """Return branches of so many nodes; `parents` int64 [children] is rising."""
    starts = np.searchsorted(parents, np.arange(nodes + 1)).astype(np.int32)
    return Branches(starts, lasts.astype(np.int32) if len(lasts) else np.zeros(1, np.int32))


@dataclass(frozen=True, eq=False)
class PlainText:
    """The arrays of a classifier, from ids int32 [rows, length] to logits float32 [rows, classes].

    `dense` float32 [features, classes] takes the maxima of all convolutions' filters, side by side.
    `characters` float32 [vocabulary, classes + 1] has what each token adds to W'u and |u|^2. Probabilities
    are the softmax of logits / temperature.
    """

    convolutions: Sequence[Convolution]
    dense: Floats
    bias: Floats
    ngrams: NgramTree | None
    characters: Floats | None
    temperature: float

    @classmethod
    def of(cls, pool: Pool, network: keras.Model, temperature: float) -> PlainText:
        """Take a pool apart, with its Keras network as trained.

        Raises InputError for a network of another architecture, and one that is not finite.
        """
        members = [layer for layer in network.layers if isinstance(layer, keras.Model)] or [network]
        scale = np.float32(pool.weights[0] / len(members))
        parts = [_parts(member) for member in members]
        bias: Floats = np.sum([scale * bias for _, _, bias in parts], axis=0, dtype=np.float32)
        vocabulary = len(parts[0][0][0].vectors)
        weights = dict(zip(pool.linear, pool.weights[1:], strict=True))
        ngrams, characters = None, None
        for name, model in pool.linear.items():
            weight, arrays = np.float32(weights[name]), model.arrays()
            bias += weight * arrays["bias"]
            if isinstance(model, TokenNgrams):
                ngrams = NgramTree.of(model, weight, vocabulary)
            else:
                characters = arrays["table"].copy()
                characters[:, :-1] *= weight
        return cls(
            [convolution for convolutions, _, _ in parts for convolution in convolutions],
            np.concatenate([scale * dense for _, dense, _ in parts]),
            bias,
            ngrams,
            characters,
            temperature,
        )

    @property
    def gap(self) -> int:
        """The ids 0 between the texts of two columns, so many that no window has tokens of both."""
        return max(1, *(len(kernel) - 1 for part in self.convolutions for kernel in part.kernels))

    def spread(self, sequences: Sequences) -> Sequences:
        """Return rows as the graphs take them, with `gap` ids in place of each boundary."""
        repeats = np.where(sequences.ids == PADDING, self.gap, 1)
        ends = np.append(0, np.cumsum(repeats))
        ids = np.repeat(sequences.ids, repeats)
        return Sequences(ids, ends[sequences.offsets], ids, UnseenWords())


def _parts(network: keras.Model) -> tuple[list[Convolution], Floats, Floats]:
    """Return the convolutions, the dense kernel [features, classes] and its bias of a trained network."""
    unused = keras.layers.InputLayer | keras.layers.Dropout  # in prediction
    layers = [layer for layer in network.layers if not isinstance(layer, unused)]
    if [type(layer) for layer in layers] != [TokenConvolution, keras.layers.Dense]:
        raise InputError(f"a network {network.name} cannot be exported: only those of kim_cnn can")
    convolution, dense = layers
    tables, banks = _arrays(convolution.tables), _arrays(convolution.banks)
    for table in tables:
        table[PADDING] = 0
    if convolution.combination == "shared":
        pools: list[tuple[Floats, Floats]] = [(np.asarray(sum(tables), np.float32), banks[0])]
    elif convolution.combination == "separate":
        pools = [(np.hstack(tables), np.hstack(banks))]
    else:
        pools = [*zip(tables, banks, strict=True)]
    biases = np.split(np.asarray(convolution.bias.value), len(pools))
    convolutions = [_convolution(convolution, *pool, bias) for pool, bias in zip(pools, biases, strict=True)]
    kernel, offset = _arrays([dense.kernel, dense.bias])
    if not all(np.isfinite(array).all() for array in (*tables, *banks, *biases, kernel, offset)):
        raise InputError("the network has weights that are not finite: train again")
    return convolutions, kernel, offset


def _arrays(variables: Sequence[Any]) -> list[Floats]:
    return [np.array(variable.value.numpy(), np.float32) for variable in variables]


def _convolution(layer: TokenConvolution, vectors: Floats, bank: Floats, bias: Floats) -> Convolution:
    """Return the filters of a bank [columns, dimensions]: window by window, offset by offset."""
    kernels, column = [], 0
    for window, count in zip(layer.windows, layer.filters, strict=True):
        block = bank[column : column + window * count].reshape(window, count, -1)
        kernels.append(np.ascontiguousarray(block.transpose(0, 2, 1)))
        column += window * count
    return Convolution(vectors, kernels, np.split(bias, np.cumsum(layer.filters)[:-1]), layer.activation)
