"""Vectors of single words from a sentence encoder in ONNX, such as MiniLM.

The only module that imports onnxruntime and tokenizers.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..environment.cores import cores
from ..errors import InputError
from ..progress import Bar
from ..terminal import shorten
from .matrix import FIRST_WORD, Matrix, assemble_matrix
from .vector_sources import ENCODER_FILES

DEVIATION = 0.25  # of all numbers, once they are scaled
BATCH_SIZE = 64  # words
MAX_TOKENS = 128  # at which a word is cut off; most encoders take 512
BLANKS = ("▁", "Ġ")  # as tokenizers write one that precedes a word
INTEGERS = {"tensor(int64)": np.int64, "tensor(int32)": np.int32}


@dataclass(frozen=True)
class Encoded:
    """The words' vectors, and bool [words] twice: whether a word has one, and is a single token."""

    matrix: Matrix
    found: NDArray[np.bool_]
    whole: NDArray[np.bool_]


def encode_words(folder: str | Path, words: list[str], seed: int) -> Encoded:
    """Return the vectors that the encoder in a folder, `model.onnx` and `tokenizer.json`, gives the words.

    Each word is read alone, as a sentence is. Its vector is the mean over its tokens, with those that mark
    beginning and end, of the model's first output: the last hidden state [batch, tokens, dimensions]. Where
    that is [batch, dimensions], the model has taken the mean itself. The vectors are centred, and scaled to a
    standard deviation of 0.25. Words that the tokenizer knows no part of, and the unknown word, are uniform
    with the same variance.

    Raises InputError for a library that is not installed, files that are damaged or do not fit together, and
    an encoder that knows none of the words.
    """
    model, tokenizer = (Path(folder, name) for name in ENCODER_FILES)
    ids, known = _tokenize(tokenizer, words)
    found, whole = np.array([any(parts) for parts in known]), np.array([parts == [True] for parts in known])
    if not found.any():
        raise InputError(
            f"{tokenizer}: it knows none of the vocabulary's {len(words):,} words; expected an encoder of "
            "the texts' language; choose another, or embed.vectors=corpus"
        )
    rows = np.flatnonzero(found)
    vectors = _run(model, [ids[row] for row in rows])
    vectors -= vectors.mean(axis=0, dtype=np.float64)
    vectors *= DEVIATION / max(vectors.std(dtype=np.float64), np.finfo(np.float32).tiny)
    by_row = dict(zip((rows + FIRST_WORD).tolist(), vectors, strict=True))
    return Encoded(assemble_matrix(by_row, len(words), seed), found, whole)


def _tokenize(path: Path, words: list[str]) -> tuple[list[list[int]], list[list[bool]]]:
    """Return each word's tokens by id, and which of its parts, tokens but no marks or blanks, are known."""
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise _not_installed(error) from error
    try:
        tokenizer = Tokenizer.from_file(str(path))
        tokenizer.no_padding()
        tokenizer.enable_truncation(MAX_TOKENS)
        # A lone surrogate, which UTF-8 has not, becomes a question mark.
        encodings = tokenizer.encode_batch([word.encode("utf-8", "replace").decode() for word in words])
        model = json.loads(tokenizer.to_str())["model"]
        unknown = model.get("unk_id", tokenizer.token_to_id(model.get("unk_token") or ""))
    except Exception as error:  # the library's own are no narrower
        raise _misfit(path, error) from error
    known = [
        [
            number != unknown
            for number, token, mark in zip(each.ids, each.tokens, each.special_tokens_mask, strict=True)
            if not mark and token not in BLANKS
        ]
        for each in encodings
    ]
    return [each.ids for each in encodings], known


def _run(path: Path, ids: list[list[int]]) -> Matrix:
    """Return the encoder's vectors of words that are given as ids: float32 [words, dimensions]."""
    try:
        import onnxruntime
    except ImportError as error:
        raise _not_installed(error) from error
    options = onnxruntime.SessionOptions()
    # A batch per core is faster than all cores on one, and gives the same bits on any number of them.
    options.intra_op_num_threads = 1
    options.log_severity_level = 4  # what it logs of errors, they say too
    order = _batches(np.array([len(tokens) for tokens in ids]))
    batches = [np.array([ids[row] for row in rows]) for rows in order]
    vectors: list[Matrix] = []
    threads = ThreadPoolExecutor(cores())
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        with Bar("encoder", len(ids), unit="word") as bar:
            for batch in threads.map(partial(_encode, session), batches):
                vectors.append(batch)
                bar.update(len(batch))
        result = np.concatenate(vectors)
    except Exception as error:  # this library has no class for its errors either
        raise _misfit(path, error) from error
    finally:
        threads.shutdown(cancel_futures=True)
    return result[np.argsort(np.concatenate(order))]


def _batches(lengths: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows in batches of one length each, the shortest first: so none is padded."""
    by_length = [np.flatnonzero(lengths == length) for length in np.unique(lengths)]
    return [
        rows[start : start + BATCH_SIZE] for rows in by_length for start in range(0, len(rows), BATCH_SIZE)
    ]


def _encode(session: Any, ids: NDArray[np.int64]) -> Matrix:
    """Return the vectors of a batch of ids [batch, tokens]. Raises ValueError for a model of another kind."""
    values = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    asked = {entry.name: INTEGERS.get(entry.type) for entry in session.get_inputs()}
    if "input_ids" not in asked or any(name not in values or not kind for name, kind in asked.items()):
        raise ValueError(f"it asks for {', '.join(asked)}, where an encoder asks for {', '.join(values)}")
    first = session.get_outputs()[0].name
    [output] = session.run([first], {name: values[name].astype(kind) for name, kind in asked.items()})
    if output.shape[: output.ndim - 1] not in (ids.shape, ids.shape[:1]):
        raise ValueError(f"its output {first} is {list(output.shape)} for ids {list(ids.shape)}")
    vectors = output.astype(np.float32)
    pooled: Matrix = vectors.mean(axis=1) if output.ndim == 3 else vectors
    if not np.isfinite(pooled).all():
        raise ValueError(f"its output {first} has numbers that are not finite")
    return pooled


def _not_installed(error: ImportError) -> InputError:
    return InputError(
        f"a sentence encoder needs onnxruntime and tokenizers ({error}): pip install '.[encoder]'"
    )


def _misfit(path: Path, error: Exception) -> InputError:
    expected = "expected that of a sentence encoder, as exported to ONNX; export or copy it again"
    return InputError(f"{path}: {shorten(error, 200)}; {expected}")
