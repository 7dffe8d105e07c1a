from __future__ import annotations

import pandas as pd
import pytest

from pipeline.corpus.equality import contents, digest_of_all, digests, group_numbers, normalized


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("Straße", "STRASSE"),
        ("two  words\n", " two words"),
        ("\uff21\uff22\uff23 \ufb01ne", "abc fine"),  # full width, ligature
        ("\u0390", "\u03aa\u0301"),  # iota with dialytika and tonos, composed and in capitals
        ("co\u00adoper\u00adate", "Cooperate"),  # soft hyphens
        ("e\u00ad\u0301", "\u00e9"),  # one between a letter and its accent
        ("\ufeffdon\u2019t\u200e", "don't"),  # a byte order mark, an apostrophe as typeset, a direction
        ("zero\u200bwidth \u2060 joined", "zerowidth joined"),
    ],
)
def test_texts_are_equal_whatever_their_case_width_and_spaces(first: str, second: str) -> None:
    assert normalized(first) == normalized(second)


def test_punctuation_and_accents_make_a_difference() -> None:
    assert group_numbers(["resume", "résumé", "resume.", "Resume"]).tolist() == [0, 1, 2, 0]


def test_digests_are_those_of_equal_texts_and_the_same_in_every_process() -> None:
    first, second, third = digests(["Straße", "STRASSE ", "street"]).tolist()
    assert first == second == 16447288994920511018
    assert third != first
    assert len(digests([])) == 0
    assert len(digests(["\ud800"])) == 1  # half of a pair of surrogates, as a damaged file may hold


def test_rows_are_compared_by_their_text_and_images_by_their_content() -> None:
    rows = pd.DataFrame({"text": ["a"]})
    assert contents(rows).tolist() == ["a"]
    assert contents(rows.assign(content=["digest"])).tolist() == ["digest"]


def test_the_digest_of_all_rows_is_that_of_any_order_of_them_and_of_no_others() -> None:
    keys = digests(["one", "two", "three"])
    assert digest_of_all(keys[::-1]) == digest_of_all(keys)
    assert digest_of_all(keys[:2]) != digest_of_all(keys)
