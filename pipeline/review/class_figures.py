"""The figures of a run's classes and wrong images. Each function returns a figure that the caller saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..measures.metrics import ClassScores
from ..terminal import shorten_middle
from .style import (
    BLUE,
    CHARACTER_WIDTH,
    FIGURE_WIDTH,
    LEGIBLE_CLASSES,
    ORANGE,
    Figure,
    figure_style,
    set_heading,
)

MAX_PAIRS = 30  # most confused classes, listed where there is no room for all names
TICK_INTERVAL = 10  # classes, where they are numbered
MAX_NAME_CHARACTERS = 26
NAME_SIZE = 9  # points
MAX_SCORED_CLASSES = 150  # of more, the weakest are drawn
SHADE_TICKS = (0, 1, 5, 20, 50, 100)  # %
MAX_PICTURES = 24
PICTURES_PER_ROW = 4


@figure_style()
def confusion_matrix(
    matrix: NDArray[np.int64],
    order: NDArray[np.int64],
    pairs: Sequence[tuple[int, int, int]],
    names: Sequence[str],
    title: str,
) -> Figure:
    """Draw the shares of each true class by predicted class, with the classes in the given `order`.

    `matrix` int64 [classes, classes], `order` int64 [classes], and `pairs` as in `metrics.confused_pairs`. Up
    to 30 classes have their names and counts. Of more, every tenth has its number in that order, and the most
    confused pairs are listed by name.
    """
    ordered = matrix[np.ix_(order, order)]
    # The square root makes a confusion of a few rows visible.
    shade = np.sqrt(ordered / np.maximum(1, ordered.sum(axis=1, keepdims=True)))
    if len(names) <= LEGIBLE_CLASSES:
        figure = _named(ordered, shade, [_shortened(names[place]) for place in order])
    else:
        figure = _numbered(matrix, order, shade, pairs[:MAX_PAIRS], names)
    set_heading(figure, "Confusion matrix", title)
    return figure


def _named(ordered: NDArray[np.int64], shade: NDArray[np.float64], names: Sequence[str]) -> Figure:
    """Return the matrix with names and counts, in cells that fill the width and stay large enough to read."""
    name_inches = max(map(len, names)) * NAME_SIZE * CHARACTER_WIDTH / 72
    margin = 0.75 + name_inches  # of the names and the axis label
    cell = min(1.2, max(0.36, (FIGURE_WIDTH - margin) / len(names)))
    is_vertical = name_inches > cell
    side = cell * len(names)
    size = max(FIGURE_WIDTH, margin + side), 1.5 + side + (margin if is_vertical else 0.6)
    figure = Figure(figsize=size, layout="constrained")
    axis = figure.subplots()
    _draw_shade(figure, axis, shade)
    places = range(len(names))
    axis.set_xticks(places, names, rotation=90 if is_vertical else 0, fontsize=NAME_SIZE)
    axis.set_yticks(places, names, fontsize=NAME_SIZE)
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
    """Return the matrix with numbered classes, above a chart of the most confused pairs."""
    list_inches = 0.8 + 0.3 * len(pairs)
    figure = Figure(figsize=(FIGURE_WIDTH, 6.8 + list_inches), layout="constrained")
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(6.3, list_inches))[:, 0]
    axis = upper.subplots()
    _draw_shade(figure, axis, shade)
    ticks = [0, *range(TICK_INTERVAL - 1, len(names), TICK_INTERVAL)]
    for direction in (axis.xaxis, axis.yaxis):
        direction.set_ticks(ticks, [str(place + 1) for place in ticks], fontsize=7)
    axis.tick_params(axis="x", rotation=90)
    axis.set_title(
        f"{len(names)} classes, numbered so that confused classes\nare next to each other", fontsize=9
    )
    numbers = {place: number for number, place in enumerate(order.tolist(), 1)}
    titles = [f"{numbers[place]} {_shortened(name)}" for place, name in enumerate(names)]
    _draw_pairs(lower.subplots(), pairs, matrix.sum(axis=1), titles)
    return figure


def _draw_pairs(
    axis: Any, pairs: Sequence[tuple[int, int, int]], rows: NDArray[np.int64], titles: Sequence[str]
) -> None:
    """Draw the numbers of confused rows; `rows` int64 [classes] are those of each true class."""
    places = np.arange(len(pairs))[::-1]
    bars = axis.barh(places, [count for *_, count in pairs], color=ORANGE, alpha=0.6)
    labels = [f"{count} of {rows[true]}" for true, _, count in pairs]
    axis.bar_label(bars, labels, padding=3, fontsize=8)
    names = [f"{titles[true]}\n→ {titles[predicted]}" for true, predicted, _ in pairs]
    axis.set_yticks(places, names, fontsize=7.5)
    axis.set(xlabel="test rows", ylim=(-0.7, len(pairs) - 0.3))
    axis.set_title("most confused: true → predicted", fontsize=9)
    axis.margins(x=0.35)
    axis.xaxis.get_major_locator().set_params(integer=True)


def _draw_shade(figure: Figure, axis: Any, shade: NDArray[np.float64]) -> None:
    image = axis.imshow(shade, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    bar = figure.colorbar(
        image, ax=axis, location="bottom", shrink=0.7, aspect=30, label="share of the true class (%)"
    )
    bar.set_ticks([(tick / 100) ** 0.5 for tick in SHADE_TICKS], labels=[str(tick) for tick in SHADE_TICKS])
    axis.set(xlabel="predicted class", ylabel="true class")


def _shortened(name: str) -> str:
    return shorten_middle(name, MAX_NAME_CHARACTERS)


@figure_style()
def class_scores(classes: Sequence[ClassScores], title: str) -> Figure:
    """Draw precision, recall and F1 of each class that has test rows, the weakest first."""
    tested = [entry for entry in classes if entry.rows]
    weakest = sorted(tested, key=lambda entry: entry.f1)[:MAX_SCORED_CLASSES]
    bar_inches, size = (0.27, 9) if len(weakest) <= LEGIBLE_CLASSES else (0.19, 8)
    figure = Figure(figsize=(FIGURE_WIDTH, 1.9 + bar_inches * len(weakest)), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(weakest))[::-1]
    axis.barh(places, [100 * entry.f1 for entry in weakest], color=BLUE, alpha=0.3, label="F1")
    precision = [100 * entry.precision for entry in weakest]
    recall = [100 * entry.recall for entry in weakest]
    axis.scatter(precision, places, 30, marker="|", color=BLUE, label="precision", zorder=3)
    axis.scatter(recall, places, 30, marker="x", color=ORANGE, label="recall", zorder=3)
    axis.set_yticks(
        places, [f"{_shortened(entry.label)}  ({entry.rows})" for entry in weakest], fontsize=size
    )
    axis.set(xlim=(0, 102), xlabel="% (in brackets: test rows)", ylim=(-0.7, len(weakest) - 0.3))
    axis.grid(axis="x", alpha=0.25)
    set_heading(figure, _scores_heading(len(weakest), len(tested), len(classes)), title)
    figure.legend(frameon=False, loc="outside lower center", ncols=3)
    return figure


def _scores_heading(drawn: int, tested: int, classes: int) -> str:
    heading = "Precision, recall and F1 by class"
    if drawn < tested:
        heading += f", the weakest {drawn} of {tested} classes"
    if untested := classes - tested:
        heading += f"; {untested} {'has' if untested == 1 else 'have'} no test rows"
    return heading


@figure_style()
def wrong_pictures(pictures: NDArray[np.uint8], captions: Sequence[str], title: str) -> Figure:
    """Draw images uint8 [n, height, width, channels] below their captions, at most MAX_PICTURES."""
    rows = max(1, -(-min(len(pictures), MAX_PICTURES) // PICTURES_PER_ROW))
    figure = Figure(figsize=(FIGURE_WIDTH, 0.8 + 1.75 * rows), layout="constrained")
    set_heading(figure, "Mistakes, most confident first: label → predicted, probability", title)
    axes = figure.subplots(rows, PICTURES_PER_ROW, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, picture, caption in zip(axes, pictures[:MAX_PICTURES], captions[:MAX_PICTURES], strict=False):
        axis.imshow(picture if picture.shape[-1] == 3 else picture[..., 0], cmap="gray", vmin=0, vmax=255)
        axis.set_title(caption, fontsize=8)
    return figure
