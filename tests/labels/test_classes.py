"""Which class each row counts for, which rows are set aside, and what the user is told of it."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.corpus.sources import Example, Rejected, sort_into_classes
from pipeline.errors import InputError
from pipeline.labels.cautions import Caution, listed
from pipeline.labels.classes import Classes, check_classes
from pipeline.options import Source


def source(**options: Any) -> Source:
    return Source.model_validate({"train": "f.csv", "label": "stars", **options})


def labelled(*labels: str) -> list[Example]:
    return [Example("f.csv", line, "some text", label) for line, label in enumerate(labels, 2)]


def classes(train: str, test: str = "", validation: str = "", **options: Any) -> Classes:
    parts = {"train": train.split(), "test": test.split(), "validation": validation.split()}
    return Classes.of_labels({name: part for name, part in parts.items() if part}, source(**options))


def test_ordinary_labels_are_the_classes_and_nothing_is_said() -> None:
    found = classes("a b b a", "a b")
    assert (found.names, found.lone, found.learned, found.cautions) == ({}, set(), {"a", "b"}, [])
    rows = labelled("a", "b")
    assert sort_into_classes(rows, found, "train") == (rows, [])


# Case


def test_labels_that_differ_in_case_alone_are_named_with_the_option_that_merges_them() -> None:
    found = classes("True true True FALSE False FALSE no no")
    assert found.names == {} and found.learned == {"True", "true", "FALSE", "False", "no"} - found.lone
    assert found.cautions[0] == Caution(
        "labels that differ in case alone: 'True' (2), 'true' (1); 'FALSE' (2), 'False' (1)",
        "source.case",
        "ignore",
        "makes one class of each",
    )


def test_with_case_ignored_they_are_one_class_called_as_most_training_rows_call_it() -> None:
    found = classes("good good GOOD bad bad", "Good GOOD GOOD GOOD Bad", case="ignore")
    assert found.names == {"GOOD": "good", "Good": "good", "Bad": "bad"}
    assert found.learned == {"good", "bad"} and found.lone == set()
    assert [caution.sentence for caution in found.cautions] == [
        "labels that differ in case alone are one class: 'good' (also 'GOOD', 'Good'), 'bad' (also 'Bad')"
    ]
    kept, set_aside = sort_into_classes(labelled("Good", "Bad"), found, "test")
    assert ([row.label for row in kept], set_aside) == (["good", "bad"], [])


# Lone classes


def test_the_only_row_of_a_class_is_set_aside_and_said() -> None:
    found = classes("a a b b rare")
    assert (found.lone, found.learned) == ({"rare"}, {"a", "b"})
    assert found.cautions == [
        Caution(
            "1 class has a single row, set aside, as it cannot be both learned and tested: 'rare'",
            "source.rare",
            "keep",
            "learns it",
        )
    ]
    rows = labelled("a", "rare")
    assert sort_into_classes(rows, found, "train") == (
        rows[:1],
        [Rejected("f.csv", 3, 3, "the only row of class 'rare'")],
    )


def test_a_class_whose_single_training_row_can_be_tested_is_no_lone_one() -> None:
    assert classes("a a b b c", "a c").lone == set()
    assert classes("a a b b c", "a b").lone == {"c"}


def test_by_an_option_lone_classes_are_learned_or_an_error() -> None:
    kept = classes("a a b b c d", rare="keep")
    assert kept.lone == set() and kept.learned == {"a", "b", "c", "d"}
    assert kept.cautions[0].sentence == "2 classes have a single row, learned and never tested: 'c', 'd'"
    check_classes(labelled("a", "a", "b"), kept, source(rare="keep"))
    refused = classes("a a b b c d", rare="error")
    assert (refused.lone, refused.cautions) == (set(), [])
    with pytest.raises(InputError, match=r"f.csv, line 4: this is the only row of class 'b' where") as error:
        check_classes(labelled("a", "a", "b"), refused, source(rare="error"))
    assert error.value.option == "source.rare"
    with pytest.raises(InputError, match="line 4: .* 'b', and 2 more classes have a single row"):
        check_classes(labelled("a", "a", "b", "c", "d"), refused, source(rare="error"))


def test_a_column_in_which_most_rows_have_their_own_label_is_no_column_of_labels() -> None:
    message = (
        "f.csv: 4 of 6 rows are the only one of their class, such as 'a', 'b', 'c', 'd': check the column"
    )
    with pytest.raises(InputError, match=message) as error:
        classes("a b c d e e")
    assert error.value.option == "source.label"
    assert classes("a b c e e e").lone == {"a", "b", "c"}
    assert classes("a b c d e e", rare="keep").lone == set()


def test_a_single_class_is_refused() -> None:
    message = r"f.csv: all 3 rows have the label 'a' where .* or check the column of the label$"
    with pytest.raises(InputError, match=message):
        check_classes(labelled("a", "a", "a"), classes("a a a"), source())
    with pytest.raises(InputError, match="all 2 rows have the label 'a' but for 1 that are the only ones"):
        check_classes(labelled("a", "a"), classes("a a b"), source())


# Several labels in one cell


def test_cells_that_look_like_several_labels_are_said() -> None:
    (caution,) = classes("a;b a;b a a b b").cautions
    assert caution.sentence == (
        "2 of 6 labels look like several in one cell, such as 'a;b': one label a row is learned, so each "
        "combination is a class of its own"
    )


# Labels that training lacks


def test_test_labels_that_training_lacks_are_counted_and_a_near_one_is_pointed_out() -> None:
    found = classes("good good bad bad", "good Good excellent excellent bad")
    assert found.learned == {"good", "bad"} and found.lone == set()
    assert found.cautions[-1].sentence == (
        "3 of 5 test rows have a label that no training row has, wrong for every classifier: "
        "'Good' (1; near 'good'), 'excellent' (2)"
    )
    rows = labelled("good", "excellent")
    assert sort_into_classes(rows, found, "test") == (rows, [])


def test_validation_rows_of_such_labels_are_set_aside() -> None:
    found = classes("a a b b", validation="a c")
    assert found.cautions[-1].sentence == (
        "1 of 2 validation rows has a label that no training row has, set aside: 'c' (1)"
    )
    kept, (rejected,) = sort_into_classes(labelled("a", "c"), found, "validation")
    assert [row.label for row in kept] == ["a"]
    assert rejected.reason == "no training row has the label 'c', and nothing can be chosen by it"
    assert not rejected.has_no_text


@pytest.mark.parametrize(("labels", "option"), [("pos neg", "source.label"), ("A B", "source.case")])
def test_a_test_file_of_nothing_but_other_labels_is_refused(labels: str, option: str) -> None:
    with pytest.raises(
        InputError, match="no test row has a label of the training rows: '.*' where 'a', 'b' were"
    ) as error:
        classes("a a b b", labels)
    assert error.value.option == option


def test_of_many_unknown_labels_those_near_a_known_one_come_first() -> None:
    others = " ".join(f"odd{n} odd{n}" for n in range(8))
    found = classes("good good bad bad", f"good {others} Bad")
    assert found.cautions[-1].sentence.endswith(
        ": 'Bad' (1; near 'bad'), 'odd0' (2), 'odd1' (2), 'odd2' (2), and 5 more"
    )


def test_a_long_list_of_long_labels_is_shortened() -> None:
    assert listed(["a", "b" * 40, "c", "d", "e", "f"]) == f"'a', '{'b' * 29}…', 'c', 'd', and 2 more"
