"""A comparison of labelled rows with those that the classifier was made for."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from pydantic import Field

from ..arrays import Labels
from ..options import Real, Section
from ..terminal import shorten

WARNING_DISTANCE = 0.1  # of the tokens, or of the rows, beyond what chance explains
CHANCE = 1 / 1000  # of a warning about rows that are drawn as the reference was
LABEL_CHARACTERS = 20  # of a label: two of them, with their shares, fit in a line
ShareOrAll = Annotated[Real, Field(ge=0, le=1)]


class Reference(Section):
    """Shares in 0..1 of the validation part, which the network was not trained on.

    They are those of tokens outside the vocabulary, and of the rows by predicted class.
    """

    outside: ShareOrAll
    classes: list[ShareOrAll]


def drift_lines(
    reference: Reference, labels: list[str], classes: Labels, tokens: int, unknown: int
) -> list[str]:
    """Return the two shares next to the reference's, and a warning for each that is far off.

    `classes` int64 [classes] are rows by predicted label, compared by the total variation distance. Its
    expectation (at most `expected`) and its deviation by chance (McDiarmid's inequality: a row moves it by at
    most 1 / rows) are taken off first. The share of unknown words is treated likewise, as if a row's words
    were all alike.
    """
    rows = int(classes.sum())
    if not rows:
        return []
    unknown_share = unknown / max(1, tokens)
    shares = classes / rows
    usual = np.array(reference.classes)
    distance = float(np.abs(shares - usual).sum() / 2)
    expected = float(np.sqrt(usual * (1 - usual) / rows).sum() / 2)
    chance = math.sqrt(math.log(1 / CHANCE) / (2 * rows))
    changed = np.argsort(-np.abs(shares - usual), kind="stable")[:2]
    lines = []
    if tokens:  # images have none
        lines.append(f"  unknown words {unknown_share:.1%} (of the validation part {reference.outside:.1%})")
    shown = [f"{shorten(labels[c], LABEL_CHARACTERS)} {shares[c]:.0%} ({usual[c]:.0%})" for c in changed]
    lines.append(f"  labels {', '.join(shown)}")
    if unknown_share - chance - reference.outside > WARNING_DISTANCE:
        lines.append("  warning: far more unknown words than in training: another kind of text?")
    if distance - expected - chance > WARNING_DISTANCE:
        lines.append(f"  warning: the labels' shares moved by {distance:.0%} of the rows since training")
    return lines
