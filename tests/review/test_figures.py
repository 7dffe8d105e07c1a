from __future__ import annotations

from dataclasses import astuple
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.measures.calibration import reliability
from pipeline.measures.comparison import Comparison, Titles, compare
from pipeline.measures.metrics import ClassScores, confused_pairs, confusion_order
from pipeline.measures.slices import by_class
from pipeline.review import class_figures, figures
from pipeline.studies import figures as study_figures
from pipeline.studies.cross_validation import Cell


@pytest.mark.parametrize(("criterion", "kept"), [("accuracy", 1), ("macro_f1", 2)])
def test_the_learning_curves_mark_the_epoch_that_was_kept(criterion: str, kept: int) -> None:
    record = {"loss": 1.0, "accuracy": 0.5, "validation_loss": 1.0}
    history = [
        record | {"member": 1, "epoch": 1, "validation_accuracy": 0.9, "validation_macro_f1": 0.5},
        record | {"member": 1, "epoch": 2, "validation_accuracy": 0.8, "validation_macro_f1": 0.7},
    ]
    for axis in figures.learning_curves(history, "title", criterion).axes:
        assert axis.get_legend_handles_labels()[1][-1] == f"kept: epoch {kept}"


def test_the_reliability_diagram_is_drawn_from_a_single_row_on_and_names_both_errors(tmp_path: Path) -> None:
    truth = np.array([0])
    before = reliability(np.array([[1.0, 0.0]]), truth)
    after = reliability(np.array([[0.75, 0.25]]), truth)
    figure = figures.calibration(before, after, 1.5, "title")
    figure.savefig(tmp_path / "calibration.png")
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts[1:] == ["temperature 1: error 0.0%", "temperature 1.50: error 25.0%"]


@pytest.mark.parametrize(("temperature", "series"), [(0.985, 2), (0.995, 1), (1.005, 1), (1.015, 2)])
def test_a_temperature_that_moves_nothing_is_drawn_once(temperature: float, series: int) -> None:
    bins = reliability(np.array([[0.75, 0.25]]), np.array([0]))
    upper, lower = figures.calibration(bins, bins, temperature, "title").axes
    assert len(upper.get_legend().get_texts()) == 1 + series
    assert len(lower.patches) == series


def test_contestants_on_other_rows_are_hollow_in_the_table_of_corpora(tmp_path: Path) -> None:
    cells = {
        "kim-rand": {"mr": Cell(76.1, 1.0, 10, 76.0), "trec": Cell(91.0, 1.0, 10)},
        "kim-static embed.vectors=a-file-of-vectors.bin": {"mr": Cell(75, 1.0, 2, elsewhere=True)},
        "majority class": {"mr": Cell(50, 0, 10)},
    }
    figure = study_figures.comparison(cells)
    figure.savefig(tmp_path / "table.png")
    here, others, paper = "here: mean, standard deviation", "on other rows", "the paper"
    of_mr, of_trec = figure.axes
    assert set(of_mr.get_legend_handles_labels()[1]) == {here, others, paper}
    assert set(of_trec.get_legend_handles_labels()[1]) == {here}
    (hollow,) = [line for line in of_mr.lines if line.get_label() == others]
    assert hollow.get_xydata().tolist() == [[75, 0]]
    assert [text.get_text().split("\n") for text in of_mr.get_yticklabels()] == [
        ["kim-rand"],
        ["kim-static", "embed.vectors=a-file-of-vectors.bin"],
    ]


def test_a_network_that_was_not_trained_is_counted_and_has_no_curve(tmp_path: Path) -> None:
    accuracy = {"image_cnn": [0.9, 0.8], "dense, equal budget": [0.8, 0.3], "dense, equal sizes": []}
    numbers = {
        "connections": dict(zip(accuracy, (10**6, 10**3, 10**10), strict=True)),
        "parameters": dict(zip(accuracy, (10**3, 10**3, 10**10), strict=True)),
    }
    figure = study_figures.convolution_beside_dense(accuracy, numbers, "pixels", "title")
    figure.savefig(tmp_path / "why.png")
    curves, counts = figure.axes
    assert curves.get_legend_handles_labels()[1] == ["image_cnn", "dense, equal budget"]
    assert [text.get_text() for text in counts.texts] == ["1 M", "1 k", "10 G", "1 k", "1 k", "10 G"]


TITLES = Titles("network", "TF-IDF + logistic regression")


def compared(classes: int) -> Comparison:
    """Ten rows of each class, every third taken for the next one; the baseline is wrong on half."""
    truth = np.repeat(np.arange(classes), 10)
    wrong = np.arange(len(truth)) % 3 == 0
    network = np.where(wrong, (truth + 1) % classes, truth)
    baseline = np.where(np.arange(len(truth)) % 2, 0, truth)
    names = [f"$class$ {number}\n" + "x" * 99 for number in range(classes)]
    return compare(truth, network, baseline, np.zeros_like(truth), names, seed=1)


@pytest.mark.parametrize("classes", [2, 30, 31, 160])
def test_figures_of_classes_name_as_many_as_can_be_read(classes: int, tmp_path: Path) -> None:
    result = compared(classes)
    matrix, scores = result.confusion, result.network.scores.classes
    names = [entry.label for entry in scores]
    pairs = confused_pairs(matrix)
    figure = class_figures.confusion_matrix(matrix, confusion_order(matrix), pairs, names, "run")
    figure.savefig(tmp_path / "confusion.png")
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
        assert figure.get_figwidth() <= figures.WIDTH
    figure = class_figures.class_scores(scores, "run")
    figure.savefig(tmp_path / "scores.png")
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


def test_a_name_is_cut_in_its_middle_as_names_that_begin_alike_end_differently() -> None:
    assert figures.cut("card_payment_fee_charged_1", 11) == "card_…ged_1"
    assert figures.cut("card_payment_fee_charged_2", 12) == "card_p…ged_2"
    assert figures.cut("as it\nis", 8) == "as it is"


@pytest.mark.parametrize("tables", [1, 3])
def test_panels_stand_below_each_other_in_a_width_that_a_phone_shows(tables: int) -> None:
    record = {"loss": 1.0, "accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.9}
    result = compared(3)
    bins = reliability(np.array([[0.75, 0.25]]), np.array([0]))
    table = by_class(np.array([0, 0, 2]), ["a", "b", "c"]).accuracy(np.array([True, False, True]))
    drawn = [
        figures.learning_curves([record | {"member": 1, "epoch": 1}], "run", "accuracy"),
        figures.calibration(bins, bins, 1.5, "run"),
        figures.opponents(result, TITLES, "run"),
        figures.slices({f"slice {number}": table for number in range(tables)}, "run"),
        class_figures.class_scores(result.network.scores.classes, "run"),
    ]
    for figure in drawn:
        figure.draw_without_rendering()
        assert figure.get_figwidth() == figures.WIDTH
        spans = [axis.get_window_extent() for axis in figure.axes]
        assert all(span.width > 0.5 * figure.bbox.width for span in spans)


def test_the_opponents_figure_gives_each_interval_and_leaves_the_majority_class_at_its_edge(
    tmp_path: Path,
) -> None:
    result = compared(20)
    figure = figures.opponents(result, TITLES, "run")
    figure.savefig(tmp_path / "opponents.png")
    left, right = figure.axes
    assert [tick.get_text().replace("\n", " ") for tick in left.get_yticklabels()] == list(astuple(TITLES))
    low, high = (100 * bound for bound in result.network.accuracy_interval)
    assert left.texts[0].get_text() == f"66.5   [{low:.1f}, {high:.1f}]"
    assert left.texts[-1].get_text() == "◂ 5.0"
    assert right.texts[0].get_text().startswith("+14.0")


def test_a_majority_class_that_is_better_than_both_is_in_the_opponents_figure() -> None:
    truth = np.array([0] * 95 + [1] * 5)
    wrong = {"network": np.arange(100) % 6 == 0, "baseline": np.arange(100) % 4 == 0, "majority": truth == 1}
    said = {name: np.where(where, 1 - truth, truth) for name, where in wrong.items()}
    result = compare(truth, **said, names=["a", "b"], seed=1)
    figure = figures.opponents(result, TITLES, "run")
    low, high = figure.axes[0].get_xlim()
    assert low < 75 and high > 95


def test_a_slice_without_rows_has_no_point(tmp_path: Path) -> None:
    table = by_class(np.array([0, 0, 2]), ["a", "b", "c"]).accuracy(np.array([True, False, True]))
    figure = figures.slices({"first": table, "second": table[:1]}, "run")
    figure.savefig(tmp_path / "slices.png")
    upper, lower, *_ = figure.axes
    assert upper.containers[0].lines[0].get_xydata().tolist() == [[0, 50], [2, 100]]
    assert [text.get_text() for text in lower.texts] == ["2", "0", "1"]


def test_wrong_pictures_are_no_more_than_can_be_seen(tmp_path: Path) -> None:
    pictures = np.zeros((30, 4, 4, 3), np.uint8)
    figure = class_figures.wrong_pictures(pictures, ["3 → 8\n99 %"] * 30, "run")
    figure.savefig(tmp_path / "wrong.png")
    assert sum(bool(axis.images) for axis in figure.axes) == 24
