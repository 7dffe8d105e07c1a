"""Which rows two classifiers can be compared on."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.encoder import Encoder
from pipeline.errors import InputError
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import Images, Sequences
from pipeline.measures.paired import compare_paired
from pipeline.options import Criterion, Tokenize
from pipeline.prediction.classifier import Classifier
from pipeline.release import contest
from pipeline.release.gate import checks_of_first_champion
from pipeline.text.encoder import TextEncoder

PIXELS = Images.from_pixels(np.arange(16, dtype=np.uint8).reshape(4, 2, 2, 1))
TEXTS = ["one", "two", "three", "four"]
ENCODER = TextEncoder.learn(TEXTS, Tokenize(minimum_count=1))
SEQUENCES = ENCODER.encode(TEXTS)


def rows_of(inputs: Sequences | Images) -> contest.HeldOutRows:
    lines = pd.DataFrame({"line": [2, 3, 4, 5], "text": TEXTS}, index=[7, 8, 11, 12])  # as in the corpus
    return contest.HeldOutRows(
        inputs, np.array([10, 20, 30, 40], np.uint64), np.array(list("abab"), object), lines
    )


def keys(*values: int) -> np.ndarray:
    return np.array(values, np.uint64)


def test_rows_that_one_of_them_was_trained_on_are_left_out_and_counted() -> None:
    remaining = rows_of(SEQUENCES).without(keys(20, 99), "the run").without(keys(40, 20), "the champion")
    assert (remaining.origin["text"].tolist(), remaining.truth.tolist()) == (["one", "three"], ["a", "a"])
    assert remaining.inputs.as_sequences().ids.tolist() == ENCODER.encode(["one", "three"]).ids.tolist()
    assert (remaining.keys.tolist(), remaining.origin["line"].tolist(), remaining.left_out) == (
        [10, 30],
        [2, 4],
        2,
    )


def test_of_images_the_rows_are_left_out_too() -> None:
    remaining = rows_of(PIXELS).without(keys(10, 30), "the champion")
    assert remaining.inputs.padded()[:, 0, 0, 0].tolist() == [4, 12]


def test_where_no_row_is_left_the_error_says_who_was_trained_on_them() -> None:
    with pytest.raises(InputError, match="the champion was trained on all of this run's test rows"):
        rows_of(SEQUENCES).without(keys(40, 30, 20, 10), "the champion")


@pytest.mark.parametrize(
    ("encoder", "inputs", "message"),
    [
        (ENCODER, SEQUENCES, None),
        (ImageEncoder(2, 2, 1), PIXELS, None),
        (ImageEncoder(2, 2, 3), PIXELS, r"takes images of \(2, 2, 3\), and this run of \(2, 2, 1\)"),
        (ImageEncoder(2, 2, 1), SEQUENCES, "takes images, and this run texts"),
        (ENCODER, PIXELS, "takes texts, and this run images"),
    ],
)
def test_a_champion_is_asked_about_rows_of_its_own_kind_and_size(
    encoder: Encoder, inputs: Sequences | Images, message: str | None
) -> None:
    champion = Classifier(lambda: pytest.fail("it was asked"), encoder, ["a", "b"], ["text"])
    if message is None:
        contest.check_accepts(champion, rows_of(inputs))
        return
    with pytest.raises(InputError, match=message):
        contest.check_accepts(champion, rows_of(inputs))


KINDS = {  # truth, label of the new one, label of the old one, rows
    0: ("common", "common", "common", 1840),
    1: ("common", "rare", "common", 56),
    2: ("common", "rare", "rare", 4),
    3: ("rare", "rare", "rare", 30),
    4: ("rare", "rare", "common", 50),
    5: ("rare", "common", "common", 20),
}


class ByKind:
    """A predictor of images of one pixel, which is the kind of the row: a label for each kind."""

    def __init__(self, labels: list[str]) -> None:
        self.logits_of = np.array([[3.2, 0] if label == "common" else [0, 3.2] for label in labels])

    def logits(self, images: Images) -> np.ndarray:
        return self.logits_of[images.padded().ravel()].astype(np.float32)


def of_kinds(place: int) -> contest.LoadedClassifier:
    labels = [kind[place] for kind in KINDS.values()]
    classifier = Classifier(lambda: ByKind(labels), ImageEncoder(1, 1, 1), ["common", "rare"], ["path"])
    return contest.LoadedClassifier("of kinds", classifier, 1000)


def decided(criterion: Criterion, with_champion: bool = True) -> contest.ContestResult:
    pixels = np.repeat(np.array([*KINDS], np.uint8), [kind[3] for kind in KINDS.values()])
    truth = np.array([KINDS[int(pixel)][0] for pixel in pixels], object)
    lines = pd.DataFrame({"file": "images", "line": np.arange(len(pixels))})
    images = Images.from_pixels(pixels.reshape(-1, 1, 1, 1))
    rows = contest.HeldOutRows(images, np.arange(len(pixels), dtype=np.uint64), truth, lines)
    return contest.compare(
        of_kinds(1), of_kinds(2) if with_champion else None, rows, criterion, looks=3, challenger=2
    )


def failed(result: contest.ContestResult) -> list[str]:
    """The checks that failed, without that of the speed, which is measured."""
    return [check.what for check in result.checks if not check.passed and check.what != "speed"]


def test_a_model_chosen_by_macro_f1_is_judged_by_macro_f1() -> None:
    result = decided("macro_f1")
    assert result.champion is not None
    assert (result.paired.fixed, result.paired.broken) == (50, 56)  # six rows fewer are right
    # 2 * 1896 / (1900 + 1966) and 2 * 30 / (100 + 34); 2 * 1840 / (1900 + 1860) and 2 * 80 / (100 + 140)
    assert result.champion.macro_f1 == pytest.approx((0.98086 + 0.44776) / 2, abs=1e-5)
    assert result.new.macro_f1 == pytest.approx((0.97872 + 0.66667) / 2, abs=1e-5)
    assert (result.decision.criterion, result.decision.looks, result.decision.challenger) == (
        "macro_f1",
        3,
        2,
    )
    assert result.decision.difference == pytest.approx(0.10839, abs=1e-5)
    assert result.decision.low > 0.05
    assert failed(result) == []
    (common, _) = result.slices
    assert (common.title, round(common.new, 4), round(common.old, 4)) == ("class common", 0.9787, 0.9809)


def test_the_same_model_chosen_by_accuracy_is_judged_by_accuracy() -> None:
    assert failed(decided("accuracy")) == ["accuracy", "slices"]


def test_the_first_champion_is_judged_by_the_score_that_it_was_chosen_by() -> None:
    """Against the majority class: 1,920 rows to 1,900, and 0.82 to 0.49."""
    first = decided("macro_f1", with_champion=False)
    assert [(check.what, check.passed) for check in first.checks] == [("macro-F1", True)]
    assert first.decision.difference == pytest.approx(0.82270 - 0.5 * 2 * 1900 / 3900, abs=1e-5)
    (check,) = decided("accuracy", with_champion=False).checks
    assert (check.what, check.passed) == ("accuracy", False)  # 80 fixed, 60 broken: p = 0.11


@pytest.mark.parametrize(("changed", "promoted"), [(5, False), (6, True)])
def test_a_first_champion_by_macro_f1_takes_as_many_rows_as_a_sign_test(changed: int, promoted: bool) -> None:
    """2 / 2^5 = 0.0625 and 2 / 2^6 = 0.03125, though every resample of rows speaks for the new one."""
    truth = np.array(["common"] * 12 + ["rare"] * changed, object)
    coded = contest.CodedLabels.of(truth, truth, contest.majority(truth))
    changes = compare_paired(coded.new == coded.truth, coded.old == coded.truth)
    assert changes.is_significant == promoted
    (check,) = checks_of_first_champion(contest.decide(coded, changes, "macro_f1", looks=1, challenger=1))
    assert check.passed == promoted


def test_rows_of_a_group_that_one_of_them_was_trained_on_are_left_out_too() -> None:
    rows = rows_of(SEQUENCES)._replace(groups=keys(1, 2, 1, 3))
    remaining = rows.without(keys(1), "the champion")
    assert remaining.origin["text"].tolist() == ["two", "four"]
    assert remaining.without(keys(3), "the run").keys.tolist() == [20]
