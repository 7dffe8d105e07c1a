"""The table finds what the search for similar words finds."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import UNKNOWN
from pipeline.plain.prefix_table import PrefixTable
from pipeline.text.similar_words import SimilarWords

WORDS = st.text("abé", min_size=1, max_size=14)


def look_up(table: PrefixTable, word: str) -> int:
    """Return the id as the graph finds it."""
    if len(word) >= len(table.shortest):
        return UNKNOWN
    starts = dict(zip(table.prefixes, table.starts, strict=True))
    for cut in range(len(word) - int(table.shortest[len(word)]) + 1):
        if (prefix := word[: len(word) - cut]) in starts:
            return int(table.similar[starts[prefix] + cut])
    return UNKNOWN


@given(st.lists(WORDS, unique=True, max_size=30), st.lists(WORDS, max_size=30))
def test_any_word_has_the_id_that_the_search_gives_it(words: list[str], others: list[str]) -> None:
    table, search = PrefixTable.of(words), SimilarWords(words)
    for word in {*others, *(word + "a" for word in words)} - {*words}:
        found = search.find(word)
        assert look_up(table, word) == (UNKNOWN if found is None else found + UNKNOWN + 1)


def test_of_words_with_one_prefix_the_nearest_in_length_is_taken_and_then_the_most_frequent() -> None:
    """Ids are from 2 on. Of remaining, nine characters, remain's six are less than 0.7."""
    table = PrefixTable.of(["remakes", "remake", "remain"])
    assert [look_up(table, word) for word in ("remaker", "remaked", "remains", "remaining")] == [2, 2, 4, 1]


def test_a_vocabulary_of_short_words_has_no_prefix() -> None:
    table = PrefixTable.of(["a", "the"])
    assert (table.prefixes, table.most_cut) == ([], 0)
