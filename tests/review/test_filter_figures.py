from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.review import filter_figures
from pipeline.review.ngram_filters import Ngram, NgramFilter


def one(label: str, push: float, *ngrams: str, second: str = "") -> NgramFilter:
    return NgramFilter(0, 3, label, second, 1.0, push, [Ngram(ngram, push) for ngram in ngrams])


def ticks(axis) -> list[str]:
    return [tick.get_text() for tick in axis.get_yticklabels()]


def written(axis) -> list[str]:
    return [text.get_text() for text in axis.texts]


def test_filters_stand_by_class_the_strongest_first_below_their_n_grams() -> None:
    filters = [one("good", 1, "a b c"), one("bad", 2, "d"), one("good", 3, "e", "f"), one("bad", 0)]
    (axis,) = filter_figures.ngram_filters(filters, ["bad", "good"], "run").axes
    assert [bar.get_width() for bar in axis.patches] == [2, 3, 1]
    assert ticks(axis) == ["bad", "good", ""]
    assert written(axis) == ["d", "e | f", "a b c"]


def test_a_class_that_a_filter_speaks_for_almost_as_much_is_named_too() -> None:
    filters = [one("good", 3, "a", second="fine"), one("good", 2, "b"), one("good", 1, "c")]
    (axis,) = filter_figures.ngram_filters(filters, ["fine", "good"], "run").axes
    assert ticks(axis) == ["good,\nfine", "good", ""]


@pytest.mark.parametrize(("classes", "shown"), [(2, 12), (10, 30), (77, 30)])
def test_no_more_filters_are_shown_than_can_be_read(classes: int, shown: int, tmp_path: Path) -> None:
    labels = [f"class {number}" for number in range(classes)]
    filters = [one(labels[number % classes], number + 1.0, "some words") for number in range(300)]
    figure = filter_figures.ngram_filters(filters, labels, "run")
    assert len(figure.axes[0].patches) == shown
    if classes == 77:
        assert "class 67" in ticks(figure.axes[0])
        assert "30 of 77 classes" in figure.get_suptitle().replace("\n", " ").replace("\n", " ")
    figure.write_png(tmp_path / "filters.png")


def test_a_network_whose_filters_nothing_fires_has_an_empty_figure(tmp_path: Path) -> None:
    filter_figures.ngram_filters([one("a", 0)], ["a", "b"], "run").write_png(tmp_path / "filters.png")


def test_what_there_is_no_room_for_is_left_out() -> None:
    long = ["word " * 8 + str(number) for number in range(3)]
    (axis,) = filter_figures.ngram_filters([one("a", 1, *long)], ["a"], "run").axes
    assert written(axis) == [long[0]]
    (axis,) = filter_figures.ngram_filters([one("a", 1, "x" * 200)], ["a"], "run").axes
    assert written(axis) == ["x" * 24 + "…" + "x" * 23]


@pytest.mark.parametrize("channels", [1, 3])
def test_first_layer_filters_are_on_one_scale_that_is_symmetric(channels: int, tmp_path: Path) -> None:
    filters = np.random.default_rng(1).normal(size=(3, 3, channels, 70)).astype(np.float32)
    figure = filter_figures.filter_tiles(filters, "run")
    image = figure.axes[0].images[0]
    most = np.abs(filters).max()
    assert "64 of 70 first-layer filters, 3 × 3 ×" in figure.get_suptitle()
    if channels == 1:
        assert image.get_clim() == pytest.approx((-most, most))
        np.testing.assert_allclose(image.get_array()[:3, :3], filters[:, :, 0, 0])
    else:
        np.testing.assert_allclose(image.get_array()[:3, :3], 0.5 + filters[..., 0] / (2 * most), rtol=1e-5)
    figure.write_png(tmp_path / "filters.png")


def test_feature_maps_are_drawn_beside_the_filter_banks(tmp_path: Path) -> None:
    maps = np.random.default_rng(1).uniform(size=(8, 8, 5)).astype(np.float32)
    edges = {name: maps[:6, :6, 0] - 0.5 for name in ("vertical", "sobel")}
    for channels in (1, 3):
        picture = np.zeros((8, 8, channels), np.uint8)
        figure = filter_figures.feature_maps(picture, edges, maps, "run")
        titles = [axis.get_title().partition("\n")[0] for axis in figure.axes]
        assert titles[:4] == [
            "the image",
            "vertical",
            "sobel",
            "5 feature maps of the network's first layer",
        ]
        figure.write_png(tmp_path / f"{channels}.png")
