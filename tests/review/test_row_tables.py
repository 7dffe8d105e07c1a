"""Tables of rows for a reviewer, of a classifier whose every number is set by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.review import row_tables
from pipeline.review.assessment import ScoredRows
from tests.review.hand_set import ENCODER, classifier, pool, rows, scored


def learned(table: pd.DataFrame) -> NDArray[np.int64]:
    return np.flatnonzero(table["part"] == "train")


def test_mistakes_are_the_wrong_predictions_the_most_confident_first() -> None:
    table = rows(["bad bad", "good", "fine", "good"], [1, 0, 1, 1])
    predictions = row_tables.predictions(scored(pool(), table))
    assert predictions["predicted_label"].tolist() == ["bad", "good", "good", "good"]
    assert predictions["label"].tolist() == ["good", "bad", "good", "good"]
    assert list(predictions) == ["file", "line", "text", "label", "predicted_label", "probability"]
    mistakes = row_tables.mistakes(predictions)
    assert mistakes["text"].tolist() == ["bad bad", "good"]  # as sure of both, so in the order of the rows
    assert mistakes["probability"].tolist() == [0.982, 0.982]  # 1 / (1 + exp(-4))
    wrong = predictions.assign(label="other", probability=[0.6, 0.9, 0.7, 0.8])
    assert row_tables.mistakes(wrong)["probability"].tolist() == [0.9, 0.8, 0.7, 0.6]


def test_each_judge_ranks_its_own_rows_and_those_of_the_test_part_stand_last() -> None:
    """Naive Bayes doubts one of twenty training rows, the network two of eight others, and more strongly: by
    shares the training row is the first all the same, and the test row the last."""
    held_out = pd.concat(
        [
            rows(["good", "bad", "bad good", "good good"], [0, 0, 1, 1], "test"),
            rows(["bad", "bad bad", "bad fine", "fine"], [1, 0, 1, 1], "validation"),
        ]
    )
    training = rows([*["good day"] * 10, *["bad day"] * 10], [*[1] * 9, *[0] * 11], "train")
    table = pd.concat([training, held_out], ignore_index=True)
    inputs = ENCODER.encode(list(table["text"]))
    model = pool()
    judged = ScoredRows.from_corpus(classifier(model), table, inputs, table["part"] != "train")
    suspects = row_tables.suspect_labels(judged, table, inputs, learned(table), seed=1)
    assert suspects["part"].tolist() == ["train", "validation", "test"]
    assert suspects["text"].tolist() == ["good day", "bad", "good"]
    assert suspects["label"].tolist() == ["bad", "good", "bad"]
    assert suspects["suggested_label"].tolist() == ["good", "bad", "good"]
    first, second, _ = suspects["probability"]
    assert first < second


def test_a_label_that_no_training_row_has_is_suspect_and_is_never_suggested() -> None:
    table = pd.concat(
        [
            rows(["good day"] * 10 + ["bad day"] * 10, [1] * 10 + [0] * 10, "train"),
            rows(["good", "bad", "good", "zzz"], [1, 0, 2, 2], "test"),
        ],
        ignore_index=True,
    )
    inputs = ENCODER.encode(list(table["text"]))
    judged = ScoredRows.from_corpus(classifier(pool()), table, inputs, table["part"] != "train", ["odd"])
    assert row_tables.predictions(judged)["label"].tolist() == ["good", "bad", "odd", "odd"]
    suspects = row_tables.suspect_labels(judged, table, inputs, learned(table), seed=1)
    assert suspects[["text", "label", "suggested_label"]].to_numpy().tolist() == [["good", "odd", "good"]]


def test_copies_of_a_text_do_not_vouch_for_each_others_wrong_label() -> None:
    """Fine occurs in six copies of one text alone, all of them labelled good, as if it meant good."""
    lengths = range(1, 11)
    texts = [*(" ".join(["bad"] * n) for n in lengths), *(" ".join(["good"] * n) for n in lengths)]
    copies = ["bad bad bad fine", "Bad bad BAD fine", "bad bad  bad fine"] * 2
    training = rows([*texts, *copies], [*[0] * 10, *[1] * 10, *[1] * 6], "train")
    table = pd.concat([training, rows(["good"], [1])], ignore_index=True)
    inputs = ENCODER.encode(list(table["text"]))
    model = pool()
    judged = ScoredRows.from_corpus(classifier(model), table, inputs, table["part"] != "train")
    suspects = row_tables.suspect_labels(judged, table, inputs, learned(table), seed=1)
    assert suspects["text"].tolist() == copies


def test_mistakes_of_a_folded_model_have_their_evidence() -> None:
    table = rows(["good", "awful film"], [0, 1])
    test = scored(pool(), table)
    wrong = table.assign(predicted_label="a", probability=0.5)
    column = row_tables.with_evidence(wrong, test)["evidence"]
    assert [json.loads(entry)[-1][0] for entry in column] == ["(bias)", "(bias)"]
