"""The figures of what a run makes of each class. Each function returns a figure that the caller saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..measures.metrics import ClassScores
from .figures import BLUE, CHARACTER, LEGIBLE_CLASSES, ORANGE, WIDTH, Figure, cut, headed

PAIRS = 30  # confused classes that are named where there is no room for all names
EVERY = 10  # of so many classes, one has its number there
LONGEST = 26  # characters of a class's name
MOST = 150  # classes whose scores are drawn; of more, the weakest
TICKS = (0, 1, 5, 20, 50, 100)  # %
WRONG = 24  # pictures


def confusion_matrix(
    matrix: NDArray[np.int64],
    order: NDArray[np.int64],
    pairs: Sequence[tuple[int, int, int]],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Shares of each true class by predicted class, classes in the `order` given.

    Each cell has its count, and each class its name, where that can be read. Of more classes, every tenth has
    its number in that order, and the most confused of the `pairs` (see `metrics.confused_pairs`) have names.
    """
    ordered = matrix[np.ix_(order, order)]
    # The square root, so that a confusion of a few rows is seen.
    shade = np.sqrt(ordered / np.maximum(1, ordered.sum(axis=1, keepdims=True)))
    if len(names) <= LEGIBLE_CLASSES:
        figure = _named(ordered, shade, [cut(names[place], LONGEST) for place in order])
    else:
        figure = _numbered(matrix, order, shade, pairs[:PAIRS], names)
    headed(figure, "Confusion matrix", title)
    return figure


def _named(ordered: NDArray[np.int64], shade: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """Cells with counts, as large as fills the figure's width and no smaller than a count is."""
    beside = 0.75 + max(map(len, names)) * 9 * CHARACTER / 72  # inches of the names and of the axis's title
    cell = min(1.2, max(0.36, (WIDTH - beside) / len(names)))
    upright = max(map(len, names)) * 9 * CHARACTER / 72 > cell
    side, below = cell * len(names), beside if upright else 0.6
    figure = Figure(figsize=(max(WIDTH, beside + side), 1.5 + side + below), layout="constrained")
    axis = figure.subplots()
    _shaded(figure, axis, shade)
    places = range(len(names))
    axis.set_xticks(places, names, rotation=90 if upright else 0, fontsize=9)
    axis.set_yticks(places, names, fontsize=9)
    for (row, column), count in np.ndenumerate(ordered):
        if count:
            color = "white" if shade[row, column] > 0.7 else "black"
            axis.text(column, row, str(count), ha="center", va="center", color=color, fontsize=8)
    return figure


def _numbered(
    matrix: NDArray[np.int64],
    order: NDArray[np.int64],
    shade: NDArray[np.float64],
    pairs: Sequence[tuple[int, int, int]],
    names: Sequence[str],
) -> Figure:
    """The matrix, and below it the most confused pairs, by number and name."""
    listed = 0.8 + 0.3 * len(pairs)
    figure = Figure(figsize=(WIDTH, 6.8 + listed), layout="constrained")
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(6.3, listed))[:, 0]
    axis, below = upper.subplots(), lower.subplots()
    _shaded(figure, axis, shade)
    ticks = [0, *range(EVERY - 1, len(names), EVERY)]
    for which in (axis.xaxis, axis.yaxis):
        which.set_ticks(ticks, [str(place + 1) for place in ticks], fontsize=7)
    axis.tick_params(axis="x", rotation=90)
    axis.set(xlabel="predicted class", ylabel="true class")
    axis.set_title(
        f"{len(names)} classes, numbered so that those that\nare confused stand side by side", fontsize=9
    )
    number = {place: at for at, place in enumerate(order.tolist(), 1)}

    def shown(place: int) -> str:
        return f"{number[place]} {cut(names[place], LONGEST)}"

    places = np.arange(len(pairs))[::-1]
    bars = below.barh(places, [rows for *_, rows in pairs], color=ORANGE, alpha=0.6)
    below.bar_label(
        bars, [f"{rows} of {matrix[true].sum()}" for true, _, rows in pairs], padding=3, fontsize=8
    )
    below.set_yticks(places, [f"{shown(one)}\n→ {shown(other)}" for one, other, _ in pairs], fontsize=7.5)
    below.set(xlabel="test rows", ylim=(-0.7, len(pairs) - 0.3))
    below.set_title("the most confused: true → predicted", fontsize=9)
    below.margins(x=0.35)
    below.xaxis.get_major_locator().set_params(integer=True)
    return figure


def _shaded(figure: Figure, axis: Any, shade: NDArray[np.float64]) -> None:
    image = axis.imshow(shade, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    bar = figure.colorbar(
        image, ax=axis, location="bottom", shrink=0.7, aspect=30, label="share of the true class (%)"
    )
    bar.set_ticks([(tick / 100) ** 0.5 for tick in TICKS], labels=[str(tick) for tick in TICKS])
    axis.set(xlabel="predicted class", ylabel="true class")


def class_scores(classes: Sequence[ClassScores], title: str) -> Figure:
    """Precision, recall and F1 of each class that has test rows, the weakest first."""
    tested = [entry for entry in classes if entry.rows]
    shown = sorted(tested, key=lambda entry: entry.f1)[:MOST]
    few = len(shown) <= LEGIBLE_CLASSES
    each, size = (0.27, 9) if few else (0.19, 8)
    figure = Figure(figsize=(WIDTH, 1.9 + each * len(shown)), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(shown))[::-1]
    axis.barh(places, [100 * entry.f1 for entry in shown], color=BLUE, alpha=0.3, label="F1")
    for key, marker, color in (("precision", "|", BLUE), ("recall", "x", ORANGE)):
        values = [100 * getattr(entry, key) for entry in shown]
        axis.scatter(values, places, 30, marker=marker, color=color, label=key, zorder=3)
    axis.set_yticks(
        places, [f"{cut(entry.label, LONGEST)}  ({entry.rows})" for entry in shown], fontsize=size
    )
    axis.set(xlim=(0, 102), xlabel="% (in brackets: test rows)", ylim=(-0.7, len(shown) - 0.3))
    axis.grid(axis="x", alpha=0.25)
    weakest = f", the weakest {MOST} of {len(tested)} classes" if len(tested) > MOST else ""
    left_out = len(classes) - len(tested)
    without = f"; {left_out} {'has' if left_out == 1 else 'have'} no test rows" if left_out else ""
    headed(figure, f"Precision, recall and F1 by class{weakest}{without}", title)
    figure.legend(frameon=False, loc="outside lower center", ncols=3)
    return figure


def wrong_pictures(pictures: NDArray[np.uint8], captions: Sequence[str], title: str) -> Figure:
    """Pictures [n, height, width, channels], each below its caption; WRONG of them at most."""
    columns = 4
    rows = max(1, -(-min(len(pictures), WRONG) // columns))
    figure = Figure(figsize=(WIDTH, 0.8 + 1.75 * rows), layout="constrained")
    headed(figure, "Wrong, the most confident first: label → predicted, probability", title)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, picture, caption in zip(axes, pictures[:WRONG], captions[:WRONG], strict=False):
        axis.imshow(picture if picture.shape[-1] == 3 else picture[..., 0], cmap="gray", vmin=0, vmax=255)
        axis.set_title(caption, fontsize=8)
    return figure
