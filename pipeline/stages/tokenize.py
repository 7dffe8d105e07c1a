"""Learn the vocabulary from the training part, and turn every text into ids.

Reads rows.parquet; writes text_encoder.json (tokenizer and vocabulary) and sequences.npz (all rows).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..artifacts import CorpusFolder, write_sequences
from ..config.stage_options import TokenizeOptions, read_stage
from ..files import write_json
from ..inputs import PADDING, UNKNOWN
from ..reading import read_table
from ..terminal import say
from ..text.encode_corpus import encode_corpus
from ..text.encoder import TextEncoder


def run(path: Path) -> None:
    folder = CorpusFolder(path)
    options = read_stage(folder.tokenize_options, TokenizeOptions).tokenize
    rows = read_table(folder.rows, ["text", "part"])
    encoder = TextEncoder.learn(rows["text"][rows["part"] == "train"], options)
    sequences, lengths = encode_corpus(encoder, rows["text"])
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
