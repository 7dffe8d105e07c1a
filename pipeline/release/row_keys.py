"""The keys of a run's rows, by which a later run knows what was learned: digests of texts, and of groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..corpus.equality import NORMAL_FORM, contents, digests, exact_digests
from ..corpus.split import PARTS
from ..errors import InputError

Keys = NDArray[np.uint64]
_GROUP = "group\0"  # no text begins so: a group's digest is that of no text


def row_keys(rows: pd.DataFrame) -> dict[str, NDArray[Any]]:
    """Return the arrays of row_keys.npz: the digests of each part's rows, and those of its groups, if any.

    With the normal form that the digests of texts are of; those of images have none.
    """
    arrays: dict[str, NDArray[Any]] = {}
    for name in PARTS:
        part = rows[rows["part"] == name]
        arrays[name] = digests(contents(part))
        if "group" in rows:
            arrays[f"{name}_groups"] = np.unique(group_keys(part))
    return arrays if "content" in rows else arrays | {"normal_form": np.array(NORMAL_FORM)}


def group_keys(rows: pd.DataFrame) -> Keys:
    """Return the digest of each row's group, uint64 [rows]; of a row without one, that of its text."""
    keys, named = digests(contents(rows)), (rows["group"] != "").to_numpy(bool)
    keys[named] = exact_digests(_GROUP + rows["group"][named])
    return keys


def check_form(keys: Mapping[str, NDArray[Any]], whose: str, remedy: str) -> None:
    """Raise InputError for digests of an earlier normal form, with what to do: nothing compares with them."""
    if "normal_form" not in keys or keys["normal_form"] != NORMAL_FORM:
        raise InputError(
            f"{whose} rows were noted by an earlier version, with another rule for equal texts: {remedy}"
        )


def check_groups(champion: Mapping[str, NDArray[Any]], is_by_group: bool) -> None:
    """Raise InputError where only one of the champion and this run was split by group.

    `is_by_group` is true if this run was. Without groups noted on both sides, nobody knows which test rows
    are of a group that the other was trained on.
    """
    if (f"{PARTS[0]}_groups" in champion) != is_by_group:
        one, other = ("this run", "the champion") if is_by_group else ("the champion", "this run")
        raise InputError(
            f"{one} was split by group and {other} was not, and may know groups of the test rows: "
            "train both by the same column of groups"
        )


def learned_keys(keys: Mapping[str, NDArray[Any]]) -> Keys:
    """Return the digests of all texts and groups that were trained on or chosen by."""
    names = [f"{part}{kind}" for part in PARTS[:2] for kind in ("", "_groups")]
    return np.concatenate([keys[name] for name in names if name in keys])
