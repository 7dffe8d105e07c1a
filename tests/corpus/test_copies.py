"""What a split keeps together: equal texts, groups, and near copies if they are many."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.corpus.copies import LARGEST_OF_SMALL, LARGEST_UNIT, Copies, NearCounts

ALPHABET = "abcdefghijklmnopqrstuvwxyz"
TEMPLATES = [f"dear {name} your order from {name}shop was sent" for name in ALPHABET]  # 8 words


def variants(templates: int, each: int) -> list[str]:
    return [f"{TEMPLATES[n % templates]} {n}" for n in range(templates * each)]


def different(rows: int) -> list[str]:
    return [f"{a}{b} {b}{a} {a}{a}{b} {b}" for a in ALPHABET for b in ALPHABET][:rows]


def units(texts: Sequence[str], groups: Sequence[str] | None = None) -> tuple[list[int], NearCounts]:
    copies = Copies(pd.DataFrame({"text": list(texts)}))
    found, counts = copies.units(
        np.ones(len(texts), bool), None if groups is None else np.array(groups, object)
    )
    assert counts is not None
    return found.tolist(), counts


def test_equal_texts_share_a_unit_counted_as_they_appear() -> None:
    assert units(["b x", "a x", "B X!", "c x"])[0] == [0, 1, 0, 2]


def test_variants_of_a_template_share_a_unit_where_they_are_many() -> None:
    found, counts = units(variants(20, 5))
    assert found == [*range(20)] * 5
    assert counts == NearCounts(of_rows=100, rows=100, groups=20, largest=5, kept_together=100)


def test_a_few_near_copies_are_left_to_chance() -> None:
    texts = variants(1, 5) + different(95)
    assert units(texts) == ([*range(100)], NearCounts(100, 5, 1, 5, 0))
    found, counts = units(texts[:-1])  # 5 of 99 rows are more than a twentieth
    assert (found[:6], counts.kept_together) == ([0] * 5 + [1], 5)


def test_a_group_of_near_copies_that_would_fill_a_part_is_left_to_chance() -> None:
    texts = variants(1, 11) + [
        text for n in range(10) for text in (TEMPLATES[n + 1], f"{TEMPLATES[n + 1]} 1")
    ]
    texts += different(69)
    found, counts = units(texts)
    assert found[:11] == [*range(11)]
    assert found[11:31] == [unit for n in range(11, 21) for unit in (n, n)]
    assert counts == NearCounts(100, 31, 11, 11, 20)


def test_rows_of_a_group_share_a_unit_and_each_without_has_its_own() -> None:
    assert units(different(6), ["x", "", "y", "x", "", "y"])[0] == [0, 1, 2, 0, 3, 2]


def test_groups_with_a_text_in_common_share_a_unit_unless_it_is_too_large() -> None:
    texts = different(60)
    groups = [f"group {n // 3}" for n in range(60)]  # of three rows
    texts[3] = texts[0]
    assert units(texts, groups)[0] == [n // 3 if n < 3 else n // 3 - 1 for n in range(60)]
    common = ["yes" if n % 3 == 0 else text for n, text in enumerate(texts)]
    assert units(common, groups)[0] == [n // 3 for n in range(60)]


def test_a_text_that_very_many_groups_share_takes_no_other_groups_apart() -> None:
    texts = [f"text {n}" for n in range(1000)]
    groups = [f"customer {n // 10}" for n in range(1000)]
    for customer in range(15):
        texts[10 * customer] = "ok"
    for customer in range(0, 14, 2):  # 20 rows of two customers
        texts[10 * customer + 1] = texts[10 * customer + 11] = f"from customer {customer} and the next"
    unit = np.array(units(texts, groups)[0])
    customers = [*np.repeat(range(7), 2), 7, *range(8, 93)]
    assert unit.tolist() == np.repeat(customers, 10).tolist()
    copies = Copies(pd.DataFrame({"text": texts}))
    assert copies.apart(unit) == 15
    assert copies.apart(np.where(np.arange(1000) < 11, -1, unit)) == 13  # not with those of other parts


def test_two_groups_with_a_text_in_common_share_a_unit_in_a_tiny_corpus() -> None:
    texts = different(12)
    groups = [str(n // 2) for n in range(12)]
    texts[2] = texts[0]
    assert units(texts, groups)[0] == [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    every = [text if n % 2 else "ok" for n, text in enumerate(texts)]
    assert units(every, groups)[0] == [n // 2 for n in range(12)]  # not all of them in one


def test_only_selected_rows_have_units() -> None:
    copies = Copies(pd.DataFrame({"text": ["b x", "a x", "b x", "c x"]}))
    assert copies.units(np.array([False, True, True, True]))[0].tolist() == [-1, 0, 1, 2]


def test_images_have_equal_copies_alone() -> None:
    copies = Copies(pd.DataFrame({"content": ["p", "q", "p"], "file": "a.npz", "line": [1, 2, 3]}))
    found, counts = copies.units(np.ones(3, bool))
    assert (found.tolist(), counts) == ([0, 1, 0], None)
    assert copies.beside_learned(np.array([True, False, False])).tolist() == [False, False, True]


def test_rows_beside_learned_have_an_equal_or_a_near_copy_in_it() -> None:
    texts = [TEMPLATES[0], TEMPLATES[0] + "!", TEMPLATES[0] + " 7", TEMPLATES[1], "something else"]
    copies = Copies(pd.DataFrame({"text": texts}))
    training = np.array([True, False, False, False, False])
    assert copies.beside_learned(training).tolist() == [False, True, True, False, False]
    # By number, which the first two share; 6 of 7 shingles.
    assert copies.near_training(training) == {1: (0, 6 / 7)}


@settings(deadline=None, max_examples=60)
@given(
    st.lists(
        st.tuples(st.integers(0, 12), st.integers(0, 60), st.sampled_from(["", *"abcdefgh"])), max_size=80
    ),
    st.booleans(),
)
def test_units_hold_groups_and_equal_texts_together(
    rows: list[tuple[int, int, str]], has_groups: bool
) -> None:
    texts = [f"{TEMPLATES[template]} {n}" if n % 2 else f"text {n} {template}" for template, n, _ in rows]
    groups = [group for _, _, group in rows]
    unit = np.array(units(texts, groups if has_groups else None)[0], np.int64)
    number = Copies(pd.DataFrame({"text": texts})).number
    sizes = np.bincount(unit) if len(unit) else np.zeros(0)
    named = np.array([ord(group) if group else -n for n, group in enumerate(groups)])
    first = named if has_groups else number
    assert all(len(set(unit[first == name])) == 1 for name in first)
    for one in np.unique(unit):
        parts = len(set(first[unit == one]))
        small = min(LARGEST_OF_SMALL, len(rows) / 2) if has_groups else 0
        assert parts == 1 or sizes[one] <= max(LARGEST_UNIT * len(rows), small)
