"""The figures of a run, and the style of all. Each function returns a figure that the caller saves."""

from __future__ import annotations

import textwrap
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")

import numpy as np
from matplotlib.figure import Figure as Figure  # for those who draw or keep figures elsewhere
from matplotlib.font_manager import fontManager

from ..measures.calibration import Reliability
from ..measures.comparison import Comparison, Titles
from ..measures.metrics import wilson_interval
from ..measures.slices import SliceAccuracy

# DejaVu comes with matplotlib; for labels of other scripts, whatever the machine has.
_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Noto Sans",
)
FIGURE_DPI = 150
WIDTH = 5.2  # inches: what is drawn as wide can be read where a phone makes it as wide as its screen
_INSTALLED = {font.name for font in fontManager.ttflist}
matplotlib.rcParams["font.family"] = ["DejaVu Sans", *(font for font in _FONTS if font in _INSTALLED)]
matplotlib.rcParams["savefig.dpi"] = FIGURE_DPI
matplotlib.rcParams["text.parse_math"] = False  # a label may hold dollar signs
warnings.filterwarnings("ignore", "Glyph .* missing from font", UserWarning)

BLUE, ORANGE, GREY = "#2f6db3", "#d9822b", "#7a7a7a"
UNMOVED = 0.01  # a temperature that is so near to 1 moves no point that one could see
LEGIBLE_CLASSES = 30  # beyond it, cells are too small for numbers and names
CHARACTER = 0.58  # of the font's size: about its width


def learning_curves(history: list[dict[str, float]], title: str, criterion: str) -> Figure:
    """Loss and accuracy by epoch, of the training and the validation part; the epoch that was kept for the
    validation part's `criterion` is marked. Each member of an ensemble has lines of its own."""
    members = [
        [record for record in history if record["member"] == member]
        for member in sorted({record["member"] for record in history})
    ]
    figure = Figure(figsize=(WIDTH, 6), layout="constrained")
    headed(figure, "Learning curves", title)
    for axis, name, scale, unit in zip(
        figure.subplots(2, 1, sharex=True),
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
        axis.set_ylabel(unit)
        axis.xaxis.get_major_locator().set_params(integer=True)
        axis.grid(alpha=0.25)
    axis.set_xlabel("epoch")
    axis.legend(frameon=False)
    return figure


def calibration(before: Reliability, after: Reliability, temperature: float, title: str) -> Figure:
    """The reliability diagram, without and with the temperature, and below it how sure the rows are: once,
    where the temperature is so near to 1 that one would hide the other.

    A point's area is its share of the rows, its line the 95 % interval, wide where rows are few.
    """
    figure = Figure(figsize=(WIDTH, 6), layout="constrained")
    headed(figure, "Reliability of the probabilities", title)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges = np.linspace(0, 100, len(after.rows) + 1)
    upper.plot([0, 100], [0, 100], color=GREY, lw=1, ls=":", label="as right as sure")
    series = [(after, BLUE, f"temperature {temperature:.2f}")]
    if abs(temperature - 1) >= UNMOVED:
        series.insert(0, (before, ORANGE, "temperature 1"))
    for bins, color, name in series:
        filled = bins.rows > 0
        shares = bins.rows / bins.rows.sum()
        confidence, accuracy = 100 * bins.confidence[filled], 100 * bins.accuracy[filled]
        upper.scatter(
            confidence,
            accuracy,
            s=4 + 300 * shares[filled],
            color=color,
            alpha=0.75,
            linewidths=0,
            label=f"{name}: error {bins.error:.1%}",
            zorder=3,
        )
        right = np.rint(bins.accuracy * bins.rows).astype(int)[filled].tolist()
        pairs = zip(right, bins.rows[filled].tolist(), strict=True)
        bounds = 100 * np.array([wilson_interval(*pair) for pair in pairs]).reshape(-1, 2)
        upper.vlines(confidence, *bounds.T, color=color, lw=1, alpha=0.5)
        lower.stairs(100 * shares, edges, color=color, lw=1.5)
    lowest = edges[np.argmax(before.rows + after.rows > 0)]
    upper.set(ylabel="right (%)", xlim=(lowest, 100), ylim=(-2, 102))
    lower.set(xlabel="probability of the predicted class (%)", ylabel="rows (%)")
    for axis in (upper, lower):
        axis.grid(alpha=0.25)
    legend = upper.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=9)
    for handle in legend.legend_handles[1:]:
        handle.set_sizes([30])
    return figure


def opponents(comparison: Comparison, titles: Titles, title: str) -> Figure:
    """Accuracies beside each other, and the network's lead over the baseline, each with its 95 % interval."""
    network, baseline, majority = comparison.network, comparison.baseline, comparison.majority
    names = (titles.network, titles.baseline, titles.majority)
    figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
    headed(figure, "Network, baseline and majority class, with 95 % intervals", title)
    upper, lower = figure.subplots(2, 1, height_ratios=(3, 2))
    places = [2, 1, 0]
    for place, performance, color in zip(
        places, (network, baseline, majority), (BLUE, ORANGE, GREY), strict=True
    ):
        accuracy, interval = performance.scores.accuracy, performance.accuracy_interval
        _interval(upper, accuracy, interval, place, color, "{:.1f}")
    upper.set_yticks(places, [textwrap.fill(name, 18) for name in names])
    upper.set(xlabel="accuracy on the same rows (%)", ylim=(-0.6, len(names) - 0.3))
    # By the two that are compared: the majority class is mostly far below, and would press them together.
    bounds = [100 * bound for bound in (*network.accuracy_interval, *baseline.accuracy_interval)]
    reach = max(1.0, max(bounds) - min(bounds))
    end = max(*bounds, 100 * majority.accuracy_interval[1])
    upper.set_xlim(start := max(0.0, min(bounds) - reach), end + 0.7 * reach)
    upper.xaxis.set_major_formatter(lambda share, _: f"{share:g}" if share <= 100 else "")
    if 100 * majority.scores.accuracy < start:
        upper.annotate(
            f"◂ {100 * majority.scores.accuracy:.1f}",
            (start, places[-1]),
            (6, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
            color=GREY,
        )
    _interval(lower, comparison.difference, comparison.difference_interval, 0, BLUE, "{:+.1f}")
    lower.axvline(0, color=GREY, lw=1, ls=":")
    lower.set(xlabel="network minus baseline (points)", yticks=[], ylim=(-0.6, 0.7))
    reach = 1.6 * max(1.0, *(abs(100 * bound) for bound in comparison.difference_interval))
    lower.set_xlim(-reach, reach)
    for axis in (upper, lower):
        axis.grid(axis="x", alpha=0.25)
    return figure


def slices(tables: Mapping[str, Sequence[SliceAccuracy]], title: str) -> Figure:
    """Accuracy with its 95 % interval, and rows, by bin: for each heading what `Slices.accuracy` gives."""
    figure = Figure(figsize=(WIDTH, 0.6 + 3.4 * len(tables)), layout="constrained")
    headed(figure, "Accuracy by slice, with 95 % intervals", title)
    lowest = min(entry.interval[0] for table in tables.values() for entry in table if entry.interval)
    axes = figure.subplots(2 * len(tables), 1, height_ratios=(3, 1) * len(tables))
    for (heading, table), upper, lower in zip(tables.items(), axes[::2], axes[1::2], strict=True):
        filled = [place for place, entry in enumerate(table) if entry.rows]
        values = 100 * np.array([table[place].accuracy for place in filled], float)
        bounds = 100 * np.array([table[place].interval for place in filled]).reshape(-1, 2).T
        upper.errorbar(filled, values, np.abs(bounds - values), fmt="o", color=BLUE, capsize=3)
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


def headed(figure: Figure, what: str, of: str) -> None:
    """What is drawn, and of what."""
    room = int(72 * figure.get_figwidth() / (10 * CHARACTER))
    figure.suptitle("\n".join(textwrap.fill(line, room) for line in (what, of)), fontsize=10)


def cut(text: str, most: int) -> str:
    """On one line, and no longer than there is room for: without its middle, as names that begin alike differ
    at their ends."""
    shown = " ".join(text.split())
    head = most // 2
    return shown if len(shown) <= most else f"{shown[:head]}…{shown[len(shown) - (most - 1 - head) :]}"


def _interval(axis: Any, value: float, bounds: Sequence[float], place: int, color: str, form: str) -> None:
    """A share, 0..1, in % with its interval and its number."""
    low, high = (100 * bound for bound in bounds)
    axis.plot([low, high], [place, place], color=color, lw=2.5, alpha=0.5, solid_capstyle="butt")
    axis.plot(100 * value, place, "o", color=color)
    number = f"{form.format(100 * value)}   [{form.format(low)}, {form.format(high)}]"
    axis.annotate(
        number,
        (100 * value, place),
        (0, 9),
        textcoords="offset points",
        ha="center",
        fontsize=9,
        annotation_clip=True,
    )
