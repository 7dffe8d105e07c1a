from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline import figures
from pipeline.calibration import reliability


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
    figure = figures.calibration(before, after, "title")
    figure.savefig(tmp_path / "calibration.png")
    texts = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert texts[1:] == ["before temperature scaling: error 0.0%", "after temperature scaling: error 25.0%"]


def test_a_network_that_was_not_trained_is_counted_and_has_no_curve(tmp_path: Path) -> None:
    accuracy = {"image_cnn": [0.9, 0.8], "dense, equal budget": [0.8, 0.3], "dense, equal sizes": []}
    numbers = {
        "connections": dict(zip(accuracy, (10**6, 10**3, 10**10), strict=True)),
        "parameters": dict(zip(accuracy, (10**3, 10**3, 10**10), strict=True)),
    }
    figure = figures.convolution_beside_dense(accuracy, numbers, "pixels", "title")
    figure.savefig(tmp_path / "why.png")
    curves, counts = figure.axes
    assert curves.get_legend_handles_labels()[1] == ["image_cnn", "dense, equal budget"]
    assert [text.get_text() for text in counts.texts] == ["1 M", "1 k", "10 G", "1 k", "1 k", "10 G"]
