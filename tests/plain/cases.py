"""Small classifiers of every kind, of random weights, and rows that try the borders of each."""

from __future__ import annotations

from typing import Any, NamedTuple

import keras
import numpy as np
from hypothesis import strategies as st

from pipeline.folding.fold_network import fold_networks
from pipeline.inputs import PADDING, Sequences
from pipeline.linear.members import LinearModel
from pipeline.linear.token_ngrams import TokenFeatures
from pipeline.networks.ensemble import average
from pipeline.options import Ngrams
from pipeline.plain.text_arrays import PlainText
from pipeline.prediction.pool import Pool
from tests.prediction.networks import ROWS, linear_models, network

VOCABULARY = 10
WORDS = [f"w{number}" for number in range(2, VOCABULARY)]
OPTIONS: dict[str, dict[str, Any]] = {
    "shared": {},
    "separate": {"combination": "separate", "windows": [1, 2, 3]},
    "concatenated": {"combination": "concatenated", "windows": [2], "activation": "tanh"},
    "one channel": {"channels": ["tuned"], "windows": [1], "activation": "linear"},
    "wide": {"windows": [7, 2], "filters": [2, 5]},
}
# No token, one, fewer than a window, repeated n-grams, UNKNOWN, and texts of two columns, of which one or
# both are empty.
BORDERS = [[], [2], [1], [2, 2], [5, 5, 5, 5, 7, 1], [2, 0, 3], [0, 3], [3, 0], [0], [4, 5, 0, 6], [9] * 30]
rows_of_ids = st.lists(st.lists(st.integers(PADDING, VOCABULARY - 1), max_size=12), min_size=1, max_size=5)


class Case(NamedTuple):
    """A pool, the Keras network that it was folded from, and the arrays of both."""

    pool: Pool
    network: keras.Model
    plain: PlainText

    @classmethod
    def of(cls, networks: list[keras.Model], linear: dict[Ngrams, LinearModel]) -> Case:
        folded, together = fold_networks(networks), average(networks)
        assert folded is not None
        pool = Pool(folded, linear, [0.7, 0.4, 0.3][: 1 + len(linear)])
        return cls(pool, together, PlainText.of(pool, together, 2.0))


def case(name: str, linear: bool = True, members: int = 1) -> Case:
    """Return the classifier of one of the OPTIONS."""
    networks = [network(seed, **OPTIONS[name]) for seed in range(1, members + 1)]
    return Case.of(networks, linear_models(WORDS) if linear else {})


def case_of_triples() -> Case:
    """Return a classifier whose linear model knows runs of three tokens."""
    features = TokenFeatures(Sequences.from_rows([row for row in ROWS if 1 not in row]), longest=3)
    random = np.random.default_rng(5)
    weights = random.normal(size=(len(features.keys), 3)).astype(np.float32)
    tokens = features.model(weights, np.ones(3, np.float32))
    assert tokens.longest == 3
    return Case.of([network()], {"tokens": tokens})


def all_cases() -> dict[str, Case]:
    """Return one of each kind."""
    cases = {name: case(name) for name in OPTIONS}
    cases["network alone"] = case("separate", linear=False)
    cases["two networks"] = case("shared", members=2)
    cases["triples"] = case_of_triples()
    return cases
