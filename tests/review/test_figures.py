from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.baselines.catalogue import BASELINES
from pipeline.measures.abstention import Outcomes
from pipeline.measures.calibration import reliability
from pipeline.measures.comparison import Opponent, Titles, compare
from pipeline.measures.selective import selective
from pipeline.measures.slices import by_class
from pipeline.review import class_figures, figures
from pipeline.review.style import FIGURE_WIDTH
from tests.review.comparisons import compared


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
    figure.write_png(tmp_path / "calibration.png")
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts[1:] == ["temperature 1: error 0.0%", "temperature 1.50: error 25.0%"]


@pytest.mark.parametrize(("temperature", "series"), [(0.985, 2), (0.995, 1), (1.005, 1), (1.015, 2)])
def test_a_temperature_that_moves_nothing_is_drawn_once(temperature: float, series: int) -> None:
    bins = reliability(np.array([[0.75, 0.25]]), np.array([0]))
    upper, lower = figures.calibration(bins, bins, temperature, "title").axes
    assert len(upper.get_legend().get_texts()) == 1 + series
    assert len(lower.patches) == series


def test_the_coverage_figure_has_the_curve_and_a_point_for_each_target_with_rows(tmp_path: Path) -> None:
    test = Outcomes(np.array([0.9, 0.9, 0.6, 0.5], np.float32), np.zeros(4, np.int32), np.arange(4) != 2)
    validation = Outcomes(np.full(60, 0.55, np.float32), np.zeros(60, np.int32), np.ones(60, np.bool_))
    figure = figures.coverage(selective(test, validation), "run")  # 60 right rows show 0.9 and 0.95
    figure.write_png(tmp_path / "coverage.png")
    (axis,) = figure.axes
    curve, *targets = [line.get_xydata() for line in axis.lines]
    np.testing.assert_allclose(curve, [[50, 100], [75, 200 / 3], [100, 75]])
    assert [target.tolist() for target in targets] == [[[75, pytest.approx(200 / 3)]]]
    assert [text.get_text() for text in axis.texts] == ["for 90, 95 %"]
    alone = figures.coverage(selective(test, None), "run").axes[0]
    assert len(alone.lines) == 1 and len(alone.get_legend().get_texts()) == 2


TITLES = Titles("network", {"linear": "TF-IDF + logistic regression", "majority": "majority class"})


@pytest.mark.parametrize("tables", [1, 3])
def test_panels_stand_below_each_other_in_a_width_that_a_phone_shows(tables: int) -> None:
    record = {"loss": 1.0, "accuracy": 0.5, "validation_loss": 1.0, "validation_accuracy": 0.9}
    result = compared(3)
    outcomes = Outcomes(np.ones(1, np.float32), np.zeros(1, np.int32), np.ones(1, np.bool_))
    bins = reliability(np.array([[0.75, 0.25]]), np.array([0]))
    table = by_class(np.array([0, 0, 2]), ["a", "b", "c"]).accuracy(np.array([True, False, True]))
    drawn = [
        figures.learning_curves([record | {"member": 1, "epoch": 1}], "run", "accuracy"),
        figures.calibration(bins, bins, 1.5, "run"),
        figures.opponents(result, TITLES, "run"),
        figures.coverage(selective(outcomes, outcomes), "run"),
        figures.slices({f"slice {number}": table for number in range(tables)}, "run"),
        class_figures.class_scores(result.network.scores.classes, "run"),
    ]
    for figure in drawn:
        figure.draw_without_rendering()
        assert figure.get_figwidth() == FIGURE_WIDTH
        spans = [axis.get_window_extent() for axis in figure.axes]
        assert all(span.width > 0.5 * figure.bbox.width for span in spans)


def test_the_opponents_figure_gives_each_interval_and_leaves_the_majority_class_at_its_edge(
    tmp_path: Path,
) -> None:
    result = compared(20)
    figure = figures.opponents(result, TITLES, "run")
    figure.write_png(tmp_path / "opponents.png")
    left, right = figure.axes
    assert [tick.get_text().replace("\n", " ") for tick in left.get_yticklabels()] == [
        "network",
        *TITLES.opponents.values(),
    ]
    low, high = (100 * bound for bound in result.network.accuracy_interval)
    assert left.texts[0].get_text() == f"66.5   [{low:.1f}, {high:.1f}]"
    assert left.texts[-1].get_text() == "◂ 5.0"
    assert right.texts[0].get_text().startswith("+14.0")


def test_a_majority_class_that_is_better_than_both_is_in_the_opponents_figure() -> None:
    truth = np.array([0] * 95 + [1] * 5)
    wrong = {"network": np.arange(100) % 6 == 0, "baseline": np.arange(100) % 4 == 0, "majority": truth == 1}
    said = {name: np.where(where, 1 - truth, truth) for name, where in wrong.items()}
    opponents = {
        key: Opponent(said[name], 0.8) for key, name in (("linear", "baseline"), ("majority", "majority"))
    }
    result = compare(truth, said["network"], opponents, ["a", "b"], "accuracy", seed=1)
    figure = figures.opponents(result, TITLES, "run")
    low, high = figure.axes[0].get_xlim()
    assert low < 75 and high > 95


def test_a_slice_without_rows_has_no_point(tmp_path: Path) -> None:
    table = by_class(np.array([0, 0, 2]), ["a", "b", "c"]).accuracy(np.array([True, False, True]))
    figure = figures.slices({"first": table, "second": table[:1]}, "run")
    figure.write_png(tmp_path / "slices.png")
    upper, lower, *_ = figure.axes
    assert upper.containers[0].lines[0].get_xydata().tolist() == [[0, 50], [2, 100]]
    assert [text.get_text() for text in lower.texts] == ["2", "0", "1"]


def test_no_label_of_the_opponents_leaves_the_figure(tmp_path: Path) -> None:
    titles = Titles(
        "ensemble of 5 networks + n-grams", {key: baseline.title for key, baseline in BASELINES.items()}
    )
    figure = figures.opponents(compared(3), titles, "run")
    figure.draw_without_rendering()
    for axis in figure.axes:
        box = axis.xaxis.label.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= figure.bbox.width
