"""The figures of what a run makes of each class. Each function returns a figure that the caller saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.figures import BLUE, LEGIBLE_CLASSES, ORANGE, Figure, cut, headed

PAIRS = 30  # confused classes that are named where there is no room for all names
COLUMN = 50  # classes below each other
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

    Each cell has its count, and each class its name, where that can be read. Of more classes, the most
    confused of the `pairs` (see `metrics.confused_pairs`) are named beside the matrix.
    """
    classes = len(names)
    if few := classes <= LEGIBLE_CLASSES:
        side = 3.4 + 0.42 * classes
        figure = Figure(figsize=(side + 1, side), layout="constrained")
        axis = figure.subplots()
    else:
        figure = Figure(figsize=(15, 7.6), layout="constrained")
        axis, beside = figure.subplots(1, 2, width_ratios=(5, 3))
        _pairs(beside, pairs[:PAIRS], matrix, names)
    headed(figure, "Confusion matrix", title)
    ordered = matrix[np.ix_(order, order)]
    # The square root, so that a confusion of a few rows is seen.
    shade = np.sqrt(ordered / np.maximum(1, ordered.sum(axis=1, keepdims=True)))
    image = axis.imshow(shade, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    bar = figure.colorbar(image, ax=axis, shrink=0.7, label="share of the true class (%)")
    bar.set_ticks([(tick / 100) ** 0.5 for tick in TICKS], labels=[str(tick) for tick in TICKS])
    axis.set(xlabel="predicted class", ylabel="true class")
    if not few:
        axis.set(xticks=[], yticks=[], title=f"{classes} classes, those that are confused side by side")
        return figure
    shown = [cut(names[place], 24) for place in order]
    axis.set_xticks(range(classes), shown, rotation=90 if classes > 4 else 0, fontsize=9)
    axis.set_yticks(range(classes), shown, fontsize=9)
    for (row, column), count in np.ndenumerate(ordered):
        if count:
            dark = shade[row, column] > 0.7
            axis.text(
                column,
                row,
                str(count),
                ha="center",
                va="center",
                color="white" if dark else "black",
                fontsize=8,
            )
    return figure


def _pairs(
    axis: Any, pairs: Sequence[tuple[int, int, int]], matrix: NDArray[np.int64], names: Sequence[str]
) -> None:
    """Bars, the most confused pair on top."""
    places = np.arange(len(pairs))[::-1]
    bars = axis.barh(places, [rows for *_, rows in pairs], color=ORANGE, alpha=0.6)
    axis.bar_label(
        bars, [f"{rows} of {matrix[true].sum()}" for true, _, rows in pairs], padding=3, fontsize=8
    )
    shown = [f"{cut(names[true], 27)} → {cut(names[predicted], 27)}" for true, predicted, _ in pairs]
    axis.set_yticks(places, shown, fontsize=8)
    axis.set(xlabel="test rows", title="the most confused: true → predicted", ylim=(-0.7, PAIRS - 0.3))
    axis.margins(x=0.18)
    axis.xaxis.get_major_locator().set_params(integer=True)


def class_scores(classes: Sequence[dict[str, Any]], title: str) -> Figure:
    """Precision, recall and F1 of each class, the weakest first; many classes stand in several columns."""
    ordered = sorted(classes, key=lambda entry: float(entry["f1"]))[:MOST]
    columns = -(-len(ordered) // COLUMN)
    height = -(-len(ordered) // columns)
    few = len(ordered) <= LEGIBLE_CLASSES
    each = 0.3 if few else 0.17
    figure = Figure(figsize=(8 if columns == 1 else 6.2 * columns, 1.7 + each * height), layout="constrained")
    axes = figure.subplots(1, columns, squeeze=False)[0]
    for number, axis in enumerate(axes):
        _scores(axis, ordered[number * height : (number + 1) * height], height, 9 if few else 7.5)
    left_out = f", the weakest {MOST} of {len(classes)} classes" if len(classes) > MOST else ""
    headed(figure, f"Precision, recall and F1 by class{left_out}", title)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, frameon=False, loc="outside lower center", ncols=3)
    return figure


def _scores(axis: Any, classes: Sequence[dict[str, Any]], height: int, size: float) -> None:
    places = height - 1 - np.arange(len(classes))
    axis.barh(places, [100 * entry["f1"] for entry in classes], color=BLUE, alpha=0.3, label="F1")
    for key, marker, color in (("precision", "|", BLUE), ("recall", "x", ORANGE)):
        values = [100 * entry[key] for entry in classes]
        axis.scatter(values, places, 30, marker=marker, color=color, label=key, zorder=3)
    axis.set_yticks(
        places, [f"{cut(entry['label'], 30)}  ({entry['rows']})" for entry in classes], fontsize=size
    )
    axis.set(xlim=(0, 102), xlabel="% (in brackets: test rows)", ylim=(-0.7, height - 0.3))
    axis.grid(axis="x", alpha=0.25)


def wrong_pictures(pictures: NDArray[np.uint8], captions: Sequence[str], title: str) -> Figure:
    """Pictures [n, height, width, channels], each below its caption; WRONG of them at most."""
    columns = 6
    rows = max(1, -(-min(len(pictures), WRONG) // columns))
    figure = Figure(figsize=(10, 0.6 + 1.9 * rows), layout="constrained")
    headed(figure, "Wrong, the most confident first: label → predicted, probability", title)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, picture, caption in zip(axes, pictures[:WRONG], captions[:WRONG], strict=False):
        axis.imshow(picture if picture.shape[-1] == 3 else picture[..., 0], cmap="gray", vmin=0, vmax=255)
        axis.set_title(caption, fontsize=8)
    return figure
