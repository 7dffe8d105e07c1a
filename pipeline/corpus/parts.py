"""The part of each row of a corpus, and of a fold of it, and what the data report says of that."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..options import Source, Split
from . import folds
from .copies import Copies, NearCounts
from .sources import check_learned_classes
from .split import PARTS, TEST, TRAIN, split
from .times import ranges, split_by_time

CLASSES_SHOWN = 3
Parts = NDArray[np.int8]  # codes of PARTS, [rows]


def split_rows(
    rows: pd.DataFrame, copies: Copies, source: Source, shares: Split, seed: int
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the rows of a corpus with their parts, and what the data report says of the split.

    `rows` have the columns label (categorical) and part, which of rows to be split is "train"; `copies` are
    those among them. The official parts stay; others are split off by group, by time or by chance. Where it
    is not by time, the column `unit` has what stays together (see `Copies.units`), in folds and in subsets,
    too; near copies do not where too few units would be left. `copied` is true of rows outside the training
    part that have an equal text, or a near copy, in it. By group, equal texts that very many groups share may
    be in different parts: the report counts their rows.

    Raises InputError where the rows are too few, and where a split by a column leaves one class to train on.
    """
    part = rows["part"].map(PARTS.index).to_numpy(np.int8)
    wanted = {name: 0.0 if name in source.official else getattr(shares, name) for name in PARTS[1:]}
    learned, told = part == TRAIN, dict[str, Any]()
    if source.time:
        order = rows["order"].to_numpy(np.float64)
        part[learned] = split_by_time(order[learned], **wanted, column=source.time)
    else:
        # Of a validation part that is given, too: folds are cut from all rows but those of a given test part.
        groups = rows["group"].to_numpy(object) if source.group else None
        labels = rows["label"].cat.codes.to_numpy()
        units, near = units_to_split(copies, part != TEST, learned, labels, groups)
        rows = rows.assign(unit=units)
        if any(wanted.values()):
            part[learned] = split(units[learned], labels[learned], seed, **wanted, what=unit_name(source))
            told |= {"near_copies": near.to_json()} if near else {}
            told |= {"equal_apart": copies.apart(units)} if source.group else {}
    return _with_parts(rows, part, copies), told | _told_of_column(rows, part, source)


def units_to_split(
    copies: Copies,
    selected: NDArray[np.bool_],
    learned: NDArray[np.bool_],
    labels: NDArray[np.integer],
    groups: NDArray[np.object_] | None = None,
) -> tuple[NDArray[np.int64], NearCounts | None]:
    """Return the units of the `selected` rows: enough of them for three parts of the `learned` rows.

    All are [rows]; see `Copies.units`. Where near copies in one unit would leave too few units, they are in
    different ones.
    """
    units, near = copies.units(selected, groups)
    if not _can_be_split(units[learned], labels[learned]):
        units, near = copies.units(selected, groups, near_together=False)
    return units, near


def _can_be_split(units: NDArray[np.int64], labels: NDArray[np.integer]) -> bool:
    """Return whether a class has three units, one for each part, as `split` needs it."""
    pairs = np.unique(np.stack([labels.astype(np.int64), units]), axis=1)
    return bool(np.bincount(pairs[0], minlength=1).max() >= len(PARTS))


def fold_rows(
    rows: pd.DataFrame, source: Source, seed: int, fold: NDArray[np.int32], number: int
) -> tuple[pd.DataFrame, Copies, dict[str, Any]]:
    """Return the rows of a fold with their parts, their copies, and what the data report says of the split.

    `rows` are those of the whole corpus as `split_rows` returned them; `fold` int32 [rows] is the fold that
    tests each. A tenth of the others validates. In time order, rows after the tested ones are left out.
    """
    if source.time:
        kept = fold <= number
        rows, fold = rows[kept].reset_index(drop=True), fold[kept]
        part = folds.parts_by_time(rows["order"].to_numpy(np.float64), fold == number, source.time)
    else:
        labels = rows["label"].cat.codes.to_numpy()
        part = folds.parts(rows["unit"].to_numpy(np.int64), labels, fold == number, seed, unit_name(source))
    copies = Copies(rows, source.memory)
    return _with_parts(rows, part, copies), copies, _told_of_column(rows, part, source)


def unit_name(source: Source) -> str:
    """Return what the units of a split are called in an error."""
    return "groups" if source.group else "different texts"


def _with_parts(rows: pd.DataFrame, part: Parts, copies: Copies) -> pd.DataFrame:
    return rows.assign(
        part=pd.Categorical(np.array(PARTS, object)[part], list(PARTS)),
        copied=copies.beside_learned(part != TEST),  # once chosen, models are fitted to validation rows too
    )


def _told_of_column(rows: pd.DataFrame, part: Parts, source: Source) -> dict[str, Any]:
    """Return what there is to tell of a split by a column, and check that it leaves classes to train on."""
    if not (source.group or source.time):
        return {}
    names = np.array(PARTS, object)[part]
    check_learned_classes(rows["label"][part == TRAIN].tolist(), str(source.group or source.time))
    told: dict[str, Any] = {"absent_classes": _absent_classes(rows["label"], part)}
    if source.time:
        times = rows["time"].to_numpy(object), rows["order"].to_numpy(np.float64)
        official = np.isin(names, [*source.official])
        return told | {"time": source.time, "ranges": ranges(np.where(official, "", names), *times)}
    group = rows["group"].to_numpy(object)
    # What is split off one file shares no group; a part that is given may have one of another part.
    earlier = {name: part < code for code, name in enumerate(PARTS[1:], TRAIN + 1)}
    known = {name: np.isin(group, group[rows & (group != "")]) for name, rows in earlier.items()}
    seen = {name: int((known[name] & (names == name)).sum()) for name in earlier}
    return told | {
        "group": source.group,
        "given": sorted(source.official),
        "groups": len({*group.tolist()} - {""}) + int((group == "").sum()),
        "groups_of_earlier_parts": {name: count for name, count in seen.items() if count},
    }


def _absent_classes(labels: pd.Series[Any], part: Parts) -> dict[str, str]:
    """Return the classes that are in no row of a part, for people, by the part."""
    absent = {}
    for code, name in enumerate(PARTS):
        present = set(labels[part == code])
        missing = [str(label) for label in labels.cat.categories if label not in present]
        if missing and len(missing) < len(labels.cat.categories):
            more = f" and {len(missing) - CLASSES_SHOWN:,} more" if len(missing) > CLASSES_SHOWN else ""
            absent[name] = ", ".join(f"'{label[:40]}'" for label in missing[:CLASSES_SHOWN]) + more
    return absent
