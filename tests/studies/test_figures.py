"""Figures that compare many trainings."""

from __future__ import annotations

from pathlib import Path

from pipeline.studies import figures
from pipeline.studies.corpus_table import Cell
from pipeline.studies.dense_equivalents import MeasuredNetwork
from pipeline.studies.learning_curve import ContestantCurve, LearningCurve, Score


def test_contestants_on_other_rows_are_hollow_in_the_table_of_corpora(tmp_path: Path) -> None:
    cells = {
        "kim-rand": {"mr": Cell(76.1, 1.0, 10, 76.0), "trec": Cell(91.0, 1.0, 10)},
        "kim-static embed.vectors=a-file-of-vectors.bin": {"mr": Cell(75, 1.0, 2, on_other_rows=True)},
        "majority class": {"mr": Cell(50, 0, 10)},
    }
    figure = figures.corpus_scores(cells)
    figure.write_png(tmp_path / "table.png")
    measured, hollow, paper = "measured: mean, standard deviation", "on other rows", "from the paper"
    of_mr, of_trec = figure.axes
    assert set(of_mr.get_legend_handles_labels()[1]) == {measured, hollow, paper}
    assert set(of_trec.get_legend_handles_labels()[1]) == {measured}
    (line,) = [line for line in of_mr.lines if line.get_label() == hollow]
    assert line.get_xydata().tolist() == [[75, 0]]
    assert [text.get_text().split("\n") for text in of_mr.get_yticklabels()] == [
        ["kim-rand"],
        ["kim-static", "embed.vectors=a-file-of-vectors.bin"],
    ]


def test_a_network_that_was_not_trained_is_counted_and_has_no_curve(tmp_path: Path) -> None:
    networks = [
        MeasuredNetwork("image_cnn", 10**3, 10**6, [0.9, 0.8]),
        MeasuredNetwork("dense, equal budget", 10**3, 10**3, [0.8, 0.3]),
        MeasuredNetwork("dense, equal sizes", 10**10, 10**10, []),
    ]
    figure = figures.shifted_accuracies(networks, "pixels", "title")
    figure.write_png(tmp_path / "why.png")
    curves, counts = figure.axes
    assert curves.get_legend_handles_labels()[1] == ["image_cnn", "dense, equal budget"]
    assert [text.get_text() for text in counts.texts] == ["1 M", "1 k", "10 G", "1 k", "1 k", "10 G"]


def test_a_learning_curve_is_drawn_with_intervals_but_without_the_majority_class(tmp_path: Path) -> None:
    scores = [Score(0.6, 0.5, 0.75, [0.6]), Score(0.8, 0.7, 0.85, [0.8])]
    titles = {"network": "convtext", "linear": "TF-IDF", "majority": "majority class"}
    contestants = [ContestantCurve(key, title, scores, [], []) for key, title in titles.items()]
    curve = LearningCurve("macro_f1", [0.5, 1.0], [500, 1000], 100, contestants)
    figure = figures.learning_curves(curve, "subject")
    figure.write_png(tmp_path / "curve.png")
    (axis,) = figure.axes
    assert axis.get_legend_handles_labels()[1] == ["convtext", "TF-IDF"]
    assert [tick.get_text() for tick in axis.get_xticklabels()] == ["500\n50 %", "1,000\n100 %"]
    assert axis.get_ylabel() == "macro-F1 (%), 95 % interval"
    ends = axis.containers[0].lines[1]  # the caps of the network's intervals: lower, then upper
    assert [end.get_ydata().tolist() for end in ends] == [[50, 70], [75, 85]]
