"""Whether what is labelled is like what the classifier was trained for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..options import Real, Section

FAR = 0.1  # of the tokens, or of the rows


class Reference(Section):
    """Of the validation part, which the network has not learned: the share of tokens outside the vocabulary,
    and the predicted classes' shares of the rows, in 0..1."""

    outside: Real
    classes: list[Real]


def note(
    reference: Reference, labels: list[str], classes: NDArray[np.int64], tokens: int, outside: int
) -> list[str]:
    """Lines of 79 columns at most: the two shares beside the reference's, and a warning for each that is far
    off.

    `classes` int64 [classes]: rows by predicted label. Of these the total variation distance is taken.

    What chance makes of so few rows is taken off first, so that of rows drawn as the reference was not one
    in a thousand warns: the distance is `expected` on average at most (the deviation of each share), and by
    McDiarmid's inequality above it by `luck`, as a row moves it by 1 / rows at most. The share of unknown
    words is treated likewise, as if a row's words were all alike.
    """
    rows = int(classes.sum())
    if not rows:
        return []
    share = outside / max(1, tokens)
    mix = classes / rows
    usual = np.array(reference.classes)
    distance = float(np.abs(mix - usual).sum() / 2)
    expected = float(np.sqrt(usual * (1 - usual) / rows).sum() / 2)
    luck = math.sqrt(math.log(1000) / (2 * rows))
    most = np.argsort(-np.abs(mix - usual), kind="stable")[:2]
    shown = ", ".join(f"{_short(labels[c])} {mix[c]:.0%} ({usual[c]:.0%})" for c in most)
    lines = [f"  labels {shown}"]
    if tokens:  # images have none
        lines.insert(0, f"  unknown words {share:.1%} (of the validation part {reference.outside:.1%})")
    if share - luck - reference.outside > FAR:
        lines.append("  warning: far more unknown words than in training: another kind of text?")
    if distance - expected - luck > FAR:
        lines.append(f"  warning: the labels' shares moved by {distance:.0%} of the rows since training")
    return lines


def _short(label: str) -> str:
    """On one line, and no longer than two of them fit in one."""
    shown = " ".join(label.split())
    return shown if len(shown) <= 20 else shown[:19] + "…"
