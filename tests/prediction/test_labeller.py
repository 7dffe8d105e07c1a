"""The columns of labelled rows and their counts, by a classifier whose every number is set by hand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pipeline.measures.abstention import Outcomes
from pipeline.prediction.labeller import LabelCounts, Labeller
from pipeline.prediction.output_columns import OutputColumns
from pipeline.tables.columns import Column, concatenate
from tests.prediction.handmade import images_classifier, texts_classifier


def cells(columns: list[Column]) -> dict[str, list[Any]]:
    return {column.name: column.arrow().to_pylist() for column in columns}


TEXTS = ["good bad good", "bad", "", "zzz good", "bad bad bad bad"]


def labelled(**columns: Any) -> tuple[dict[str, list[Any]], LabelCounts]:
    labeller = Labeller(texts_classifier(), OutputColumns(**columns), Path())
    rows = labeller.label(*concatenate([text.encode() for text in TEXTS]))
    assert [column.name for column in rows.columns] == labeller.names
    return cells(rows.columns), rows.counts


def test_the_labels_are_ranked_and_each_has_its_probability() -> None:
    found, _ = labelled(top=2, probabilities=True)
    sure = 1 / (1 + np.exp(-4))  # of the logits 4 and 0
    assert found["predicted_label"] == ["bad", "bad", "bad", "good", "bad"]
    assert found["predicted_label_2"] == ["good", "good", "good", "bad", "good"]
    assert found["probability"] == pytest.approx([0.5, sure, 0, sure, sure])  # the third has no word
    assert found["probability_2"] == pytest.approx([0.5, 1 - sure, 0, 1 - sure, 1 - sure])
    assert found["probability_of_good"] == pytest.approx([0.5, 1 - sure, 0.5, sure, 1 - sure])


def test_below_the_threshold_there_is_no_label_and_the_row_counts_as_abstained() -> None:
    found, counts = labelled(abstain=0.9)
    assert found["predicted_label"] == ["", "bad", "", "good", "bad"]
    assert (counts.abstained, counts.classes.tolist()) == (2, [4, 1])


def test_a_class_without_a_threshold_is_never_labelled_and_is_named() -> None:
    classifier = texts_classifier()
    # 60 right rows of bad show 0.95, and those of good are half wrong.
    probability = np.array([0.9] * 120, np.float32)
    predicted = np.array([0, 1] * 60, np.int32)
    classifier.validation = Outcomes(probability, predicted, (predicted == 0) | (np.arange(120) < 60))
    labeller = Labeller(classifier, OutputColumns(precision_by_class=0.95), Path())
    rows = labeller.label(*concatenate([text.encode() for text in TEXTS]))
    assert cells(rows.columns)["predicted_label"] == ["", "bad", "", "", "bad"]
    assert labeller.lines_on_rows(rows.counts) == [
        "  texts without any known word, with probability 0: 1 (1 without any word)",
        "  texts longer than the model reads, cut: 1",
        "  rows left without a label: 3",
        "  labelled at precision 0.95 by class: 40.0% (of the validation part 50.0%)",
        "  never labelled, as the validation part does not show that precision: good",
    ]


def test_a_precision_of_all_classes_has_one_threshold() -> None:
    classifier = texts_classifier()
    classifier.validation = Outcomes(
        np.array([0.75] * 100 + [0.5] * 60, np.float32), np.zeros(160, np.int32), np.arange(160) < 100
    )
    labeller = Labeller(classifier, OutputColumns(precision=0.95), Path())
    rows = labeller.label(*concatenate([text.encode() for text in TEXTS]))
    assert cells(rows.columns)["predicted_label"] == ["", "bad", "", "good", "bad"]
    assert labeller.lines_on_rows(rows.counts) == [
        "  texts without any known word, with probability 0: 1 (1 without any word)",
        "  texts longer than the model reads, cut: 1",
        "  rows left without a label, of probability below 0.75: 2",
        "  labelled at precision 0.95: 60.0% (of the validation part 62.5%)",
    ]


def test_shares_and_counts_are_of_the_tokens() -> None:
    found, counts = labelled(shares=True)
    assert found["unknown_words"] == [0, 0, 0, 0.5, 0]
    assert found["cut_off"] == [0, 0, 0, 0, 0.25]
    assert (counts.rows, counts.empty, counts.truncated) == (5, 1, 1)
    assert (counts.tokens, counts.unknown) == (10, 1)


@pytest.mark.parametrize("chosen", [{}, {"abstain": 0.001}])
def test_a_text_without_a_known_word_has_probability_0_and_no_label_if_rows_may_have_none(
    chosen: dict[str, float],
) -> None:
    texts = ["", " \t", "\u200b", "zzz yyy", "\U0001f642", "zzz zzz zzz bad", "bad"]
    labeller = Labeller(texts_classifier(), OutputColumns(**chosen), Path())
    rows = labeller.label(*concatenate([text.encode() for text in texts]))
    found = cells(rows.columns)
    assert found["predicted_label"] == ([""] * 6 if chosen else ["bad"] * 6) + ["bad"]
    assert found["probability"] == pytest.approx([0] * 6 + [1 / (1 + np.exp(-4))])  # three tokens are read
    assert (rows.counts.empty, rows.counts.without_known_word) == (3, 6)
    assert rows.counts.abstained == (6 if chosen else 0)


def test_evidence_adds_up_to_the_logit_of_the_label() -> None:
    found, _ = labelled(evidence=True)
    assert json.loads(found["evidence"][3]) == [["good", 4.0], ["(bias)", 0.0]]


def test_an_image_that_cannot_be_read_has_a_problem_and_no_cells(tmp_path: Path) -> None:
    Image.new("L", (2, 2), 200).save(tmp_path / "light.png")
    Image.new("L", (2, 2), 20).save(tmp_path / "dark.png")
    rows = concatenate([b"light.png", b"none.png", b"dark.png"])
    found = Labeller(images_classifier(), OutputColumns(shares=True), tmp_path).label(*rows)
    assert found.problems == ["", "no such file or directory", ""]
    assert cells(found.columns) == {
        "predicted_label": ["good", "bad"],
        "probability": [1, 1],
        "unknown_words": [0, 0],
        "cut_off": [0, 0],
    }
    assert (found.counts.rows, found.counts.empty, found.counts.classes.tolist()) == (2, 0, [1, 1])


def test_counts_are_added_up_and_come_back_from_json() -> None:
    _, counts = labelled()
    total = LabelCounts.zero(2)
    total.add(counts)
    total.add(LabelCounts.from_json(json.loads(json.dumps(counts.to_json()))))
    assert (total.rows, total.tokens, total.classes.tolist()) == (10, 20, [8, 2])
