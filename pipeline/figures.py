"""The figures of a run. Each function returns a figure that the caller saves."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.figure import Figure as Figure  # for those who draw or keep figures elsewhere
from matplotlib.font_manager import fontManager
from numpy.typing import NDArray

from pipeline.calibration import Reliability
from pipeline.comparison import Cells

# DejaVu comes with matplotlib; for labels of other scripts, whatever the machine has.
_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Noto Sans",
)
_INSTALLED = {font.name for font in fontManager.ttflist}
matplotlib.rcParams["font.family"] = ["DejaVu Sans", *(font for font in _FONTS if font in _INSTALLED)]
matplotlib.rcParams["text.parse_math"] = False  # a label may hold dollar signs
warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)

BLUE, ORANGE, GREY = "#2f6db3", "#d9822b", "#7a7a7a"
LEGIBLE_CLASSES = 30  # beyond it, cells are too small for numbers and names


def learning_curves(history: list[dict[str, float]], title: str, criterion: str) -> Figure:
    """Loss and accuracy by epoch, of the training and the validation part; the epoch that was kept for the
    validation part's `criterion` is marked. Each member of an ensemble has lines of its own."""
    members = [
        [record for record in history if record["member"] == member]
        for member in sorted({record["member"] for record in history})
    ]
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    figure.suptitle(title)
    for axis, name, scale, unit in zip(
        figure.subplots(1, 2),
        ("loss", "accuracy"),
        (1, 100),
        ("cross-entropy (nats)", "accuracy (%)"),
        strict=True,
    ):
        for key, color, part in ((name, BLUE, "training"), (f"validation_{name}", ORANGE, "validation")):
            for member in members:
                epochs = [record["epoch"] for record in member]
                values = [scale * record[key] for record in member]
                axis.plot(
                    epochs, values, "o-", ms=3, color=color, label=part if member is members[0] else None
                )
        for member in members:
            kept = max(member, key=lambda record: record[f"validation_{criterion}"])["epoch"]
            label = f"kept: epoch {kept:.0f}" if len(members) == 1 else "kept"
            axis.axvline(kept, color=GREY, lw=1, ls=":", label=label if member is members[0] else None)
        axis.set(xlabel="epoch", ylabel=unit)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.25)
        axis.legend(frameon=False)
    return figure


def confusion_matrix(matrix: NDArray[np.int64], names: list[str], title: str) -> Figure:
    """Shares of each true class by predicted class, with counts where they are legible."""
    classes = len(names)
    few = classes <= LEGIBLE_CLASSES
    side = min(14.0, 3.2 + 0.45 * classes)
    shares = matrix / np.maximum(1, matrix.sum(axis=1, keepdims=True))
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(100 * shares, cmap="Blues", vmin=0, vmax=100)
    figure.colorbar(image, ax=axis, shrink=0.7, label="share of the true class (%)")
    size = 9 if few else max(3.0, 9 * LEGIBLE_CLASSES / classes)
    shown = [name if len(name) <= 24 else name[:23] + "…" for name in names]
    axis.set_xticks(range(classes), shown, rotation=90 if classes > 4 else 0, fontsize=size)
    axis.set_yticks(range(classes), shown, fontsize=size)
    axis.set(xlabel="predicted", ylabel="true", title=title)
    if few:
        for (row, column), count in np.ndenumerate(matrix):
            if count:
                color = "white" if shares[row, column] > 0.55 else "black"
                axis.text(column, row, str(count), ha="center", va="center", color=color, fontsize=size - 1)
    return figure


def class_scores(classes: list[dict[str, Any]], title: str) -> Figure:
    """Precision, recall and F1 of each class, the weakest at the bottom."""
    ordered = sorted(classes, key=lambda entry: float(entry["f1"]))
    size = 9 if len(ordered) <= LEGIBLE_CLASSES else 6
    figure = Figure(figsize=(8, 1.6 + (0.3 if size == 9 else 0.16) * len(ordered)), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(ordered))
    axis.barh(places, [100 * entry["f1"] for entry in ordered], color=BLUE, alpha=0.35, label="F1")
    for key, marker, color in (("precision", "|", BLUE), ("recall", "x", ORANGE)):
        axis.scatter(
            [100 * entry[key] for entry in ordered], places, marker=marker, color=color, label=key, zorder=3
        )
    axis.set_yticks(places, [f"{entry['label'][:30]}  ({entry['rows']})" for entry in ordered], fontsize=size)
    axis.set(xlim=(0, 102), xlabel="% (in brackets: test rows)", title=title, ylim=(-0.7, len(ordered) - 0.3))
    axis.grid(axis="x", alpha=0.25)
    axis.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.06), ncols=3)
    return figure


def calibration(before: Reliability, after: Reliability, title: str) -> Figure:
    """The reliability diagram, without and with the temperature, and below it how sure the rows are.

    A point's area is its share of the rows: a bin of few rows is far off by chance.
    """
    figure = Figure(figsize=(7, 6.4), layout="constrained")
    figure.suptitle(title)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges = np.linspace(0, 100, len(after.rows) + 1)
    upper.plot([0, 100], [0, 100], color=GREY, lw=1, ls=":", label="as right as sure")
    for bins, color, name in ((before, ORANGE, "before"), (after, BLUE, "after")):
        filled = bins.rows > 0
        shares = bins.rows / bins.rows.sum()
        confidence, accuracy = 100 * bins.confidence[filled], 100 * bins.accuracy[filled]
        upper.plot(confidence, accuracy, color=color, lw=1, alpha=0.35)
        upper.scatter(
            confidence,
            accuracy,
            s=4 + 300 * shares[filled],
            color=color,
            alpha=0.75,
            linewidths=0,
            label=f"{name} temperature scaling: error {bins.error:.1%}",
            zorder=3,
        )
        lower.stairs(100 * shares, edges, color=color, lw=1.5)
    lowest = edges[np.argmax(before.rows + after.rows > 0)]
    upper.set(ylabel="right (%)", xlim=(lowest, 100), ylim=(-2, 102))
    lower.set(xlabel="probability of the predicted class (%)", ylabel="rows (%)")
    for axis in (upper, lower):
        axis.grid(alpha=0.25)
    legend = upper.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, fontsize=9)
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([30])
    return figure


def comparison(rows: Cells) -> Figure:
    """Each contestant's mean on each corpus with its standard deviation, and what its paper gives."""
    corpora = sorted({corpus for row in rows.values() for corpus in row})
    figure = Figure(figsize=(9, 1.2 + len(corpora) * (0.5 + 0.2 * len(rows))), layout="constrained")
    for axis, corpus in zip(figure.subplots(len(corpora), 1, squeeze=False)[:, 0], corpora, strict=True):
        # The majority class is far off, and would press the others together.
        shown = {name: row[corpus] for name, row in rows.items() if corpus in row and "majority" not in name}
        places = np.arange(len(shown))[::-1]
        axis.errorbar(
            [cell.mean for cell in shown.values()],
            places,
            xerr=[cell.deviation for cell in shown.values()],
            fmt="o",
            color=BLUE,
            label="here: mean, standard deviation",
        )
        published = [(cell.published, place) for cell, place in zip(shown.values(), places, strict=True)]
        known = [(value, place) for value, place in published if value is not None]
        if known:
            axis.plot(*zip(*known, strict=True), "x", color=ORANGE, label="the paper")
        axis.set_yticks(places, shown)
        axis.set(title=corpus, ylim=(-0.7, len(shown) - 0.3))
        axis.grid(axis="x", alpha=0.25)
    axis.set_xlabel("accuracy (%)")
    handles = {
        label: handle
        for each in figure.axes
        for handle, label in zip(*each.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, frameon=False, loc="outside upper right", ncols=2)
    return figure


def convolution_beside_dense(
    accuracy: dict[str, list[float]], numbers: dict[str, dict[str, int]], unit: str, title: str
) -> Figure:
    """Each network's accuracy, 0..1, as the test rows are moved by 0, 1, 2 ... of the unit, none where it was
    not trained; and its `numbers`: "connections" and "parameters", by network."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    networks = list(numbers["parameters"])
    for name, color, marker in zip(networks, (BLUE, ORANGE, GREY), "os^", strict=True):
        if accuracy[name]:
            values = [100 * value for value in accuracy[name]]
            left.plot(range(len(values)), values, f"{marker}-", ms=4, color=color, label=name)
    left.set(xlabel=f"test rows moved by ({unit})", ylabel="accuracy (%)", ylim=(0, 102))
    left.legend(frameon=False)
    left.xaxis.get_major_locator().set_params(integer=True)
    places = np.arange(len(networks))[::-1]
    for (name, counts), offset, color in zip(numbers.items(), (0.15, -0.15), (ORANGE, BLUE), strict=True):
        right.plot(list(counts.values()), places + offset, "o", color=color, label=name)
        for count, place in zip(counts.values(), places + offset, strict=True):
            right.annotate(
                _short(count), (count, place), (7, 0), textcoords="offset points", va="center", fontsize=9
            )
    right.set_yticks(places, [name.replace(", ", ",\n") for name in networks])
    every = [count for counts in numbers.values() for count in counts.values()]
    right.set(xscale="log", xlim=(min(every) / 3, max(every) * 20), ylim=(-0.6, len(networks) - 0.4))
    right.set(xlabel="number (logarithmic)")
    right.xaxis.set_major_formatter(lambda number, _: _short(int(number)))
    right.xaxis.set_minor_formatter("")
    right.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    for axis in (left, right):
        axis.grid(alpha=0.25)
    return figure


def _short(number: int) -> str:
    """1,234,567 as 1.2 M."""
    for power, unit in ((9, " G"), (6, " M"), (3, " k")):
        if number >= 10**power:
            return f"{number / 10**power:.3g}{unit}"
    return str(number)
