"""The data report: what a corpus holds, and what in it would flatter or spoil a measurement."""

from __future__ import annotations

import re
import unicodedata
from array import array
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from tqdm import tqdm

from pipeline.split import PARTS, folded, numbered

EXAMPLES = 20
EXAMPLE_CHARACTERS = 1000
PERCENTILES = {"min": 0, "5 %": 5, "median": 50, "95 %": 95, "99 %": 99, "max": 100}
CLASSES_SHOWN = 4

SHINGLE = 3  # words
CANDIDATES = 100
_IDEOGRAPHS = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"  # each a word: they are written without spaces
_WORD = re.compile(rf"[{_IDEOGRAPHS}]|[^\W_{_IDEOGRAPHS}]+")


def data_report(rows: pd.DataFrame, set_aside: int = 0, empty_texts: int = 0) -> dict[str, Any]:
    """The report on `rows` (one or more) with columns text, label (name) and part (of PARTS), fit for JSON.

    Texts are equal as in `pipeline.split.folded`, near as in `near_copies`. A row that equals a training
    row is not counted as near as well. Classes stand in the order of a categorical, else of their names.
    `set_aside` counts the rows that were left out of the corpus, `empty_texts` those without text.
    """
    rows = rows[["text", "label", "part"]].reset_index(drop=True).astype({"text": object, "part": object})
    rows["number"] = numbered(rows["text"])
    return {
        "rows": {"all": len(rows), **_per_part(rows["part"])},
        "set_aside": set_aside,
        "empty_texts": empty_texts,
        "classes": {
            str(label): {"all": len(part), **_per_part(part)}
            for label, part in rows.groupby("label", observed=True)["part"]
        },
        "words": _percentiles(len(text.split()) for text in rows["text"]),
        "characters": _percentiles(len(text) for text in rows["text"]),
        "duplicate_rows": int(rows["number"].duplicated().sum()),
        "conflicting_labels": _conflicts(rows),
        "equal_across_split": _equal(rows),
        "near_across_split": _near(rows),
    }


def _per_part(part: pd.Series[Any]) -> dict[str, int]:
    return {name: int((part == name).sum()) for name in PARTS}


def _percentiles(lengths: Iterable[int]) -> dict[str, int]:
    """Nearest-rank percentiles: lengths that occur."""
    values = np.percentile(np.fromiter(lengths, np.int64), list(PERCENTILES.values()), method="inverted_cdf")
    return dict(zip(PERCENTILES, values.astype(int).tolist(), strict=True))


def _conflicts(rows: pd.DataFrame) -> dict[str, Any]:
    """Texts with several labels."""
    rows = _of_several(rows, "label")
    examples = [{"text": text, "labels": _tally(same["label"])} for text, same in _first_texts(rows)]
    return {"texts": int(rows["number"].nunique()), "examples": examples}


def _equal(rows: pd.DataFrame) -> dict[str, Any]:
    """Texts in several parts; the validation and test rows whose text a training row has."""
    leaked = _per_part(rows["part"][rows["number"].isin(rows["number"][rows["part"] == "train"])])
    rows = _of_several(rows, "part")
    return {
        "texts": int(rows["number"].nunique()),
        "validation": leaked["validation"],
        "test": leaked["test"],
        "examples": [
            {"text": text, "parts": _tally(same["part"]), "labels": _tally(same["label"])}
            for text, same in _first_texts(rows)
        ],
    }


def _near(rows: pd.DataFrame) -> dict[str, Any]:
    """The validation and test rows that are near, but not equal, to a training row."""
    texts = rows.sort_values("part", key=lambda part: part != "train", kind="stable")
    texts = texts.drop_duplicates("number").set_index("number").sort_index()  # the training row if there is
    found = near_copies(texts["text"].tolist(), (texts["part"] == "train").to_numpy())
    part = _per_part(rows["part"][rows["number"].isin(list(found))])
    return {
        "validation": part["validation"],
        "test": part["test"],
        "examples": [
            {
                "part": texts["part"][row],
                "text": _cut(texts["text"][row]),
                "label": str(texts["label"][row]),
                "training_text": _cut(texts["text"][copy]),
                "training_label": str(texts["label"][copy]),
                "similarity": round(similarity, 3),
            }
            for row, (copy, similarity) in list(found.items())[:EXAMPLES]
        ],
    }


def _of_several(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows of texts that have several values in the column."""
    pairs = rows.drop_duplicates(["number", column])
    return rows[rows["number"].isin(pairs["number"][pairs["number"].duplicated()])]


def _first_texts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """The first EXAMPLES texts, each with its rows."""
    rows = rows[rows["number"].isin(rows["number"].unique()[:EXAMPLES])]
    return ((_cut(same["text"].iloc[0]), same) for _, same in rows.groupby("number"))


def _tally(names: pd.Series[Any]) -> dict[str, int]:
    return {str(name): int(n) for name, n in names.astype(str).value_counts(sort=False).items()}


def _cut(text: str) -> str:
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"


def near_copies(texts: Sequence[str], training: NDArray[np.bool_]) -> dict[int, tuple[int, float]]:
    """Row outside training -> the training row most like it and their resemblance, where that is 0.8 or more.

    Resemblance is Jaccard's index of the sets of shingles, three successive words each, case and punctuation
    aside (Broder 1997, On the resemblance and containment of documents). A shorter text is one shingle.

    Two sets that resemble by 0.8 share one of their rarest fifth (Chaudhuri, Ganti and Kaushik 2006, A
    primitive operator for similarity joins), so only texts that do are compared, and exactly. A row is
    compared with CANDIDATES that share its rarest: only among more variants of one text can a copy be missed.
    """
    text, shingle = _shingles(texts, training)
    size = np.bincount(text, minlength=len(texts))
    start = np.concatenate([[0], np.cumsum(size)])
    sets = np.split(shingle, start[1:-1])
    rare = np.flatnonzero(np.arange(len(text)) - start[text] <= size[text] // 5)

    # The index: training texts by rare shingle, then size, so that a range of it holds the right sizes only.
    sizes = int(size.max(initial=0)) + 1
    key = shingle[rare] * sizes + size[text[rare]]
    inside = training[text[rare]]
    order = np.argsort(key[inside], kind="stable")
    index, indexed = key[inside][order], text[rare][inside][order]

    asking, own = text[rare][~inside], key[~inside]
    least = own - size[asking] // 5
    most = own + np.minimum(size[asking] // 4, sizes - 1 - size[asking])
    middle = np.searchsorted(index, own)
    low = np.maximum(np.searchsorted(index, least), middle - CANDIDATES)
    high = np.minimum(np.searchsorted(index, most, "right"), middle + CANDIDATES)
    candidates: dict[int, list[NDArray[np.int64]]] = defaultdict(list)
    for entry in np.flatnonzero(low < high).tolist():
        candidates[int(asking[entry])].append(indexed[low[entry] : high[entry]])

    found = {}
    for row, lists in candidates.items():
        others = pd.unique(np.concatenate(lists))[:CANDIDATES]
        similarity, other = max((_resemblance(sets[row], sets[other]), -other) for other in others.tolist())
        if similarity >= 0.8:
            found[row] = (-other, similarity)
    return found


def _resemblance(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def _shingles(texts: Sequence[str], training: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    """Text and shingle of each different pair, by text, and in it from rare in training to frequent."""
    vocabulary: dict[str, int] = defaultdict(count().__next__)
    ids, lengths = array("q"), []
    for text in tqdm(texts, "near copies", unit="text", leave=False, disable=None):
        words = _WORD.findall(folded(text))
        words += [""] * (SHINGLE - len(words)) if words else []
        ids.extend(map(vocabulary.__getitem__, words))
        lengths.append(len(words))
    words_of = np.repeat(np.arange(len(texts)), lengths)
    begins = np.flatnonzero(words_of[: 1 - SHINGLE] == words_of[SHINGLE - 1 :])
    word = np.array(ids, np.uint64)
    code = word[begins]
    for offset in range(1, SHINGLE):  # exact up to 2.6 million words; beyond, a hash modulo 2^64
        code = code * np.uint64(len(vocabulary)) + word[begins + offset]
    shingle, different = pd.factorize(code)
    text_of = words_of[begins]
    frequency = np.bincount(shingle[training[text_of]], minlength=len(different))
    rank = np.empty(len(different), np.int64)
    rank[np.argsort(frequency, kind="stable")] = np.arange(len(different))
    pairs = np.sort(text_of * len(different) + rank[shingle])  # numpy.unique's hash takes five times as long
    return np.divmod(pairs[np.diff(pairs, prepend=-1) > 0], max(1, len(different)))


def summary(report: Mapping[str, Any]) -> str:
    """The report in twelve lines of 80 columns or less."""
    shown = sorted(report["classes"].items(), key=lambda item: -item[1]["all"])
    more = len(shown) - CLASSES_SHOWN + 1 if len(shown) > CLASSES_SHOWN else 0
    lines = [_line("", ["all", *PARTS]), _line("rows", report["rows"].values())]
    lines += [_line(f"  {label}", rows.values()) for label, rows in shown[: len(shown) - more]]
    lines += [f"  … and {more} more"] if more else []
    for relation in ("equal", "near"):
        leaks = report[f"{relation}_across_split"]
        lines.append(_line(f"{relation} to training", ["", "", leaks["validation"], leaks["test"]]))
    lines.append(_line("", PERCENTILES))
    lines += [_line(name, report[name].values()) for name in ("words", "characters")]
    lines.append(
        f"duplicate rows: {report['duplicate_rows']:,}   set aside: {report['set_aside']:,}   "
        f"texts of several labels: {report['conflicting_labels']['texts']:,}"
    )
    return "\n".join(lines)


def _line(name: str, cells: Iterable[int | str]) -> str:
    """A name and right-aligned cells that fill 48 columns; wide characters count as two."""
    cells = list(cells)
    name = "".join(char if char.isprintable() else " " for char in name)
    while _columns(name) > 24:
        name = name.rstrip("…")[:-1] + "…"
    numbers = (f"{cell:,}" if isinstance(cell, int) else cell for cell in cells)
    return name + " " * (24 - _columns(name)) + "".join(cell.rjust(48 // len(cells)) for cell in numbers)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
