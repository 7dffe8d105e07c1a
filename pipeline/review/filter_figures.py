"""The figures of what filters have learned. Each function returns a figure that the caller saves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..images.edge_kernels import KERNELS
from .figures import BLUE, LEGIBLE_CLASSES, ORANGE, WIDTH, Figure, cut, headed
from .filters import NgramFilter

ROWS = 30  # filters over tokens that are shown, as many as can be read
MOST_FOR_A_CLASS = 6
LONGEST = 48  # characters of n-grams on a bar
TILES = 64  # first-layer filters, or their feature maps
TILE_INCHES = 0.62
ABREAST = 6  # tiles, in the figures' width


def ngram_filters(filters: Sequence[NgramFilter], labels: Sequence[str], title: str) -> Figure:
    """The filters that push a class's logit most, and on them the n-grams that they fire on; of many classes,
    those with the strongest. A class that a filter speaks for almost as much is named too."""
    by_class = {
        label: sorted((one for one in filters if one.label == label), key=lambda one: -one.push)
        for label in labels
    }
    spoken = [label for label in labels if by_class[label] and by_class[label][0].push > 0]
    strongest = sorted(spoken, key=lambda label: -by_class[label][0].push)[:LEGIBLE_CLASSES]
    each = min(MOST_FOR_A_CLASS, max(1, ROWS // max(1, len(strongest))))
    shown = [one for label in labels if label in strongest for one in by_class[label][:each] if one.push > 0]
    figure = Figure(figsize=(WIDTH, 1.5 + 0.27 * len(shown)), layout="constrained")
    axis = figure.subplots()
    places = np.arange(len(shown))[::-1]
    colors = [(BLUE, ORANGE)[strongest_order % 2] for strongest_order in _runs(shown)]
    axis.barh(places, [one.push for one in shown], color=colors, alpha=0.35, height=0.85)
    names = [",\n".join(cut(name, 26) for name in (one.label, one.second) if name) for one in shown]
    axis.set_yticks(places, _first_of_each(names), fontsize=7.5)
    axis.tick_params(axis="y", length=0)
    for one, place in zip(shown, places, strict=True):
        axis.annotate(_ngrams(one), (0, place), (3, 0), textcoords="offset points", va="center", fontsize=7.5)
    left_out = f" ({len(strongest)} of {len(labels)} classes)" if len(strongest) < len(labels) else ""
    headed(figure, f"What filters fire on in the test part{left_out}", title)
    figure.supxlabel(
        "what the strongest n-gram adds to the class's logit,\nabove the mean of the classes (nats)",
        fontsize=9,
    )
    axis.set_ylim(-0.7, max(1, len(shown)) - 0.3)
    axis.grid(axis="x", alpha=0.25)
    return figure


def filter_tiles(filters: NDArray[np.float32], title: str) -> Figure:
    """First-layer filters [height, width, channels, filters]: three channels in colour, where mid-grey is 0;
    one in a diverging map. One symmetric scale for all."""
    height, width, channels, count = filters.shape
    tiles = filters.transpose(3, 0, 1, 2)[:TILES]
    most = float(np.abs(filters).max()) or 1.0
    mosaic, inches = _mosaic(0.5 + tiles / (2 * most) if channels == 3 else tiles.mean(axis=-1))
    figure = Figure(figsize=(WIDTH, inches[1] + 1.1), layout="constrained")
    axis = figure.subplots()
    image = axis.imshow(mosaic, cmap="RdBu_r", vmin=-most, vmax=most, interpolation="nearest")
    axis.set(xticks=[], yticks=[], facecolor="0.8")  # between the tiles, whose white is a weight of 0
    some = f"{len(tiles)} of {count}" if len(tiles) < count else str(count)
    headed(figure, f"{some} first-layer filters, {height} × {width} × {channels}", title)
    if channels == 3:
        scale = f"red, green and blue; mid-grey is 0, full colour {most:.2f}"
        axis.text(0.5, -0.02, scale, ha="center", va="top", transform=axis.transAxes)
    else:
        figure.colorbar(image, ax=axis, shrink=0.8, label="weight")
    return figure


def feature_maps(
    picture: NDArray[np.uint8],
    edges: dict[str, NDArray[np.float32]],
    maps: NDArray[np.float32],
    title: str,
) -> Figure:
    """One picture [height, width, channels], what the filter bank's kernels make of it, by name, and what the
    network's first layer does: `maps` [height, width, filters]."""
    tiles = maps.transpose(2, 0, 1)[:TILES]
    mosaic, inches = _mosaic(tiles)
    figure = Figure(figsize=(WIDTH, inches[1] + 3.2), layout="constrained")
    headed(figure, "What the first layer makes of a picture", title)
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(1.7, inches[1] + 0.6))[:, 0]
    first, *rest = upper.subplots(1, 1 + len(edges))
    first.imshow(picture if picture.shape[-1] == 3 else picture[..., 0], cmap="gray", vmin=0, vmax=255)
    first.set_title("the picture", fontsize=7)
    for axis, (name, found) in zip(rest, edges.items(), strict=True):
        most = float(np.abs(found).max()) or 1.0
        axis.imshow(found, cmap="RdBu_r", vmin=-most, vmax=most)
        axis.set_title(f"{name}\n{_numbers(KERNELS[name])}", fontsize=7, family="monospace")
    axis = lower.subplots()
    signed = float(tiles.min()) < 0
    most = float(np.abs(tiles).max()) or 1.0
    image = axis.imshow(
        mosaic, cmap="RdBu_r" if signed else "viridis", vmin=-most if signed else 0, vmax=most
    )
    some = f"{len(tiles)} of {maps.shape[-1]}" if len(tiles) < maps.shape[-1] else str(maps.shape[-1])
    axis.set_title(f"{some} feature maps of the network's first layer", fontsize=9)
    lower.colorbar(image, ax=axis, shrink=0.8, label="output")
    for axis in figure.axes:
        if axis.images and axis is not lower.axes[-1]:
            axis.axis("off")
    return figure


def _mosaic(tiles: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[float, float]]:
    """Tiles [n, height, width] or [n, height, width, 3] as one image with white between, and its width and
    height in inches."""
    count, height, width = tiles.shape[:3]
    columns = min(count, ABREAST)
    rows = -(-count // columns)
    gap = max(1, width // 12)
    empty = 1.0 if tiles.ndim == 4 else np.nan
    mosaic = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, *tiles.shape[3:]), empty, np.float32
    )
    for number, tile in enumerate(tiles):
        top, left = (height + gap) * (number // columns), (width + gap) * (number % columns)
        mosaic[top : top + height, left : left + width] = tile
    return mosaic, (TILE_INCHES * columns, TILE_INCHES * rows * height / width)


def _runs(filters: Sequence[NgramFilter]) -> list[int]:
    """Counts the classes from one filter to the next, so that neighbouring classes differ in colour."""
    order = list(dict.fromkeys(one.label for one in filters))
    return [order.index(one.label) for one in filters]


def _first_of_each(names: list[str]) -> list[str]:
    return [name if place == 0 or names[place - 1] != name else "" for place, name in enumerate(names)]


def _ngrams(one: NgramFilter) -> str:
    """As many of its n-grams as there is room for."""
    shown = ""
    for ngram in one.ngrams:
        longer = f"{shown} | {ngram.text}" if shown else ngram.text
        if len(longer) > LONGEST and shown:
            break
        shown = longer
    return cut(shown, LONGEST)


def _numbers(kernel: NDArray[np.float32]) -> str:
    return "\n".join(" ".join(f"{value:3.0f}" for value in row) for row in kernel)
