from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tests.benchmarks.training_opponents import accuracy
from tests.benchmarks.training_rows import LONG, SHORT, write_rows


def generated(path: Path, rows: int, classes: int, length: int = SHORT) -> pd.DataFrame:
    write_rows(path, rows, classes, length)
    return pd.read_csv(path)


def test_one_seed_gives_one_file(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.csv", "b.csv", "c.csv")]
    for path, seed in zip(files, (1, 1, 2), strict=True):
        write_rows(path, 100, 3, seed=seed)
    first, second, other = (path.read_bytes() for path in files)
    assert first == second != other


@pytest.mark.parametrize("length", [SHORT, LONG])
def test_generated_texts_have_the_classes_and_about_the_length_that_is_asked_for(
    tmp_path: Path, length: int
) -> None:
    table = generated(tmp_path / "rows.csv", 2000, 20, length)
    assert list(table["id"]) == list(range(2000))
    assert set(table["label"]) == {f"class {number}" for number in range(1, 21)}
    # The mean of 2,000 lengths whose standard deviation is 0.53 of it: within 4 standard errors.
    assert np.mean(table["text"].str.split().str.len()) == pytest.approx(length, rel=0.05)


def test_an_opponent_learns_generated_rows_but_not_all_of_them(tmp_path: Path) -> None:
    table = generated(tmp_path / "rows.csv", 1000, 2)
    for name in ("TF-IDF + LR", "TF-IDF with characters + SVM"):
        assert 75 < accuracy(name, table[:800], table[800:]) < 97
