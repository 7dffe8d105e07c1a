"""The compiled loops that write CSV, by hand and against Python's own formatting."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.tables import kernels


def test_doubled_quotes_become_single_ones_and_other_texts_stay() -> None:
    data = np.frombuffer(b'"a ""b""","c",d"e', np.uint8)
    texts = np.array([[1, 8], [11, 12], [14, 17]])
    single, bounds = kernels.undouble_quotes(data, texts, np.array([True, False, False]), len(data))
    whole = np.concatenate([data, single]).tobytes()
    assert [whole[start:end] for start, end in bounds.tolist()] == [b'a "b"', b"c", b'd"e']


@given(st.lists(st.sampled_from(b'ab,;"\n\r\x00\xff')).map(bytes), st.sampled_from(b",;\t"))
def test_marks_are_quotes_line_ends_and_the_delimiter(content: bytes, delimiter: int) -> None:
    marks = kernels.find_marks(np.frombuffer(content, np.uint8), np.uint8(delimiter))
    assert marks.dtype == np.int64
    assert marks.tolist() == [place for place, byte in enumerate(content) if byte in (*b'"\n\r', delimiter)]


@given(st.lists(st.floats(0, 1, width=32)))
def test_decimals_are_those_of_python(numbers: list[float]) -> None:
    digits = kernels.format_decimals(np.array(numbers, np.float32))
    assert [bytes(row).decode() for row in digits] == [f"{number:.4f}" for number in numbers]


def test_cells_are_appended_to_records() -> None:
    data, content = np.frombuffer(b"a,b\nc,d\n", np.uint8), np.frombuffer(b"xyz", np.uint8)
    cells = np.array([[[0, 1], [1, 3]], [[0, 0], [0, 3]]])
    lines = kernels.append_cells(data, np.array([[0, 3], [4, 7]]), content, cells, ord(";"))
    assert lines.tobytes() == b"a,b;x;\nc,d;yz;xyz\n"
