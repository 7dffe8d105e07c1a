"""Accuracy where the pretrained vectors cover a row's words, and where they do not."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.sequences import UNKNOWN, Sequences

UP_TO = (0.0, 0.10, 0.25)  # shares of a row's running words, each the end of its bin
NAMES = ("0 %", "up to 10 %", "10 to 25 %", "above 25 %")


def by_uncovered_share(
    sequences: Sequences, found: NDArray[np.bool_], correct: NDArray[np.bool_]
) -> list[dict[str, Any]]:
    """Rows and accuracy (None without rows) by the share of a row's running words without a vector.

    `found` is bool [words + 2], by id; the unknown word (id 1) has no vector of its own in any case.
    `correct` is bool [rows]. A row without words lacks none.
    """
    uncovered = ~found[sequences.ids] | (sequences.ids == UNKNOWN)
    before = np.concatenate([[0], np.cumsum(uncovered)])[sequences.offsets]
    share = np.diff(before) / np.maximum(sequences.lengths, 1)
    bins = np.digitize(share, UP_TO, right=True)
    table: list[dict[str, Any]] = []
    for number, name in enumerate(NAMES):
        inside = correct[bins == number]
        accuracy = float(inside.mean()) if len(inside) else None
        table.append({"uncovered": name, "rows": len(inside), "accuracy": accuracy})
    return table


def summary(table: list[dict[str, Any]]) -> str:
    """The table in lines, without the bins that no row falls in."""
    lines = [f"  {'words without a vector':<30}{'accuracy':>8}  {'rows':>10}"]
    for entry in table:
        if entry["rows"]:
            lines.append(f"  {entry['uncovered']:<30}{entry['accuracy']:8.1%}  {entry['rows']:10,}")
    return "\n".join(lines)
