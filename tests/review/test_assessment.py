"""The measures of a classifier whose every number is set by hand."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.measures.comparison import Opponent
from pipeline.prediction.folded import FoldedModel
from pipeline.review import assessment
from tests.review.hand_set import network, ngrams, rows, scored


def measured(model: FoldedModel) -> dict[str, Any]:
    test = scored(model, rows(["good", "bad", "fine", "fine"], [1, 0, 1, 1]))
    return assessment.measures(
        test, {"majority": Opponent(test.truth, 1)}, None, "accuracy", seed=1
    ).to_json()


def test_the_network_is_also_scored_without_the_n_grams_that_are_weighed_in() -> None:
    found = measured(FoldedModel([network()], ngrams(), [1.0, 1.0]))
    assert found["accuracy"] == 0.5 and found["network_alone_accuracy"] == 1
    assert found["network_alone_macro_f1"] == 1
    # Wilson, 4 of 4 rows: from 4 / (4 + 1.96 ** 2).
    assert found["network_alone_accuracy_interval"] == pytest.approx((0.5101, 1), abs=1e-4)


@pytest.mark.parametrize(
    "model", [FoldedModel([network()], None, []), FoldedModel([network()] * 2, None, [1.0])]
)
def test_networks_without_n_grams_are_not_scored_twice(model: FoldedModel) -> None:
    assert not [key for key in measured(model) if key.startswith("network_alone")]
