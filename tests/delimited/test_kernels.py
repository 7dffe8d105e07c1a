"""The compiled loops over delimited text, by hand and against plain Python."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.delimited import kernels


def test_doubled_quotes_become_single_ones_and_other_texts_stay() -> None:
    data = np.frombuffer(b'"a ""b""","c",d"e', np.uint8)
    texts = np.array([[1, 8], [11, 12], [14, 17]])
    single, bounds = kernels.undouble_quotes(data, texts, np.array([True, False, False]), len(data))
    whole = np.concatenate([data, single]).tobytes()
    assert [whole[start:end] for start, end in bounds.tolist()] == [b'a "b"', b"c", b'd"e']


@given(st.lists(st.sampled_from(b'ab,;"\n\r\x00\xff')).map(bytes), st.sampled_from(b",;\t"))
def test_marks_are_quotes_line_ends_and_the_delimiter(content: bytes, delimiter: int) -> None:
    marks = kernels.find_marks(np.frombuffer(content, np.uint8), np.uint8(delimiter), np.uint8(ord('"')))
    assert marks.dtype == np.int64
    assert marks.tolist() == [place for place, byte in enumerate(content) if byte in (*b'"\n\r', delimiter)]
