"""The figures of a run's numbers. Each function returns a figure that the caller saves."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..measures.calibration import Reliability
from ..measures.comparison import Comparison, Titles
from ..measures.metrics import Interval, wilson_interval
from ..measures.selective import Selective
from ..measures.slices import SliceAccuracy
from ..options import CRITERIA
from .style import BLUE, FIGURE_WIDTH, GREY, ORANGE, Figure, figure_style, set_heading

VISIBLE_TEMPERATURE = 0.01  # a temperature closer to 1 moves no point visibly


@figure_style()
def learning_curves(history: list[dict[str, float]], title: str, criterion: str) -> Figure:
    """Draw loss and accuracy of the training and the validation part by epoch.

    The epoch that was kept, by the `criterion` on the validation part, is marked. Each member of an ensemble
    has its own lines.
    """
    members = [
        [record for record in history if record["member"] == member]
        for member in sorted({record["member"] for record in history})
    ]
    figure = Figure(figsize=(FIGURE_WIDTH, 6), layout="constrained")
    set_heading(figure, "Learning curves", title)
    upper, lower = figure.subplots(2, 1, sharex=True)
    _draw_curves(upper, members, "loss", 1)
    _draw_curves(lower, members, "accuracy", 100)
    upper.set_ylabel("cross-entropy (nats)")
    lower.set_ylabel("accuracy (%)")
    for axis in (upper, lower):
        for number, member in enumerate(members):
            kept = max(member, key=lambda record: record[f"validation_{criterion}"])["epoch"]
            label = f"kept: epoch {kept:.0f}" if len(members) == 1 else "kept"
            axis.axvline(kept, color=GREY, lw=1, ls=":", label=None if number else label)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.25)
    lower.set_xlabel("epoch")
    lower.legend(frameon=False)
    return figure


def _draw_curves(axis: Any, members: list[list[dict[str, float]]], measure: str, scale: float) -> None:
    for key, color, part in ((measure, BLUE, "training"), (f"validation_{measure}", ORANGE, "validation")):
        for number, member in enumerate(members):
            epochs = [record["epoch"] for record in member]
            values = [scale * record[key] for record in member]
            axis.plot(epochs, values, "o-", ms=3, color=color, label=None if number else part)


@figure_style()
def calibration(before: Reliability, after: Reliability, temperature: float, title: str) -> Figure:
    """Draw the reliability diagram without and with the temperature, above the shares of rows by probability.

    If the temperature is so close to 1 that the two would coincide, only the second is drawn. The area of a
    point is its share of the rows, its line the 95 % interval.
    """
    figure = Figure(figsize=(FIGURE_WIDTH, 6), layout="constrained")
    set_heading(figure, "Reliability of the probabilities", title)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges = np.linspace(0, 100, len(after.rows) + 1)
    upper.plot([0, 100], [0, 100], color=GREY, lw=1, ls=":", label="perfect calibration")
    if abs(temperature - 1) >= VISIBLE_TEMPERATURE:
        _draw_reliability(upper, before, ORANGE, "temperature 1")
        lower.stairs(100 * before.rows / before.rows.sum(), edges, color=ORANGE, lw=1.5)
    _draw_reliability(upper, after, BLUE, f"temperature {temperature:.2f}")
    lower.stairs(100 * after.rows / after.rows.sum(), edges, color=BLUE, lw=1.5)
    lowest = edges[np.argmax(before.rows + after.rows > 0)]
    upper.set(ylabel="correct (%)", xlim=(lowest, 100), ylim=(-2, 102))
    lower.set(xlabel="probability of the predicted class (%)", ylabel="rows (%)")
    for axis in (upper, lower):
        axis.grid(alpha=0.25)
    legend = upper.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=9)
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([30])
    return figure


def _draw_reliability(axis: Any, bins: Reliability, color: str, name: str) -> None:
    filled = bins.rows > 0
    confidence, accuracy = 100 * bins.confidence[filled], 100 * bins.accuracy[filled]
    axis.scatter(
        confidence,
        accuracy,
        s=4 + 300 * (bins.rows / bins.rows.sum())[filled],
        color=color,
        alpha=0.75,
        linewidths=0,
        label=f"{name}: error {bins.error:.1%}",
        zorder=3,
    )
    correct = np.rint(bins.accuracy * bins.rows).astype(int)[filled].tolist()
    counts = zip(correct, bins.rows[filled].tolist(), strict=True)
    bounds = 100 * np.array([wilson_interval(*pair) for pair in counts]).reshape(-1, 2)
    axis.vlines(confidence, *bounds.T, color=color, lw=1, alpha=0.5)


@figure_style()
def coverage(selective: Selective, title: str) -> Figure:
    """Draw the accuracy of the surest rows by their share of all rows, and each target precision."""
    figure = Figure(figsize=(FIGURE_WIDTH, 4.4), layout="constrained")
    set_heading(figure, "Accuracy if only the surest rows are labelled", title)
    axis = figure.subplots()
    shares = [100 * point.coverage for point in selective.curve]
    bounds = 100 * np.array([point.interval for point in selective.curve], float)
    axis.fill_between(shares, *bounds.T, color=BLUE, alpha=0.15, lw=0, label="95 % interval, of each point")
    accuracies = [100 * (point.accuracy or 0) for point in selective.curve]
    axis.plot(shares, accuracies, color=BLUE, label="test rows")
    precisions: dict[tuple[float, float], list[str]] = {}  # those that came to the same point
    for target in selective.targets:
        if (found := target.labelled) and found.accuracy is not None:
            place = 100 * found.coverage, 100 * found.accuracy
            precisions.setdefault(place, []).append(f"{100 * target.precision:g}")
    for number, (place, asked) in enumerate(precisions.items()):
        name = None if number else "target precision, by the validation part"
        axis.plot(*place, "o", color=ORANGE, label=name, zorder=3)
        text = f"for {', '.join(asked)} %"
        axis.annotate(text, place, (-4, -13), textcoords="offset points", ha="right", fontsize=9)
    axis.set(xlabel="rows labelled (%)", ylabel="right among them (%)", xlim=(0, 101))
    # The first points have few rows: their intervals would press the curve together.
    lowest = min(*accuracies, bounds[-1, 0])
    axis.set_ylim(max(-2.0, lowest - 5), 102)
    axis.grid(alpha=0.25)
    axis.legend(frameon=False, loc="lower left", fontsize=9)
    return figure


@figure_style()
def opponents(comparison: Comparison, titles: Titles, title: str) -> Figure:
    """Draw the accuracies of the network and its opponents, and its lead over the strongest of these."""
    rows, lead = 1 + len(comparison.opponents), comparison.lead
    figure = Figure(figsize=(FIGURE_WIDTH, 2.3 + 0.8 * rows), layout="constrained")
    set_heading(figure, "Network and opponents, with 95 % intervals", title)
    upper, lower = figure.subplots(2, 1, height_ratios=(rows, 2))
    _draw_accuracies(upper, comparison, titles)
    _draw_interval(lower, lead.difference, lead.interval, 0, BLUE, "{:+.1f}")
    lower.axvline(0, color=GREY, lw=1, ls=":")
    strongest, measure = titles.opponents[comparison.strongest], CRITERIA[comparison.criterion]
    lower.set(xlabel=f"{measure}, network minus\n{strongest} (points)", yticks=[], ylim=(-0.6, 0.7))
    reach = 1.6 * max(1.0, *(abs(100 * bound) for bound in lead.interval))
    lower.set_xlim(-reach, reach)
    for axis in (upper, lower):
        axis.grid(axis="x", alpha=0.25)
    return figure


def _draw_accuracies(axis: Any, comparison: Comparison, titles: Titles) -> None:
    names = [titles.network, *(titles.opponents[key] for key in comparison.opponents)]
    *learned, majority = [comparison.network, *comparison.opponents.values()]
    places, colors = range(len(names))[::-1], [BLUE, *[ORANGE] * (len(learned) - 1), GREY]
    for place, performance, color in zip(places, [*learned, majority], colors, strict=True):
        _draw_interval(
            axis, performance.scores.accuracy, performance.accuracy_interval, place, color, "{:.1f}"
        )
    axis.set_yticks(places, [textwrap.fill(name, 18) for name in names])
    axis.set(xlabel="accuracy on the same rows (%)", ylim=(-0.6, len(names) - 0.3))
    # The limits follow the others: the majority class is mostly far below, and would press them together.
    bounds = [100 * bound for performance in learned for bound in performance.accuracy_interval]
    margin = max(1.0, max(bounds) - min(bounds))
    start = max(0.0, min(bounds) - margin)
    axis.set_xlim(start, max(*bounds, 100 * majority.accuracy_interval[1]) + 0.7 * margin)
    axis.xaxis.set_major_formatter(lambda share, _: f"{share:g}" if share <= 100 else "")
    if 100 * majority.scores.accuracy < start:
        text = f"◂ {100 * majority.scores.accuracy:.1f}"
        offset = {"xytext": (6, 0), "textcoords": "offset points"}
        axis.annotate(text, (start, places[-1]), **offset, va="center", fontsize=9, color=GREY)


def _draw_interval(axis: Any, value: float, interval: Interval, place: int, color: str, form: str) -> None:
    """Draw a share in 0..1 with its interval and its numbers, in % or points."""
    low, high = (100 * bound for bound in interval)
    axis.plot([low, high], [place, place], color=color, lw=2.5, alpha=0.5, solid_capstyle="butt")
    axis.plot(100 * value, place, "o", color=color)
    axis.annotate(
        f"{form.format(100 * value)}   [{form.format(low)}, {form.format(high)}]",
        (100 * value, place),
        (0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        annotation_clip=True,
    )


@figure_style()
def slices(tables: Mapping[str, Sequence[SliceAccuracy]], title: str) -> Figure:
    """Draw the accuracy and the rows of each slice; `tables` by heading are those of `Slices.accuracy`."""
    figure = Figure(figsize=(FIGURE_WIDTH, 0.6 + 3.4 * len(tables)), layout="constrained")
    set_heading(figure, "Accuracy by slice, with 95 % intervals", title)
    lowest = min(entry.interval[0] for table in tables.values() for entry in table if entry.interval)
    axes = figure.subplots(2 * len(tables), 1, height_ratios=(3, 1) * len(tables))
    for (heading, table), upper, lower in zip(tables.items(), axes[::2], axes[1::2], strict=True):
        filled = [place for place, entry in enumerate(table) if entry.rows]
        values = 100 * np.array([table[place].accuracy for place in filled], float)
        bounds: NDArray[np.float64] = 100 * np.array([table[place].interval for place in filled])
        upper.errorbar(
            filled, values, np.abs(bounds.reshape(-1, 2).T - values), fmt="o", color=BLUE, capsize=3
        )
        bars = lower.bar(range(len(table)), [entry.rows for entry in table], color=BLUE, alpha=0.45)
        lower.bar_label(bars, [f"{entry.rows:,}" for entry in table], fontsize=8)
        lower.margins(y=0.3)
        lower.set_xticks(range(len(table)), [entry.name for entry in table], fontsize=8.5)
        lower.set(xlabel=heading, ylabel="rows")
        upper.sharex(lower)
        upper.tick_params(axis="x", labelbottom=False)
        upper.grid(axis="y", alpha=0.25)
        upper.set(ylabel="accuracy (%)", ylim=(max(-2.0, 100 * lowest - 5), 102))
    return figure
