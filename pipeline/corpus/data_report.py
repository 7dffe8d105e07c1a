"""The data report: the contents of a corpus, and flaws of it that would distort a measurement."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

import numpy as np
import pandas as pd

from ..environment.memory import note
from ..inputs import shown
from .copies import FEW_NEAR, Copies
from .split import PARTS

EXAMPLES = 20
EXAMPLE_CHARACTERS = 1000
PERCENTILES = {"min": 0, "5 %": 5, "median": 50, "95 %": 95, "99 %": 99, "max": 100}
CLASSES_SHOWN = 4
SUMMARY_WIDTH = 72  # columns of its table


def data_report(
    rows: pd.DataFrame,
    copies: Copies,
    split: Mapping[str, Any] | None = None,
    set_aside: int = 0,
    empty_texts: int = 0,
) -> dict[str, Any]:
    """Return a report on `rows` (one or more) with columns text, label (name) and part, ready for JSON.

    Texts are equal as in `equality`, near as in `near_copies`; `copies` are those among these rows. A row
    that equals a training row is not counted as near as well. Classes are in the order of a categorical, else
    of their names. `split` says how the rows were split; `set_aside` counts the rows that were left out of
    the corpus, `empty_texts` those without text.

    Images have file, line, content, width and height instead of text, and are named by file and line. They
    are equal if their content is; near copies are not searched for.
    """
    of_images = "content" in rows
    what = "images" if of_images else "texts"
    if of_images:
        rows = rows.assign(text=rows["file"] + ", " + rows["line"].astype(str))
    kept = ["text", "label", "part", *(["width", "height"] if of_images else [])]
    rows = rows[kept].reset_index(drop=True).astype({"part": object})
    rows = rows.assign(number=copies.number)
    return {
        "rows": {"all": len(rows), **_per_part(rows["part"])},
        "set_aside": set_aside,
        **({} if of_images else {"empty_texts": empty_texts}),
        "classes": {
            str(label): {"all": len(part), **_per_part(part)}
            for label, part in rows.groupby("label", observed=True)["part"]
        },
        **{name: _percentiles(sizes) for name, sizes in _sizes(rows, of_images).items()},
        "duplicate_rows": int(rows["number"].duplicated().sum()),
        "conflicting_labels": _conflicts(rows, what),
        "equal_across_split": _equal(rows, what),
        **({} if of_images else {"near_across_split": _near(rows, copies)}),
        **({} if of_images else {"near_searched": {"texts": copies.near.searched, "of": copies.different}}),
        "split": dict(split or {}),
    }


def _sizes(rows: pd.DataFrame, of_images: bool) -> dict[str, Iterable[int]]:
    if of_images:
        return {"width": rows["width"], "height": rows["height"]}
    return {"words": (len(text.split()) for text in rows["text"]), "characters": map(len, rows["text"])}


def _per_part(part: pd.Series[Any]) -> dict[str, int]:
    return {name: int((part == name).sum()) for name in PARTS}


def _percentiles(lengths: Iterable[int]) -> dict[str, int]:
    """Return nearest-rank percentiles, which are lengths that occur."""
    values = np.percentile(np.fromiter(lengths, np.int64), list(PERCENTILES.values()), method="inverted_cdf")
    return dict(zip(PERCENTILES, values.astype(int).tolist(), strict=True))


def _conflicts(rows: pd.DataFrame, what: str) -> dict[str, Any]:
    """Count the texts, or images, that have several labels."""
    rows = _with_several(rows, "label")
    examples = [{"text": text, "labels": _counts(same["label"])} for text, same in _first_texts(rows)]
    return {what: int(rows["number"].nunique()), "examples": examples}


def _equal(rows: pd.DataFrame, what: str) -> dict[str, Any]:
    """Count the texts, or images, in several parts, and the rows that equal a training row."""
    leaked = _per_part(rows["part"][rows["number"].isin(rows["number"][rows["part"] == "train"])])
    rows = _with_several(rows, "part")
    return {
        what: int(rows["number"].nunique()),
        "validation": leaked["validation"],
        "test": leaked["test"],
        "examples": [
            {"text": text, "parts": _counts(same["part"]), "labels": _counts(same["label"])}
            for text, same in _first_texts(rows)
        ],
    }


def _near(rows: pd.DataFrame, copies: Copies) -> dict[str, Any]:
    """Count the validation and test rows that are near, but not equal, to a training row."""
    texts = rows.sort_values("part", key=lambda part: part != "train", kind="stable")
    texts = texts.drop_duplicates("number").set_index("number").sort_index()  # the training row if there is
    found = copies.near_training((rows["part"] == "train").to_numpy())
    part = _per_part(rows["part"][rows["number"].isin(list(found))])
    return {
        "validation": part["validation"],
        "test": part["test"],
        "examples": [
            {
                "part": texts["part"][row],
                "text": _excerpt(texts["text"][row]),
                "label": str(texts["label"][row]),
                "training_text": _excerpt(texts["text"][copy]),
                "training_label": str(texts["label"][copy]),
                "similarity": round(similarity, 3),
            }
            for row, (copy, similarity) in list(found.items())[:EXAMPLES]
        ],
    }


def _with_several(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    """Return the rows of texts that have several values in the column."""
    pairs = rows.drop_duplicates(["number", column])
    return rows[rows["number"].isin(pairs["number"][pairs["number"].duplicated()])]


def _first_texts(rows: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the first EXAMPLES texts, each with its rows."""
    rows = rows[rows["number"].isin(rows["number"].unique()[:EXAMPLES])]
    return ((_excerpt(same["text"].iloc[0]), same) for _, same in rows.groupby("number"))


def _counts(names: pd.Series[Any]) -> dict[str, int]:
    return {str(name): int(n) for name, n in names.astype(str).value_counts(sort=False).items()}


def _excerpt(text: str) -> str:
    text = shown(text)
    return text if len(text) <= EXAMPLE_CHARACTERS else text[: EXAMPLE_CHARACTERS - 1] + "…"


def summary(report: Mapping[str, Any], parts: bool = True) -> str:
    """Return the report in some twelve lines of 80 columns or less; without `parts`, of all rows alone."""
    shown = sorted(report["classes"].items(), key=lambda item: -item[1]["all"])
    more = len(shown) - CLASSES_SHOWN + 1 if len(shown) > CLASSES_SHOWN else 0
    columns = ["all", *PARTS] if parts else ["all"]
    lines = [_line("", columns)] if parts else []
    lines += [_line("rows", [report["rows"][name] for name in columns])]
    lines += [
        _line(f"  {label}", [rows[name] for name in columns]) for label, rows in shown[: len(shown) - more]
    ]
    lines += [f"  … and {more} more"] if more else []
    for relation in ("equal", "near") if parts else ():
        if leaks := report.get(f"{relation}_across_split"):
            lines.append(_line(f"{relation} to training", ["", "", leaks["validation"], leaks["test"]]))
    lines.append(_line("", PERCENTILES))
    sizes = ("words", "characters", "width", "height")
    lines += [_line(name, report[name].values()) for name in sizes if name in report]
    what = "texts" if "words" in report else "images"
    lines.append(
        f"duplicate rows: {report['duplicate_rows']:,}   set aside: {report['set_aside']:,}   "
        f"{what} of several labels: {report['conflicting_labels'][what]:,}"
    )
    for sentence in split_sentences(report, parts):
        lines += wrap(sentence, SUMMARY_WIDTH)
    return "\n".join(lines)


def split_sentences(report: Mapping[str, Any], parts: bool = True) -> list[str]:
    """Return sentences on how the rows were split, none where there is nothing to say; see `summary`."""
    split, sentences = report.get("split", {}), list[str]()
    searched = report.get("near_searched", {"texts": 0, "of": 0})
    if searched["texts"] < searched["of"]:
        told = note(searched["texts"], searched["of"], "texts")
        sentences.append(f"near copies were looked for in {told}: there may be more")
    if near := split.get("near_copies"):
        kept, apart = near["kept_together"], near["rows"] - near["kept_together"]
        if kept:
            share = f"{kept / near['of_rows']:.1%} of the rows"
            sentences.append(f"{share} have near copies, and share a part with them")
        if apart:
            share = f"{apart / near['of_rows']:.1%} of the rows"
            few = ", too few" if near["rows"] <= FEW_NEAR * near["of_rows"] else " in groups too large"
            sentences.append(
                f"{share} have near copies{few} to be kept in one part: the result is also reported without "
                "them"
            )
    if "group" in split:
        sentences += _group_sentences(split, parts)
    if "time" in split:
        ranges = split["ranges"] if parts else {}
        told = "; ".join(f"{part} {oldest} to {newest}" for part, (oldest, newest) in ranges.items())
        sentences.append(f"split by {split['time']}" + (f": {told}" if told else ""))
    if parts and (absent := split.get("absent_classes")):
        for part, shown in absent.items():
            consequence = ": others of it count as wrong" if part == "train" else ""
            sentences.append(f"no {part} row has the class {shown}{consequence}")
    return sentences


def _group_sentences(split: Mapping[str, Any], parts: bool) -> list[str]:
    name = split["group"]
    sentences = [f"split by {name}: {split['groups']:,} different, the rows of each in one part"]
    if apart := split.get("equal_apart"):
        sentences.append(
            f"{apart:,} rows have a text that too many of these share: equal texts of different groups "
            "may be in different parts; the result is also reported without them"
        )
    if parts or "test" in split["given"]:  # else folds are cut from the rows of all parts
        earlier = {"validation": "training", "test": "training or validation"}
        for part, rows in split["groups_of_earlier_parts"].items():
            sentences.append(f"{rows:,} {part} rows have a {name} of {earlier[part]} rows")
    return sentences


def mean_copies(reports: Sequence[Mapping[str, Any]], folds: int) -> str:
    """Return a sentence on how many test rows, on average over splits, have a copy in their training part.

    "" if that was not counted. Only an official test part, where `folds` is 1, can have equal texts.
    """
    kinds = {"near_across_split": "near copies of a training row"}
    kinds |= {"equal_across_split": "equal to a training row"} if folds == 1 else {}
    counted = [kind for kind in kinds if kind in reports[0]]
    if not counted:
        return ""
    rows = np.mean([report["rows"]["test"] for report in reports])
    means = {kind: np.mean([report[kind]["test"] for report in reports]) for kind in counted}
    copied = ", ".join(f"{mean:.1f} are {kinds[kind]}" for kind, mean in means.items())
    return f"Of {rows:,.0f} test rows{' a fold' if folds > 1 else ''} {copied}."


def _line(name: str, cells: Iterable[int | str]) -> str:
    """Return a name and right-aligned cells that fill 48 columns; wide characters count as two."""
    cells = list(cells)
    name = "".join(char if char.isprintable() else " " for char in name)
    while _columns(name) > 24:
        name = name.rstrip("…")[:-1] + "…"
    numbers = (f"{cell:,}" if isinstance(cell, int) else cell for cell in cells)
    wide = 48 // max(4, len(cells))
    return name + " " * (24 - _columns(name)) + "".join(cell.rjust(wide) for cell in numbers)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
