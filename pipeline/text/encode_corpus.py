"""The encoding of a whole corpus, a block of texts at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..inputs import Sequences
from ..progress import Bar
from .encoder import TextEncoder
from .fast_encoder import ByteEncoder

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1 << 18  # rows that are encoded at a time: each time, words that were met may be forgotten


def encode_corpus(
    encoder: TextEncoder, texts: Sequence[str] | pd.Series[str]
) -> tuple[Sequences, NDArray[np.int64]]:
    """Return the sequences of all texts, and how many tokens each has uncut, int64 [texts]."""
    fast, pieces, lengths = ByteEncoder(encoder), list[Sequences](), list[NDArray[np.int64]]()
    with Bar("tokenize", len(texts), unit="text", unit_scale=True) as bar:
        for start in range(0, len(texts), BLOCK):
            piece = fast.encode(texts[start : start + BLOCK])
            pieces.append(piece.sequences)
            lengths.append(piece.lengths)
            bar.update(len(piece.lengths))
    return Sequences.joined(pieces, encoder.vocabulary), np.concatenate(lengths)
