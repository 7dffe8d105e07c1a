"""Words by which near copies are told: the compiled search against a regular expression."""

from __future__ import annotations

import re

import numpy as np
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.text.plain_words import NUMBER, FoundWords, WordFinder

IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"\d+(?:\s\d+)*|[{IDEOGRAPHS}]|[^\s\d$+<=>^`|~{IDEOGRAPHS}]+")
TEXTS = st.lists(st.text() | st.text("ab1 2\u0663$<|日本ひ ß\u3000\ud800"))


@given(TEXTS)
@example(["1 2  3", "a1b2 c", "7 ", " 1 日本 2 a$b"])
def test_words_are_those_of_the_expression_and_equal_where_they_are_spelled_alike(texts: list[str]) -> None:
    found = WordFinder().find(texts)
    words = [WORD.findall(text) for text in texts]
    assert found.lengths.tolist() == [len(of_text) for of_text in words]
    spelled = ["a number" if word[0].isdecimal() else word for of_text in words for word in of_text]
    hashes = found.hashes.tolist()
    assert len({*zip(spelled, hashes, strict=True)}) == len({*spelled}) == len({*hashes})
    assert [code == NUMBER for code in hashes] == [word == "a number" for word in spelled]
    halves = [
        sum(0 if word[0].isdecimal() else 1 if re.match(f"[{IDEOGRAPHS}]", word) else 2 for word in of_text)
        for of_text in words
    ]
    assert found.halves.tolist() == halves


@given(TEXTS, TEXTS)
def test_pieces_are_joined(first: list[str], second: list[str]) -> None:
    finder = WordFinder()
    joined = FoundWords.joined([finder.find(first), finder.find(second)])
    for found, expected in zip(joined, finder.find([*first, *second]), strict=True):
        np.testing.assert_array_equal(found, expected)
    assert len(FoundWords.joined([]).hashes) == 0
