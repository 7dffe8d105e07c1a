"""Figures that compare many trainings. Each function returns a figure that the caller saves."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

import numpy as np

from ..measures.comparison import MAJORITY
from ..options import CRITERIA
from ..review.style import BLUE, GREY, ORANGE, Figure, figure_style, set_heading
from .corpus_table import Cell, Cells
from .dense_equivalents import MeasuredNetwork
from .learning_curve import LearningCurve

MAX_TITLE_COLUMNS = 40


@figure_style()
def corpus_scores(rows: Cells) -> Figure:
    """Draw each contestant's mean accuracy on each corpus, with its standard deviation and its paper's.

    A point is hollow where a model was run on other rows than the opponents.
    """
    corpora = sorted({corpus for row in rows.values() for corpus in row})
    height = 0.2 * len(rows) * max(_wrapped(title).count("\n") + 1 for title in rows)
    figure = Figure(figsize=(9, 1.2 + len(corpora) * (0.5 + height)), layout="constrained")
    for axis, corpus in zip(figure.subplots(len(corpora), 1, squeeze=False)[:, 0], corpora, strict=True):
        # The majority class is far below, and would press the others together.
        shown = {
            title: row[corpus] for title, row in rows.items() if corpus in row and "majority" not in title
        }
        _draw_corpus(axis, shown)
        axis.set(title=corpus)
    axis.set_xlabel("accuracy (%)")
    handles = {
        label: handle
        for axis in figure.axes
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, frameon=False, loc="outside upper right", ncols=3)
    return figure


def _draw_corpus(axis: Any, cells: dict[str, Cell]) -> None:
    places = np.arange(len(cells))[::-1]
    axis.errorbar(
        [cell.mean for cell in cells.values()],
        places,
        xerr=[cell.deviation for cell in cells.values()],
        fmt="o",
        color=BLUE,
        label="measured: mean, standard deviation",
    )
    by_place = list(zip(cells.values(), places, strict=True))
    hollow = [(cell.mean, place) for cell, place in by_place if cell.on_other_rows]
    if hollow:
        axis.plot(*zip(*hollow, strict=True), "o", color=BLUE, mfc="white", zorder=3, label="on other rows")
    published = [(cell.published, place) for cell, place in by_place if cell.published is not None]
    if published:
        axis.plot(*zip(*published, strict=True), "x", color=ORANGE, label="from the paper")
    axis.set_yticks(places, [_wrapped(title) for title in cells])
    axis.set(ylim=(-0.7, len(cells) - 0.3))
    axis.grid(axis="x", alpha=0.25)


def _wrapped(title: str) -> str:
    return fill(title, MAX_TITLE_COLUMNS, break_on_hyphens=False)


@figure_style()
def shifted_accuracies(networks: Sequence[MeasuredNetwork], unit: str, title: str) -> Figure:
    """Draw each network's accuracy on shifted test rows, and its numbers of connections and parameters.

    `unit` is that of the shifts. A network that was not trained has no line.
    """
    figure = Figure(figsize=(11, 4), layout="constrained")
    figure.suptitle(title)
    left, right = figure.subplots(1, 2, width_ratios=(3, 2))
    for network, color, marker in zip(networks, (BLUE, ORANGE, GREY), "os^", strict=True):
        if network.accuracy:
            values = [100 * value for value in network.accuracy]
            left.plot(range(len(values)), values, f"{marker}-", ms=4, color=color, label=network.title)
    left.set(xlabel=f"test rows shifted by ({unit})", ylabel="accuracy (%)", ylim=(0, 102))
    left.legend(frameon=False)
    left.xaxis.get_major_locator().set_params(integer=True)
    _draw_counts(right, networks)
    for axis in (left, right):
        axis.grid(alpha=0.25)
    return figure


def _draw_counts(axis: Any, networks: Sequence[MeasuredNetwork]) -> None:
    counts = {
        "connections": [network.connections for network in networks],
        "parameters": [network.parameters for network in networks],
    }
    places = np.arange(len(networks))[::-1]
    for (name, numbers), offset, color in zip(counts.items(), (0.15, -0.15), (ORANGE, BLUE), strict=True):
        axis.plot(numbers, places + offset, "o", color=color, label=name)
        for number, place in zip(numbers, places + offset, strict=True):
            text = _with_unit(number)
            axis.annotate(text, (number, place), (7, 0), textcoords="offset points", va="center", fontsize=9)
    axis.set_yticks(places, [network.title.replace(", ", ",\n") for network in networks])
    bounds = [number for numbers in counts.values() for number in numbers]
    axis.set(xscale="log", xlim=(min(bounds) / 3, max(bounds) * 20), ylim=(-0.6, len(networks) - 0.4))
    axis.set(xlabel="number (logarithmic)")
    axis.xaxis.set_major_formatter(lambda number, _: _with_unit(int(number)))
    axis.xaxis.set_minor_formatter("")
    axis.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)


def _with_unit(number: int) -> str:
    """Return 1,234,567 as "1.23 M"."""
    for power, unit in ((9, " G"), (6, " M"), (3, " k")):
        if number >= 10**power:
            return f"{number / 10**power:.3g}{unit}"
    return str(number)


@figure_style()
def learning_curves(curve: LearningCurve, subject: str) -> Figure:
    """Draw the score of the network and its opponents over the labelled rows, with intervals.

    The opponent that is best at all rows has a colour; the majority class, far below, is left out.
    """
    network, *opponents = (entry for entry in curve.contestants if entry.key != MAJORITY)
    opponents.sort(key=lambda entry: -entry.scores[-1].mean)
    figure = Figure(figsize=(7, 5), layout="constrained")
    axis = figure.subplots()
    colors, markers = [BLUE, ORANGE, *[GREY] * len(opponents)], "os^Dv<>pP"
    shown = [network, *opponents]
    for number, (entry, color, marker) in enumerate(zip(shown, colors, markers, strict=False)):
        means, low, high = (
            100 * np.array([getattr(score, end) for score in entry.scores]) for end in ("mean", "low", "high")
        )
        aside = 1.025 ** (number - (len(shown) - 1) / 2)  # so that intervals do not cover each other
        axis.errorbar(
            np.array(curve.rows) * aside,
            means,
            yerr=(means - low, high - means),
            fmt=f"{marker}-",
            ms=5,
            lw=2 if number == 0 else 1,
            elinewidth=1,
            capsize=2,
            color=color,
            zorder=len(shown) - number + 2,
            label=fill(entry.title, MAX_TITLE_COLUMNS, break_on_hyphens=False),
        )
    ticks = [f"{rows:,}\n{100 * share:.0f} %" for rows, share in zip(curve.rows, curve.shares, strict=True)]
    axis.set_xscale("log")
    axis.set_xticks(curve.rows, ticks)
    axis.minorticks_off()
    axis.set(xlabel="labelled rows (logarithmic)", ylabel=f"{CRITERIA[curve.criterion]} (%), 95 % interval")
    axis.grid(alpha=0.25)
    figure.legend(frameon=False, loc="outside lower center", ncols=2, fontsize=9)
    set_heading(figure, "What more labels bring", subject)
    return figure
