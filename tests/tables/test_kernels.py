"""The compiled loops that write CSV, by hand and against Python's own formatting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables import kernels


@given(st.lists(st.floats(0, 1, width=32)))
def test_decimals_are_those_of_python(numbers: list[float]) -> None:
    digits = kernels.format_decimals(np.array(numbers, np.float32))
    assert [bytes(row).decode() for row in digits] == [f"{number:.4f}" for number in numbers]


def test_cells_are_appended_to_records() -> None:
    data, content = np.frombuffer(b"a,b\nc,d\n", np.uint8), np.frombuffer(b"xyz", np.uint8)
    cells = np.array([[[0, 1], [1, 3]], [[0, 0], [0, 3]]])
    lines = kernels.append_cells(data, np.array([[0, 3], [4, 7]]), content, cells, ord(";"))
    assert lines.tobytes() == b"a,b;x;\nc,d;yz;xyz\n"
