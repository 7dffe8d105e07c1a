"""Which rows each fold tests, validates on and trains on, and by which rows settings are chosen."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.equality import group_numbers
from pipeline.corpus.folds import (
    CHOICE_FOLDS,
    FEW_VALIDATION_ROWS,
    assign_folds,
    choice_splits,
    parts,
    parts_by_time,
)
from pipeline.corpus.split import TEST, TRAIN, VALIDATION
from pipeline.errors import InputError
from pipeline.inputs import Sequences
from pipeline.options import Source


def corpus(rows: int, classes: int = 2) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(rows), np.arange(rows) % classes


def test_every_row_is_tested_once_and_a_tenth_of_the_others_validates() -> None:
    texts, labels = corpus(100)
    fold = assign_folds(texts, labels, 5, seed=1)
    assert sorted(set(fold)) == [1, 2, 3, 4, 5]
    for number in range(1, 6):
        part = parts(texts, labels, fold == number, seed=1)
        assert [(part == code).sum() for code in (TRAIN, VALIDATION, TEST)] == [72, 8, 20]
        assert labels[part == TEST].mean() == labels[part == VALIDATION].mean() == 0.5


@settings(max_examples=25)
@given(st.lists(st.integers(0, 15), min_size=60, max_size=120), st.integers(2, 5), st.integers(0, 3))
def test_equal_texts_share_a_part_in_every_fold(numbers, count, seed) -> None:
    numbers = [*range(16), *numbers]  # each text once at least
    texts = group_numbers(f"  Text {n}" if i % 2 else f"text {n}" for i, n in enumerate(numbers))
    labels = np.array(numbers) % 2
    fold = assign_folds(texts, labels, count, seed)
    for number in range(1, count + 1):
        part = parts(texts, labels, fold == number, seed)
        assert all(len(set(part[np.array(numbers) == n])) == 1 for n in range(16))


def test_folds_follow_from_the_seed() -> None:
    texts, labels = corpus(60)
    one, again, other = (assign_folds(texts, labels, 3, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_the_folds_of_a_seed_are_pinned() -> None:
    texts = [*(f"text {n}" for n in range(24)), "Text 3", "text 5", "text 5"]
    fold = assign_folds(group_numbers(texts), np.arange(27) % 3, 4, seed=7)
    assert "".join(map(str, fold)) == "333112441424243213231314122"


def test_more_folds_than_texts_are_refused() -> None:
    with pytest.raises(InputError, match="3 different texts cannot make 4 folds"):
        assign_folds(np.array([0, 1, 2, 0]), np.array([0, 1, 0, 1]), 4, seed=1)


def test_a_corpus_whose_classes_are_all_smaller_than_the_folds_is_refused() -> None:
    texts, labels = corpus(24, classes=6)
    with pytest.raises(InputError, match="no class has 10 rows, one for each fold"):
        assign_folds(texts, labels, 10, seed=1)


def test_a_class_with_fewer_rows_than_folds_is_tested_in_some_of_them() -> None:
    texts, labels = corpus(40)
    labels[:3] = 2
    assert len(set(assign_folds(texts, labels, 5, seed=1)[:3])) == 3


def test_an_official_test_part_stays_and_validation_is_drawn_by_seed() -> None:
    texts, labels = corpus(60)
    official = np.where(np.arange(60) < 20, TEST, TRAIN)
    one, other = (parts(texts, labels, official == TEST, seed) for seed in (1, 2))
    assert (one[:20] == TEST).all()
    assert [(one == code).sum() for code in (TRAIN, VALIDATION, TEST)] == [36, 4, 20]
    assert (one != other).any()


def test_in_time_order_the_newest_tenth_of_the_rows_not_tested_validates() -> None:
    order = np.array([*range(20), 40, 41], float)
    part = parts_by_time(order, order >= 40, "date")
    assert "".join(map(str, part)) == "0" * 18 + "1" * 2 + "2" * 2


def labelled_rows(training: int, validation: int, test: int = 10) -> pd.DataFrame:
    """Rows of two classes, each twice: a unit is a pair of rows."""
    parts = ["train"] * training + ["validation"] * validation + ["test"] * test
    number = np.arange(len(parts))
    rows = pd.DataFrame({"part": pd.Categorical(parts), "label": number // 2 % 2, "unit": number // 2})
    return rows.sample(frac=1, random_state=1).reset_index(drop=True)


def source(**options: str) -> Source:
    return Source.model_validate({"train": "rows.csv", **options})


def places(rows: pd.DataFrame, *parts: str) -> list[int]:
    return np.flatnonzero(rows["part"].isin(parts)).tolist()


def test_a_large_validation_part_is_all_that_is_held_out() -> None:
    rows = labelled_rows(40, FEW_VALIDATION_ROWS)
    (only,) = choice_splits(rows, True, 1)
    assert only.fitted.tolist() == places(rows, "train")
    assert only.held_out.tolist() == places(rows, "validation")


def test_of_large_parts_some_rows_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.corpus.folds.CHOICE_ROWS", 600)
    rows = labelled_rows(900, 700)
    (first,), (same,), (other,) = (choice_splits(rows, True, seed) for seed in (1, 1, 2))
    for part, drawn in zip(("train", "validation"), first, strict=True):
        assert len(set(drawn)) == 600 and set(drawn) < set(places(rows, part))
        assert drawn.tolist() == sorted(drawn)
    assert first.fitted.tolist() == same.fitted.tolist() != other.fitted.tolist()
    folds = choice_splits(labelled_rows(900, 20), True, 1)
    assert sum(len(fold.held_out) for fold in folds) == 600


def test_a_small_one_and_the_training_part_are_held_out_fold_by_fold() -> None:
    rows = labelled_rows(40, FEW_VALIDATION_ROWS - 2)
    splits = choice_splits(rows, True, 1)
    assert len(splits) == CHOICE_FOLDS
    learned = places(rows, "train", "validation")
    assert sorted(np.concatenate([one.held_out for one in splits]).tolist()) == learned
    for fitted, held_out in splits:
        assert sorted([*fitted, *held_out]) == learned
        assert not set(rows["unit"][fitted]) & set(rows["unit"][held_out])
        assert rows["label"][held_out].mean() == pytest.approx(0.5, abs=0.05)


def test_units_of_unlike_sizes_and_mixed_classes_make_folds_of_about_as_many_rows() -> None:
    """A few authors wrote most of the texts, of either class."""
    sizes = np.array([40, 35, 30, 28, 25, 20, *[3] * 20, *[1] * 62])
    units = np.repeat(np.arange(len(sizes)), sizes)
    random = np.random.default_rng(1)
    label = random.random(len(units)) < np.where(units % 2, 0.8, 0.2)
    rows = pd.DataFrame({"part": "train", "label": label.astype(int), "unit": units})
    rows.loc[random.permutation(len(rows))[:30], "part"] = "validation"
    splits = choice_splits(rows.sample(frac=1, random_state=1).reset_index(drop=True), True, 1)
    held_out = [len(fold.held_out) for fold in splits]
    assert sum(held_out) == len(rows) and max(held_out) - min(held_out) <= 25


def test_one_seed_gives_one_choice_of_folds() -> None:
    rows = labelled_rows(40, 20)
    first, same, other = (
        [one.held_out.tolist() for one in choice_splits(rows, True, seed)] for seed in (1, 1, 2)
    )
    assert first == same != other


def test_a_validation_part_that_is_given_or_newer_is_not_mixed_with_the_training_part() -> None:
    rows = labelled_rows(40, 20)
    assert source().mixes_validation and source(group="author").mixes_validation
    assert not source(validation="other.csv").mixes_validation
    assert not source(time="date").mixes_validation
    assert len(choice_splits(rows.drop(columns="unit"), False, 1)) == 1


def test_rows_that_make_no_folds_are_judged_by_the_validation_part() -> None:
    """Six rows are three units, too few for five folds."""
    assert len(choice_splits(labelled_rows(4, 2), True, 1)) == 1


def test_places_are_given_as_inputs_and_labels() -> None:
    rows = labelled_rows(4, 2, 0)
    inputs = Sequences.from_rows([[2 + row] for row in range(6)])
    (only,) = choice_splits(rows, True, 1)
    for (texts, labels), part in zip(only.of(inputs, np.arange(6)), ("train", "validation"), strict=True):
        assert labels.tolist() == places(rows, part)
        assert texts.ids.tolist() == [2 + place for place in places(rows, part)]
