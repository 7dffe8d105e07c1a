"""What a run remembers of its rows, so that a later one is not tested on what was learned."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pipeline.corpus.equality import NORMAL_FORM, digests
from pipeline.errors import InputError
from pipeline.release.row_keys import check_form, check_groups, group_keys, learned_keys, row_keys

ROWS = pd.DataFrame(
    {
        "text": ["One.", "two", "three", "four"],
        "part": ["train", "train", "validation", "test"],
        "group": ["@ann", "", "@bob", "@ann"],
    }
)


def test_the_keys_of_each_part_are_digests_of_its_texts() -> None:
    keys = row_keys(ROWS.drop(columns="group"))
    assert {*keys} == {"train", "validation", "test", "normal_form"}
    assert keys["train"].tolist() == digests(["one", "TWO"]).tolist()
    assert learned_keys(keys).tolist() == digests(["one", "two", "three"]).tolist()


def test_groups_that_were_learned_are_known_by_their_exact_names() -> None:
    learned = learned_keys(row_keys(ROWS))
    new = pd.DataFrame({"text": ["five", "two", "six", "@ann"], "group": ["@bob", "", "@Bob", ""]})
    assert np.isin(group_keys(new), learned).tolist() == [True, True, False, False]


def test_keys_of_an_earlier_normal_form_are_refused_with_what_to_do() -> None:
    keys = row_keys(ROWS)
    check_form(keys, "the champion's", "train it again")
    earlier = {name: values for name, values in keys.items() if name != "normal_form"}
    for noted in (earlier, keys | {"normal_form": np.array(NORMAL_FORM + 1)}):
        with pytest.raises(InputError, match=r"^the champion's rows were noted by .*: train it again$"):
            check_form(noted, "the champion's", "train it again")


def test_a_champion_is_compared_only_if_both_were_split_by_group_or_neither() -> None:
    grouped, plain = row_keys(ROWS), row_keys(ROWS.drop(columns="group"))
    check_groups(grouped, True)
    check_groups(plain, False)
    with pytest.raises(InputError, match="^this run was split by group and the champion was not"):
        check_groups(plain, True)
    with pytest.raises(InputError, match="^the champion was split by group and this run was not"):
        check_groups(grouped, False)


def test_images_have_keys_without_a_normal_form() -> None:
    rows = pd.DataFrame({"content": ["aa", "bb", "cc"], "part": ["train", "validation", "test"]})
    assert {*row_keys(rows)} == {"train", "validation", "test"}
