"""Labels as people read them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labels.spelling import clean_label, near_name, several_labels, spellings


@pytest.mark.parametrize(("label", "seen"), [
    ("spam", "spam"),
    (" spam\t", "spam"),
    ("not\xa0spam", "not spam"),
    ("not \u3000 spam", "not spam"),
    ("\ufeffspam", "spam"),
    ("sp\u200bam", "spam"),
    ("spam\u200d", "spam"),
    ("sp\u00adam\u2060", "spam"),
    ("\u202aspam\u202c", "spam"),
    ("sp\x00a\x7fm", "spam"),
    ("cafe\u0301", "caf\u00e9"),
    ("\u200b\ufeff ", ""),
    ("Spam", "Spam"),
    ("C++", "C++"),
])  # fmt: skip
def test_what_cannot_be_seen_is_no_part_of_a_label(label: str, seen: str) -> None:
    assert clean_label(label) == seen


@pytest.mark.parametrize(
    "label",
    [
        "\U0001f468\u200d\U0001f469\u200d\U0001f467",  # a family
        "\u2764\ufe0f",  # a heart as emoji
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",  # Persian, with a joint that is seen
        "\U0001f3f4\U000e0067\U000e0062\U000e007f",  # a flag, whose tags say which
    ],
)
def test_what_shapes_the_characters_around_it_stays(label: str) -> None:
    assert clean_label(label) == label


@given(st.text())
def test_a_clean_label_is_clean(label: str) -> None:
    clean = clean_label(label)
    assert clean_label(clean) == clean == clean.strip()
    assert not any(unicodedata.category(char) == "Cc" for char in clean)


def test_spellings_are_grouped_by_case_the_most_frequent_first() -> None:
    counts = {"False": 2, "true": 1, "TRUE": 3, "True": 3, "FALSE": 4, "maybe": 9}
    assert spellings(counts) == [["FALSE", "False"], ["TRUE", "True", "true"]]
    assert spellings({"a": 1, "b": 1}) == []


@pytest.mark.parametrize(("labels", "found"), [
    ("politics;sport politics sport", (";", 1, "politics;sport")),
    ("a|b b|c a|c", ("|", 3, "a|b")),
    ("['a','b'] ['a'] ['b']", (",", 1, "['a','b']")),
    ("1;2 2;3 1;3", (";", 3, "1;2")),
    ("Paris,France Lyon,France Berlin,Germany", None),
    ("world/africa world/asia sport/football", None),
    ("1,0 1,5 2,0 2,5", None),
    ("A A+ B B+", None),
    ("good bad", None),
])  # fmt: skip
def test_cells_of_several_labels_are_told_by_parts_that_come_again(
    labels: str, found: tuple[str, int, str] | None
) -> None:
    assert several_labels(dict.fromkeys(labels.split(), 1)) == found


def test_the_rows_of_such_cells_are_counted_and_the_most_frequent_is_the_example() -> None:
    counts = {"a;b": 3, "b;c": 5, "a": 2, "c": 1}
    assert several_labels(counts) == (";", 8, "b;c")


@pytest.mark.parametrize(("label", "near"), [
    ("Good", "good"),
    ("goood", "good"),
    ("excellent", ""),
    ("Class 2", ""),
    ("class  1", "class 1"),
])  # fmt: skip
def test_a_near_name_is_what_was_probably_meant(label: str, near: str) -> None:
    assert near_name(label, ["good", "bad", "class 1"]) == near
