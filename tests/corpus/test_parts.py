"""The parts of a corpus and of its folds: nothing straddles that a split is to keep apart."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pipeline.corpus import folds, times
from pipeline.corpus.copies import Copies
from pipeline.corpus.parts import fold_rows, split_rows
from pipeline.errors import InputError
from pipeline.options import Source, Split
from tests.corpus.test_copies import different, variants

SHARES = Split(validation=0.1, test=0.1)


def source(**options: str) -> Source:
    return Source.model_validate({"train": "a.csv", **options})


def frame(texts: list[str], labels: list[str], **columns: list[Any]) -> pd.DataFrame:
    rows = pd.DataFrame({"text": texts, "label": labels, "part": "train", **columns})
    return rows.astype({"label": pd.CategoricalDtype(sorted(set(labels)))})


def parts(rows: pd.DataFrame, of: Source, seed: int = 1) -> tuple[pd.DataFrame, dict[str, Any]]:
    return split_rows(rows, Copies(rows), of, SHARES, seed)


def test_variants_of_a_template_do_not_straddle() -> None:
    texts = variants(26, 10)
    rows, told = parts(frame(texts, ["ab"[n % 7 % 2] for n in range(260)]), source())
    assert rows.groupby(np.arange(260) % 26)["part"].nunique().eq(1).all()
    assert not rows["copied"].any()
    assert told["near_copies"]["kept_together"] == 260
    assert rows["part"].value_counts().between(20, 216).all()


def test_near_copies_are_apart_where_their_units_are_too_few_to_be_split() -> None:
    texts = variants(26, 10)  # each template is a class of its own
    rows, told = parts(frame(texts, [f"{n % 26:02d}" for n in range(260)]), source())
    assert {*rows["part"]} == {"train", "validation", "test"} and rows["copied"].any()
    assert told["near_copies"]["kept_together"] == 0 < told["near_copies"]["rows"]


def test_a_few_near_copies_are_marked_where_they_lie_beside_learned() -> None:
    texts = different(300) + variants(3, 5)
    rows, told = parts(frame(texts, ["ab"[n % 2] for n in range(315)]), source(), seed=3)
    assert told["near_copies"]["kept_together"] == 0
    assert rows["copied"].any() and not rows["copied"][:300].any()
    template, is_learned = np.arange(15) % 3, (rows["part"][300:] != "test").to_numpy()
    beside = ~is_learned & np.isin(template, template[is_learned])
    assert rows["copied"][300:].tolist() == beside.tolist()


def test_parts_that_are_given_stay_and_their_copies_are_marked() -> None:
    rows = frame([*different(60), different(1)[0] + "!", "new text"], ["a", "b"] * 31)
    rows["part"] = ["train"] * 60 + ["test"] * 2
    found, _ = parts(rows, source(test="b.csv"))
    assert found["part"][60:].tolist() == ["test", "test"]
    assert found["copied"][60:].tolist() == [bool(found["part"][0] == "train"), False]


def test_a_validation_part_that_is_given_is_cut_into_folds_like_other_rows() -> None:
    rows = frame([*different(60), "new text!", "New text"], ["a", "b"] * 31)
    rows["part"] = ["train"] * 60 + ["validation"] * 2
    found, _ = parts(rows, source(validation="b.csv"))
    assert found["unit"].tolist() == [*range(61), 60]
    assert found["part"][60:].tolist() == ["validation", "validation"]


def test_groups_of_a_given_test_part_that_were_seen_in_other_parts_are_reported() -> None:
    rows = frame(different(63), ["a", "b", "a"] * 21, group=[*("xyzuvw" * 10), "x", "new", ""])
    rows["part"] = ["train"] * 60 + ["test"] * 3
    _, told = parts(rows, source(test="b.csv", group="who"))
    assert told["groups_of_earlier_parts"] == {"test": 1}
    assert told["groups"] == 8 and told["group"] == "who"


def test_a_test_part_that_is_split_off_is_compared_with_the_groups_of_given_validation_rows() -> None:
    rows = frame(different(63), ["a", "b", "a"] * 21, group=[str(n // 3) for n in range(60)] + ["x"] * 3)
    first, _ = parts(rows[:60], source(group="who"))
    tested = first["group"][first["part"] == "test"].iloc[0]
    rows["part"] = ["train"] * 60 + ["validation"] * 3
    rows.loc[60:, "group"] = tested
    found, told = parts(rows, source(validation="b.csv", group="who"))
    seen = ((found["group"] == tested) & (found["part"] == "test")).sum()
    assert told["groups_of_earlier_parts"] == {"test": seen} and seen == 3


def test_rows_have_units_where_all_parts_are_given() -> None:
    rows = frame(different(12), ["a", "b"] * 6, group=["x", "y", "z"] * 4)
    rows["part"] = ["train"] * 6 + ["validation"] * 3 + ["test"] * 3
    found, told = parts(rows, source(validation="b.csv", test="c.csv", group="who"))
    assert found["part"].tolist() == rows["part"].tolist()
    assert found["unit"].tolist() == [0, 1, 2] * 3 + [-1] * 3
    assert told["groups_of_earlier_parts"] == {"validation": 3, "test": 3}
    assert not {"near_copies", "equal_apart"} & {*told}  # nothing was split


def test_equal_texts_that_very_many_groups_share_are_counted() -> None:
    texts = ["ok" if n % 10 == 0 and n < 150 else f"text {n}" for n in range(1000)]
    _, told = parts(
        frame(texts, ["a", "b"] * 500, group=[str(n // 10) for n in range(1000)]), source(group="who")
    )
    assert (told["equal_apart"], told["groups"]) == (15, 100)


def test_a_class_of_the_newest_rows_alone_is_told_and_one_class_to_train_on_refused() -> None:
    order = [float(n) for n in range(40)]
    columns = {"time": list(map(str, range(40))), "order": order}
    rows = frame(different(40), ["a", "b"] * 18 + ["c"] * 4, **columns)
    found, told = parts(rows, source(time="day"))
    assert found["part"].tolist() == ["train"] * 32 + ["validation"] * 4 + ["test"] * 4
    assert told["absent_classes"] == {"train": "'c'", "validation": "'c'", "test": "'a', 'b'"}
    assert told["ranges"] == {"train": ["0", "31"], "validation": ["32", "35"], "test": ["36", "39"]}
    rows = frame(different(40), ["a"] * 36 + ["b"] * 4, **columns)
    with pytest.raises(
        InputError, match="column 'day': split by it, all 32 training rows have the label 'a'"
    ):
        parts(rows, source(time="day"))


ROWS = st.lists(
    st.tuples(st.integers(0, 40), st.sampled_from(["", *"abcdefghij"]), st.integers(0, 30), st.booleans()),
    min_size=20,
    max_size=80,
)


def drawn(rows: list[tuple[int, str, int, bool]]) -> pd.DataFrame:
    return frame(
        [f"{different(41)[text]}{'!' if mark else ''}" for text, _, _, mark in rows],
        ["xyz"[(text + time) % 3] for text, _, time, _ in rows],
        group=[group for _, group, _, _ in rows],
        time=[str(time) for _, _, time, _ in rows],
        order=[float(time) for _, _, time, _ in rows],
    )


def assert_no_group_straddles(rows: pd.DataFrame) -> None:
    named = rows[rows["group"] != ""]
    assert named.astype({"part": str}).groupby("group")["part"].nunique().le(1).all()


@settings(deadline=None, max_examples=25)
@given(ROWS, st.integers(0, 9), st.integers(2, 4))
def test_no_group_straddles_parts_or_folds(
    rows: list[tuple[int, str, int, bool]], seed: int, count: int
) -> None:
    of = source(group="who")
    try:
        found, _ = parts(drawn(rows), of, seed)
        fold = folds.assign_folds(found["unit"].to_numpy(), found["label"].cat.codes.to_numpy(), count, seed)
    except InputError:
        assume(False)
    assert_no_group_straddles(found)
    assert sorted(set(fold)) == [*range(1, count + 1)]
    for number in range(1, count + 1):
        try:
            of_fold, _, _ = fold_rows(found, of, seed, fold, number)
        except InputError:
            continue
        assert_no_group_straddles(of_fold)
        assert ((of_fold["part"] == "test") == (fold == number)).all()


@settings(deadline=None, max_examples=25)
@given(ROWS, st.integers(0, 9))
def test_no_equal_text_straddles_and_none_is_marked(
    rows: list[tuple[int, str, int, bool]], seed: int
) -> None:
    try:
        found, _ = parts(drawn(rows), source(), seed)
    except InputError:
        assume(False)
    assert found.astype({"part": str}).groupby([text for text, *_ in rows])["part"].nunique().eq(1).all()
    assert not found["copied"].any()


@settings(deadline=None, max_examples=25)
@given(ROWS, st.integers(2, 4))
def test_no_test_row_is_older_than_a_training_row_in_parts_and_folds(
    rows: list[tuple[int, str, int, bool]], count: int
) -> None:
    of, table = source(time="day"), drawn(rows)
    try:
        found, _ = parts(table, of)
        fold = times.assign_blocks(table["order"].to_numpy(), count, "day")
        of_folds = [fold_rows(found, of, 1, fold, number)[0] for number in range(1, count + 1)]
    except InputError:
        assume(False)
    for one in [found, *of_folds]:
        newest = {name: one["order"][one["part"] == name].max() for name in ("train", "validation")}
        oldest = {name: one["order"][one["part"] == name].min() for name in ("validation", "test")}
        assert newest["train"] < oldest["validation"] <= newest["validation"] < oldest["test"]
        equal_to_learned = (
            one["text"].str.rstrip("!").isin(one["text"][one["part"] != "test"].str.rstrip("!"))
        )
        assert (one["copied"] == (equal_to_learned & (one["part"] == "test"))).all()
    assert [len(one) for one in of_folds] == [int((fold <= n).sum()) for n in range(1, count + 1)]
