"""The figures of `make table` and `make why`. Each function returns a figure that the caller saves."""

from __future__ import annotations

from textwrap import fill

import numpy as np

from ..review.figures import BLUE, GREY, ORANGE, Figure
from .cross_validation import Cells


def comparison(rows: Cells) -> Figure:
    """Each contestant's mean on each corpus with its standard deviation, and what its paper gives; hollow
    where it is on other rows than the opponents."""
    corpora = sorted({corpus for row in rows.values() for corpus in row})
    titles = {name: fill(name, 40, break_on_hyphens=False) for name in rows}
    height = 0.2 * len(rows) * max(title.count("\n") + 1 for title in titles.values())
    figure = Figure(figsize=(9, 1.2 + len(corpora) * (0.5 + height)), layout="constrained")
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
        others = [
            (cell.mean, place) for cell, place in zip(shown.values(), places, strict=True) if cell.elsewhere
        ]
        if others:
            axis.plot(
                *zip(*others, strict=True), "o", color=BLUE, mfc="white", zorder=3, label="on other rows"
            )
        published = [(cell.published, place) for cell, place in zip(shown.values(), places, strict=True)]
        known = [(value, place) for value, place in published if value is not None]
        if known:
            axis.plot(*zip(*known, strict=True), "x", color=ORANGE, label="the paper")
        axis.set_yticks(places, [titles[name] for name in shown])
        axis.set(title=corpus, ylim=(-0.7, len(shown) - 0.3))
        axis.grid(axis="x", alpha=0.25)
    axis.set_xlabel("accuracy (%)")
    handles = {
        label: handle
        for each in figure.axes
        for handle, label in zip(*each.get_legend_handles_labels(), strict=True)
    }
    figure.legend(handles.values(), handles, frameon=False, loc="outside upper right", ncols=3)
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
