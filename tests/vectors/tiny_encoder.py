"""A sentence encoder of a few words: its hidden state of a token is a row of a table.

The model is written as the bytes of ONNX's protocol buffers, of which so little is used that the library
`onnx` would be a large dependency for it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

TABLE = {
    "[UNK]": [9.0, 9.0],
    "[CLS]": [0.0, 0.0],
    "[SEP]": [0.0, 0.0],
    "film": [3.0, 0.0],
    "act": [0.0, 3.0],
    "##ing": [0.0, 1.0],
}
INPUTS = ("input_ids", "attention_mask")
INT64, FLOAT = 7, 1  # ONNX's numbers of types


def write_encoder(
    folder: Path,
    table: dict[str, list[float]] = TABLE,
    inputs: tuple[str, ...] = INPUTS,
    pooled: bool = False,
    rows: int | None = None,
) -> Path:
    """Write model.onnx and tokenizer.json; `pooled` has the model take the mean, `rows` cuts its table."""
    folder.mkdir(parents=True, exist_ok=True)
    write_tokenizer(folder / "tokenizer.json", list(table))
    (folder / "model.onnx").write_bytes(_model(np.array([*table.values()][:rows], "<f4"), inputs, pooled))
    return folder


def write_tokenizer(path: Path, tokens: list[str]) -> None:
    from tokenizers import Tokenizer
    from tokenizers.models import WordPiece
    from tokenizers.pre_tokenizers import Whitespace
    from tokenizers.processors import TemplateProcessing

    tokenizer = Tokenizer(WordPiece({token: row for row, token in enumerate(tokens)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    marks = [(mark, tokens.index(mark)) for mark in ("[CLS]", "[SEP]")]
    tokenizer.post_processor = TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=marks)
    tokenizer.enable_padding(length=16)  # as tokenizers come with it, which the words must not show
    tokenizer.save(str(path))


def _model(table: np.ndarray, inputs: tuple[str, ...], pooled: bool) -> bytes:
    state = "state" if pooled else "output"
    nodes = _field(1, _node("Gather", ["table", "input_ids"], state))
    if pooled:
        axes = _field(1, b"axes") + _field(8, 1) + _field(20, 7)
        nodes += _field(1, _node("ReduceMean", [state], "output", axes, _integer("keepdims", 0)))
    rows = b"".join(_field(1, size) for size in table.shape)
    weights = rows + _field(2, FLOAT) + _field(8, b"table") + _field(9, table.tobytes())
    asked = b"".join(_field(11, _value(name, INT64, 2)) for name in inputs)
    given = _field(12, _value("output", FLOAT, 2 if pooled else 3))
    graph = nodes + _field(2, b"encoder") + _field(5, weights) + asked + given
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, b"") + _field(2, 13))


def _node(operation: str, inputs: list[str], output: str, *attributes: bytes) -> bytes:
    names = b"".join(_field(1, name.encode()) for name in inputs) + _field(2, output.encode())
    return names + _field(4, operation.encode()) + b"".join(_field(5, each) for each in attributes)


def _integer(name: str, value: int) -> bytes:
    return _field(1, name.encode()) + _field(3, value) + _field(20, 2)


def _value(name: str, kind: int, dimensions: int) -> bytes:
    shape = b"".join(_field(1, _field(2, f"d{place}".encode())) for place in range(dimensions))
    return _field(1, name.encode()) + _field(2, _field(1, _field(1, kind) + _field(2, shape)))


def _field(number: int, value: int | bytes) -> bytes:
    """Return a field of a protocol buffer: a number, or bytes behind their length."""
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    low = bytes([value & 0x7F | (0x80 if value > 0x7F else 0)])
    return low + (_varint(value >> 7) if value > 0x7F else b"")
