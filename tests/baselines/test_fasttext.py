"""fastText; what all baselines have in common is in test_catalogue.py."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.inputs import Sequences
from tests.baselines.choosing import fit


def test_fasttext_learns_rare_classes_from_repeated_lines() -> None:
    pytest.importorskip("fasttext", reason="fasttext is not installed")
    rows = Sequences.from_rows([[2, 3]] * 63 + [[4]] * 100 + [[5]])
    training = rows, np.array([0] * 20 + [1] * 43 + [1] * 100 + [0])
    validation = Sequences.from_rows([[2, 3], [2, 3], [4], [4], [4]]), np.array([0, 1, 1, 1, 1])
    # Class 0 has 21 of 164 rows: each weighs 164 / 42 = 3.9 and stands four times, 80 texts "2 3" to 43.
    fitted, _ = fit("fasttext", training, validation, 2, "macro_f1", 1)
    assert fitted.predict(validation[0]).tolist() == [0, 0, 1, 1, 1]
    assert fitted.setting.endswith(", balanced")
