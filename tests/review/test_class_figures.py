"""Figures of classes, from two of them to more than can be named."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.measures.metrics import ClassScores, confused_pairs, confusion_order
from pipeline.review import class_figures
from pipeline.review.style import FIGURE_WIDTH
from tests.review.comparisons import compared


@pytest.mark.parametrize("classes", [2, 30, 31, 160])
def test_figures_of_classes_name_as_many_as_can_be_read(classes: int, tmp_path: Path) -> None:
    result = compared(classes)
    matrix, scores = result.confusion, result.network.scores.classes
    names = [entry.label for entry in scores]
    pairs = confused_pairs(matrix)
    figure = class_figures.confusion_matrix(matrix, confusion_order(matrix), pairs, names, "run")
    figure.write_png(tmp_path / "confusion.png")
    axis, *others = figure.axes
    ticks = [tick.get_text() for tick in axis.get_yticklabels()]
    assert ticks == [tick.get_text() for tick in axis.get_xticklabels()]
    assert len(axis.texts) == (2 * classes if classes <= 30 else 0)
    if classes <= 30:
        assert len(ticks) == classes and all(tick.startswith("$class$ ") for tick in ticks)
    else:
        assert ticks == ["1", *(str(number) for number in range(10, classes + 1, 10))]
        assert f"{classes} classes, numbered so that" in axis.get_title()
        assert max(len(one.patches) for one in others) == 30  # the most confused pairs
        assert figure.get_figwidth() <= FIGURE_WIDTH
    figure = class_figures.class_scores(scores, "run")
    figure.write_png(tmp_path / "scores.png")
    shown = [tick.get_text() for tick in figure.axes[0].get_yticklabels()]
    assert len(shown) == min(classes, 150)
    assert max(map(len, shown)) < 40 and not any("\n" in name for name in shown)
    assert ("the weakest 150 of 160" in figure.get_suptitle().replace("\n", " ")) == (classes == 160)


def test_confused_classes_have_the_numbers_of_the_matrix() -> None:
    """Of 31 classes in falling order, the 4th is the 28th, and the 5th the 27th."""
    matrix = np.diag(np.full(31, 9))
    matrix[3, 4] = 2
    names = [f"name {number}" for number in range(31)]
    pairs = confused_pairs(matrix)
    figure = class_figures.confusion_matrix(matrix, np.arange(31)[::-1], pairs, names, "run")
    below = next(axis for axis in figure.axes if "most confused" in axis.get_title())
    assert [tick.get_text() for tick in below.get_yticklabels()] == ["28 name 3\n→ 27 name 4"]
    assert [text.get_text() for text in below.texts] == ["2 of 11"]


@pytest.mark.parametrize("classes", [2, 3, 4, 5])
@pytest.mark.parametrize("name", ["a", "a name of some length"])
def test_the_names_at_the_matrix_do_not_overprint_each_other(classes: int, name: str) -> None:
    matrix, names = np.eye(classes, dtype=np.int64), [f"{name} {number}" for number in range(classes)]
    figure = class_figures.confusion_matrix(matrix, np.arange(classes), [], names, "run")
    figure.draw_without_rendering()
    for labels in (figure.axes[0].get_xticklabels(), figure.axes[0].get_yticklabels()):
        boxes = [label.get_window_extent() for label in labels]
        assert not any(one.overlaps(other) for one, other in pairwise(boxes))
        assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 and box.y0 >= 0 for box in boxes)


def test_a_class_without_test_rows_is_not_the_weakest_but_counted_in_the_title() -> None:
    classes = [
        ClassScores("strong", precision=1.0, recall=0.8, f1=0.9, rows=5),
        ClassScores("none", precision=0.0, recall=0.0, f1=0.0, rows=0),
        ClassScores("weak", precision=0.5, recall=0.5, f1=0.5, rows=4),
    ]
    figure = class_figures.class_scores(classes, "run")
    assert [tick.get_text() for tick in figure.axes[0].get_yticklabels()] == ["weak  (4)", "strong  (5)"]
    assert "1 has no test rows" in figure.get_suptitle()


def test_wrong_pictures_are_no_more_than_can_be_seen(tmp_path: Path) -> None:
    pictures = np.zeros((30, 4, 4, 3), np.uint8)
    figure = class_figures.wrong_pictures(pictures, ["3 → 8\n99 %"] * 30, "run")
    figure.write_png(tmp_path / "wrong.png")
    assert sum(bool(axis.images) for axis in figure.axes) == 24
