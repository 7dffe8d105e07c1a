"""The differences between two runs, in lines that fit the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd

from ..measures.paired import compare_paired
from ..terminal import TERMINAL_WIDTH, shorten

NAME_COLUMNS, VALUE_COLUMNS = 32, 20
MAX_SHOWN_ROWS = 20


def heading(first: str, second: str) -> str:
    """Return the names of the two runs, and the head of the table of options and metrics."""
    names = f"compare: a = {shorten(first, 60)}\n         b = {shorten(second, 60)}"
    return f"{names}\n{_line('', 'a', 'b')}"


def parameters(first: Mapping[str, str], second: Mapping[str, str]) -> str:
    """Return the parameters that differ; `-` stands for a missing one."""
    differing = sorted(key for key in {*first, *second} if first.get(key) != second.get(key))
    if not differing:
        return "  no option differs"
    return "\n".join(_line(key, first.get(key, "-"), second.get(key, "-")) for key in differing)


def metrics(first: Mapping[str, float], second: Mapping[str, float]) -> str:
    """Return the metrics that both runs have."""
    return "\n".join(
        _line(key, f"{first[key]:.6g}", f"{second[key]:.6g}") for key in sorted({*first} & {*second})
    )


def disagreements(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame | None:
    """Return the rows that the runs' predictions.parquet label differently, the most confident first.

    None if the two do not have the same rows.
    """
    common = [name for name in ("file", "line", "text", "label") if name in first]
    if len(first) != len(second) or not first[common].equals(second.reindex(columns=common)):
        return None
    both = first[common].assign(
        a=first["predicted_label"],
        probability_a=first["probability"].astype(float).round(4),
        b=second["predicted_label"],
        probability_b=second["probability"].astype(float).round(4),
    )
    differing = both[both["a"] != both["b"]]
    confidence = differing[["probability_a", "probability_b"]].max(axis=1)
    return differing.loc[confidence.sort_values(ascending=False, kind="stable").index]


def rows(first: pd.DataFrame, second: pd.DataFrame, differing: pd.DataFrame) -> str:
    """Return how far the runs differ on the same rows, and the first rows of `differing`."""
    right = [(run["predicted_label"] == run["label"]).to_numpy(np.bool_) for run in (first, second)]
    changes = f"  from a to b: {compare_paired(right[1], right[0])}"
    lines = [
        f"  {len(differing):,} of {len(first):,} test rows get another label",
        fill(changes, TERMINAL_WIDTH, subsequent_indent="    "),
    ]
    if len(differing):
        lines.append(f"  {'label':<12}{'a':<16}{'b':<16}text")
    for row in differing[:MAX_SHOWN_ROWS].to_dict("records"):
        a, b = (f"{shorten(row[run], 9)} {row[f'probability_{run}']:.2f}" for run in ("a", "b"))
        text = row.get("text", f"{row['file']}, {row['line']}")
        line = f"  {shorten(row['label'], 11):<12}{a:<16}{b:<16}"
        lines.append(line + shorten(text, TERMINAL_WIDTH - len(line)))
    return "\n".join(lines)


def _line(key: str, first: str, second: str) -> str:
    name = f"{shorten(key, NAME_COLUMNS):<{NAME_COLUMNS}}"
    value = f"{shorten(first, VALUE_COLUMNS):<{VALUE_COLUMNS}}"
    return f"  {name}  {value}  {shorten(second, VALUE_COLUMNS)}".rstrip()
