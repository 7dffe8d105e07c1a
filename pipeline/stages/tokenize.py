"""Learn the vocabulary from the training part, and turn every text into ids.

Reads rows.parquet; writes text_encoder.json (tokenizer and vocabulary) and sequences.npz (all rows).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..artifacts import CorpusFolder, write_sequences
from ..config.stage_options import TokenizeOptions, read_stage
from ..files import write_json
from ..inputs import PADDING, UNKNOWN, Sequences
from ..progress import Bar
from ..reading import read_table
from ..terminal import say
from ..text.encoder import TextEncoder
from ..text.fast_encoder import ByteEncoder

if TYPE_CHECKING:
    import pandas as pd

BLOCK = 1 << 18  # rows that are encoded at a time: each time, words that were met may be forgotten


def run(path: Path) -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.tokenize_options, TokenizeOptions).tokenize
    rows = read_table(folder.rows, ["text", "part"])
    encoder = TextEncoder.learn(rows["text"][rows["part"] == "train"], options)
    sequences, lengths = _encoded(encoder, rows["text"])
    shortened = int((lengths > options.maximum_length).sum())
    write_json(folder.text_encoder, encoder.to_json())
    write_sequences(folder.sequences, sequences)
    tokens = np.count_nonzero(sequences.ids != PADDING)
    unknown = np.count_nonzero(sequences.ids == UNKNOWN) / tokens
    say(
        f"tokenize: by {encoder.options.unit}, {len(encoder.words):,} in the vocabulary, "
        f"{tokens:,} tokens, {unknown:.1%} unknown"
    )
    lacking, empty = int(sequences.lack_known_words.sum()), int((lengths == 0).sum())
    if lacking:
        none = f" ({empty:,} without any word)" if empty else ""
        say(f"  texts without any known word: {lacking:,}{none}")
    if shortened:
        say(f"  {shortened:,} texts cut to {options.maximum_length:,} tokens (tokenize.maximum_length)")


def _encoded(encoder: TextEncoder, texts: pd.Series[str]) -> tuple[Sequences, NDArray[np.int64]]:
    """Return the sequences of all texts, and how many tokens each has uncut, int64 [texts]."""
    fast, pieces, lengths = ByteEncoder(encoder), list[Sequences](), list[NDArray[np.int64]]()
    with Bar("tokenize", len(texts), unit="text", unit_scale=True) as bar:
        for start in range(0, len(texts), BLOCK):
            piece = fast.encode(texts.iloc[start : start + BLOCK])
            pieces.append(piece.sequences)
            lengths.append(piece.lengths)
            bar.update(len(piece.lengths))
    return Sequences.joined(pieces, encoder.vocabulary), np.concatenate(lengths)
