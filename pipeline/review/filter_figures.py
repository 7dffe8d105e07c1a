"""The figures of a network's filters. Each function returns a figure that the caller saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..images.edge_kernels import KERNELS
from ..terminal import shorten_middle
from .ngram_filters import NgramFilter
from .style import BLUE, FIGURE_WIDTH, LEGIBLE_CLASSES, ORANGE, Figure, figure_style, set_heading

MAX_BARS = 30  # filters over tokens, as many as can be read
MAX_BARS_PER_CLASS = 6
MAX_NGRAM_CHARACTERS = 48  # on a bar
MAX_LABEL_CHARACTERS = 26
MAX_TILES = 64  # first-layer filters, or their feature maps
TILE_INCHES = 0.62
TILES_PER_ROW = 6  # in the figures' width
GREYS = {"cmap": "gray", "vmin": 0, "vmax": 255}


@figure_style()
def ngram_filters(filters: Sequence[NgramFilter], labels: Sequence[str], title: str) -> Figure:
    """Draw the filters that add most to a class's logit, with the n-grams that activate them.

    Of many classes, those with the strongest filters are shown. A second class of nearly the same weight is
    named as well.
    """
    by_class = {
        label: sorted((entry for entry in filters if entry.label == label), key=lambda entry: -entry.push)
        for label in labels
    }
    active = [label for label in labels if by_class[label] and by_class[label][0].push > 0]
    strongest = sorted(active, key=lambda label: -by_class[label][0].push)[:LEGIBLE_CLASSES]
    bars_per_class = min(MAX_BARS_PER_CLASS, max(1, MAX_BARS // max(1, len(strongest))))
    bars = [
        entry
        for label in labels
        if label in strongest
        for entry in by_class[label][:bars_per_class]
        if entry.push > 0
    ]
    figure = Figure(figsize=(FIGURE_WIDTH, 1.5 + 0.27 * len(bars)), layout="constrained")
    _draw_bars(figure.subplots(), bars)
    note = f" ({len(strongest)} of {len(labels)} classes)" if len(strongest) < len(labels) else ""
    set_heading(figure, f"N-grams of the test part that activate the filters most{note}", title)
    figure.supxlabel(
        "what the strongest n-gram adds to the class's logit,\nrelative to the mean over classes (nats)",
        fontsize=9,
    )
    return figure


def _draw_bars(axis: Any, bars: Sequence[NgramFilter]) -> None:
    places = np.arange(len(bars))[::-1]
    axis.barh(places, [entry.push for entry in bars], color=_alternating(bars), alpha=0.35, height=0.85)
    names = [
        ",\n".join(shorten_middle(name, MAX_LABEL_CHARACTERS) for name in (entry.label, entry.second) if name)
        for entry in bars
    ]
    axis.set_yticks(places, _without_repetitions(names), fontsize=7.5)
    axis.tick_params(axis="y", length=0)
    for entry, place in zip(bars, places, strict=True):
        offset = {"xytext": (3, 0), "textcoords": "offset points"}
        axis.annotate(_joined_ngrams(entry), (0, place), **offset, va="center", fontsize=7.5)
    axis.set_ylim(-0.7, max(1, len(bars)) - 0.3)
    axis.grid(axis="x", alpha=0.25)


@figure_style()
def filter_tiles(filters: NDArray[np.float32], title: str) -> Figure:
    """Draw first-layer filters [height, width, channels, filters] on one symmetric scale.

    Three channels are drawn in colour, where mid-grey is 0; one channel with a diverging colour map.
    """
    height, width, channels, count = filters.shape
    tiles = filters.transpose(3, 0, 1, 2)[:MAX_TILES]
    largest = float(np.abs(filters).max()) or 1.0
    mosaic, inches = _mosaic(0.5 + tiles / (2 * largest) if channels == 3 else tiles.mean(axis=-1))
    figure = Figure(figsize=(FIGURE_WIDTH, inches + 1.1), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(mosaic, cmap="RdBu_r", vmin=-largest, vmax=largest, interpolation="nearest")
    axis.set(xticks=[], yticks=[], facecolor="0.8")  # between the tiles, where white is a weight of 0
    shape = f"{height} × {width} × {channels}"
    set_heading(figure, f"{_count(len(tiles), count)} first-layer filters, {shape}", title)
    if channels == 3:
        scale = f"red, green and blue; mid-grey is 0, full colour {largest:.2f}"
        axis.text(0.5, -0.02, scale, ha="center", va="top", transform=axis.transAxes)
    else:
        figure.colorbar(image, ax=axis, shrink=0.8, label="weight")
    return figure


@figure_style()
def feature_maps(
    picture: NDArray[np.uint8],
    edges: dict[str, NDArray[np.float32]],
    maps: NDArray[np.float32],
    title: str,
) -> Figure:
    """Draw one image, the outputs of the edge kernels for it, and those of the network's first layer.

    `picture` is uint8 [height, width, channels], `edges` float32 [height, width] by kernel, and `maps`
    float32 [height, width, filters].
    """
    tiles = maps.transpose(2, 0, 1)[:MAX_TILES]
    mosaic, inches = _mosaic(tiles)
    figure = Figure(figsize=(FIGURE_WIDTH, inches + 3.2), layout="constrained")
    set_heading(figure, "Feature maps of the first layer for one image", title)
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.7, inches + 0.6))[:, 0]
    _draw_edges(upper, picture, edges)
    axis = lower.subplots()
    largest = float(np.abs(tiles).max()) or 1.0
    has_negative = float(tiles.min()) < 0
    scale = {"cmap": "RdBu_r", "vmin": -largest} if has_negative else {"cmap": "viridis", "vmin": 0}
    image = axis.imshow(mosaic, **scale, vmax=largest)
    number = _count(len(tiles), maps.shape[-1])
    axis.set_title(f"{number} feature maps of the network's first layer", fontsize=9)
    axis.axis("off")
    lower.colorbar(image, ax=axis, shrink=0.8, label="output")
    return figure


def _draw_edges(figure: Any, picture: NDArray[np.uint8], edges: dict[str, NDArray[np.float32]]) -> None:
    first, *following = figure.subplots(1, 1 + len(edges))
    first.imshow(picture if picture.shape[-1] == 3 else picture[..., 0], **GREYS)
    first.set_title("the image", fontsize=7)
    first.axis("off")
    for axis, (name, edge_map) in zip(following, edges.items(), strict=True):
        largest = float(np.abs(edge_map).max()) or 1.0
        axis.imshow(edge_map, cmap="RdBu_r", vmin=-largest, vmax=largest)
        axis.set_title(f"{name}\n{_numbers(KERNELS[name])}", fontsize=7, family="monospace")
        axis.axis("off")


def _count(shown: int, total: int) -> str:
    return f"{shown} of {total}" if shown < total else str(total)


def _mosaic(tiles: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
    """Return the tiles as one image with gaps, and its height in inches.

    `tiles` [n, height, width] or [n, height, width, 3]; gaps are white or, without colours, NaN.
    """
    count, height, width = tiles.shape[:3]
    columns = min(count, TILES_PER_ROW)
    rows = -(-count // columns)
    gap = max(1, width // 12)
    empty = 1.0 if tiles.ndim == 4 else np.nan
    mosaic = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, *tiles.shape[3:]), empty, np.float32
    )
    for number, tile in enumerate(tiles):
        top, left = (height + gap) * (number // columns), (width + gap) * (number % columns)
        mosaic[top : top + height, left : left + width] = tile
    return mosaic, TILE_INCHES * rows * height / width


def _alternating(bars: Sequence[NgramFilter]) -> list[str]:
    """Return a colour for each bar, so that neighbouring classes differ."""
    order = list(dict.fromkeys(entry.label for entry in bars))
    return [(BLUE, ORANGE)[order.index(entry.label) % 2] for entry in bars]


def _without_repetitions(names: list[str]) -> list[str]:
    return [name if place == 0 or names[place - 1] != name else "" for place, name in enumerate(names)]


def _joined_ngrams(entry: NgramFilter) -> str:
    """Return as many of the filter's n-grams as fit on a bar."""
    text = ""
    for ngram in entry.ngrams:
        longer = f"{text} | {ngram.text}" if text else ngram.text
        if len(longer) > MAX_NGRAM_CHARACTERS and text:
            break
        text = longer
    return shorten_middle(text, MAX_NGRAM_CHARACTERS)


def _numbers(kernel: NDArray[np.float32]) -> str:
    return "\n".join(" ".join(f"{value:3.0f}" for value in row) for row in kernel)
