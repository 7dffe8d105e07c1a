"""Two runs side by side, in lines of 79 columns at most."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import fill

import numpy as np
import pandas as pd

from ..measures.paired import compare_paired

WIDTH = 79
KEY, VALUE = 32, 20  # columns of a name, and of each run's value
SHOWN = 20  # rows on which the runs disagree


def heading(first: str, second: str) -> str:
    return f"compare: a = {_short(first, 60)}\n         b = {_short(second, 60)}\n{_line('', 'a', 'b')}"


def parameters(first: Mapping[str, str], second: Mapping[str, str]) -> str:
    """Those that differ; `-` where a run has none."""
    differing = sorted(key for key in {*first, *second} if first.get(key) != second.get(key))
    if not differing:
        return "  no option differs"
    return "\n".join(_line(key, first.get(key, "-"), second.get(key, "-")) for key in differing)


def metrics(first: Mapping[str, float], second: Mapping[str, float]) -> str:
    """Those that both have, in their last values."""
    return "\n".join(
        _line(key, f"{first[key]:.6g}", f"{second[key]:.6g}") for key in sorted({*first} & {*second})
    )


def disagreements(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame | None:
    """The rows to which the runs, by their predictions.parquet, give different labels, the most confident
    first; None where the two have not the same rows."""
    same = [name for name in ("file", "line", "text", "label") if name in first]
    if len(first) != len(second) or not first[same].equals(second.reindex(columns=same)):
        return None
    both = first[same].assign(
        a=first["predicted_label"],
        probability_a=first["probability"].astype(float).round(4),
        b=second["predicted_label"],
        probability_b=second["probability"].astype(float).round(4),
    )
    differing = both[both["a"] != both["b"]]
    surest = differing[["probability_a", "probability_b"]].max(axis=1)
    return differing.loc[surest.sort_values(ascending=False, kind="stable").index]


def rows(first: pd.DataFrame, second: pd.DataFrame, differing: pd.DataFrame) -> str:
    """How far the runs differ on the same rows, and the rows on which they are surest and disagree."""
    right = [(one["predicted_label"] == one["label"]).to_numpy(np.bool_) for one in (first, second)]
    lines = [
        f"  {len(differing):,} of {len(first):,} test rows get another label",
        fill(f"  from a to b: {compare_paired(right[1], right[0])}", WIDTH, subsequent_indent="    "),
    ]
    if len(differing):
        lines.append(f"  {'label':<12}{'a':<16}{'b':<16}text")
    for row in differing[:SHOWN].to_dict("records"):
        said = [f"{_short(row[run], 9)} {row[f'probability_{run}']:.2f}" for run in ("a", "b")]
        text = row.get("text", f"{row['file']}, {row['line']}")
        line = f"  {_short(row['label'], 11):<12}{said[0]:<16}{said[1]:<16}"
        lines.append(line + _short(text, WIDTH - len(line)))
    return "\n".join(lines)


def _line(key: str, first: str, second: str) -> str:
    return f"  {_short(key, KEY):<{KEY}}  {_short(first, VALUE):<{VALUE}}  {_short(second, VALUE)}".rstrip()


def _short(text: str, columns: int) -> str:
    """On one line, cut to so many columns."""
    shown = " ".join(str(text).split())
    return shown if len(shown) <= columns else shown[: columns - 1] + "…"
