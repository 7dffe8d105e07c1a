from __future__ import annotations

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.corpus.equality import (
    NORMAL_FORM,
    contents,
    digest_of_all,
    digests,
    exact_digests,
    normalized,
)


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
        ("\u201cNo\u201d \u2014 he said\u2026", '"No" - he said...'),  # as typeset
        ("Don't!", "dont"),
        ("Tom &amp; Jerry&#39;s", "tom & jerry's"),
        ("&lt;3 you", "<3 you"),
        ("see http://a.org/x?y=1&z today", "See www.b.com/ today!"),
        ("@Ann: thanks", "@bob_2 - thanks"),
        ("well-known (state_of_the_art)", "well known state of the art"),
        (
            "\u9152\u5e97\u5f88\u597d\u3002\u4e0b\u6b21\u518d\u6765\uff01",
            "\u9152\u5e97\u5f88\u597d,\u4e0b\u6b21\u518d\u6765",
        ),  # a review in Chinese
    ],
)
def test_texts_are_equal_whatever_their_case_width_spaces_and_punctuation(first: str, second: str) -> None:
    assert normalized(first) == normalized(second)


@pytest.mark.parametrize(
    "texts",
    [
        ["resume", "r\u00e9sum\u00e9", "resumes"],
        [":)", ":(", "!!!", "!", "?", "..."],
        ["http://a.org", "http://b.org", "@ann", "@bob", "<link>"],
        ["C++", "C#", "C+"],  # symbols stay
        ["5 $", "5 \u20ac", "5"],
        ["good \U0001f600", "good \U0001f622", "good"],
        ["\u0915\u093f", "\u0915\u0940", "\u0915"],  # Devanagari: vowel signs are marks
        ["\u0643\u062a\u0628", "\u0643\u0627\u062a\u0628"],  # Arabic
        ["mail ann@a.org", "mail ann", "mail @ann"],
        ["1.5 %", "15 %"],
    ],
)
def test_what_is_more_than_punctuation_makes_a_difference(texts: list[str]) -> None:
    assert len({normalized(text) for text in texts}) == len(texts)


@given(st.text())
def test_typographic_punctuation_is_as_good_as_that_of_ascii(text: str) -> None:
    """The two go different ways, as ASCII has a fast one."""
    assert normalized(f"x {text} \u2014\u201cy\u2019s\u201d") == normalized(f'x {text} -"y\'s"')


def test_the_normal_form_has_a_number_that_goes_with_its_digests() -> None:
    """Runs keep digests: another form without another number would compare what cannot be compared."""
    texts = ["Stra\u00dfe", "It's \u2014 &amp; 5 $", "@ann http://a.org ok", ":)"]
    assert (NORMAL_FORM, digests(texts).tolist()) == (
        2,
        [16447288994920511018, 3903729585198527229, 17823383447383356092, 9333444524833903563],
    )


def test_exact_digests_are_of_every_character() -> None:
    assert len({*exact_digests(["A-1", "a 1", "a-1", "A-1 "]).tolist()}) == 4


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
