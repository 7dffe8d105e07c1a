"""The filters of a run, of classifiers whose every number is set by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.models.dense_tokens import Options, build
from pipeline.networks.keras_network import KerasNetwork
from pipeline.prediction.pool import Pool
from pipeline.review.run_figures import filter_report
from tests.review.hand_set import pool, rows, scored


@pytest.mark.parametrize("networks", [1, 2])
def test_the_filters_are_the_first_networks(networks: int, tmp_path: Path) -> None:
    report = filter_report(scored(pool(networks), rows(["good day", "bad", "fine"], [1, 0, 1])), "mr")
    (only,) = report.values
    assert (only["size"], only["label"], only["push"]) == (1, "good", 2)
    ngrams: list[dict[str, Any]] = only["ngrams"]
    assert [(ngram["text"], ngram["value"]) for ngram in ngrams] == [("good", 4), ("bad", -4)]
    report.figures["filters"].write_png(tmp_path / "filters.png")
    assert (tmp_path / "filters.png").read_bytes().startswith(b"\x89PNG")


def test_a_network_that_cannot_be_folded_has_no_report_of_filters() -> None:
    network = KerasNetwork(build(Options(length=3, hidden=[2]), np.ones((5, 1), np.float32), classes=2))
    assert filter_report(scored(Pool(network, {}, [1.0]), rows(["good"], [1])), "mr") == ([], {})
