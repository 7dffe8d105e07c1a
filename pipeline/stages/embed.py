"""Make the vectors that both channels start from.

Reads the corpus's text_encoder.json, sequences.npz and rows.parquet, and what pretrained vectors come from:
files, which may be downloaded into data/raw/, and sentence encoders. Writes coverage.json and vectors.npz:
`vectors`, float32 [vocabulary + 2, dimensions], and `found`, bool [vocabulary + 2], true for those that are
pretrained, or for all if none is.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..artifacts import RunFolder, data_folder, read_sequences
from ..config.stage_options import EmbedOptions, read_stage
from ..corpus.download import fetch_vectors
from ..files import write_arrays, write_json
from ..reading import read_json, read_table
from ..terminal import say, wrapped
from ..text.encoder import TextEncoder
from ..vectors.start_vectors import start_vectors


def run(path: Path) -> None:
    folder = RunFolder(path)
    options = read_stage(folder.embed_options, EmbedOptions)
    words = TextEncoder.from_json(read_json(folder.corpus.text_encoder)).words
    training = np.flatnonzero(read_table(folder.corpus.rows, ["part"])["part"] == "train")
    sentences = read_sequences(folder.corpus.sequences).select(training)
    start = start_vectors(options.embed, words, sentences, options.seed, _fetch)
    names = ", ".join(options.embed.vectors)
    say(f"embed: {len(words):,} words, {start.vectors.shape[1]} dimensions, start: {names}")
    for line in start.lines:
        say(wrapped(line))
    write_json(folder.coverage, start.shares)
    write_arrays(folder.vectors, vectors=start.vectors, found=start.found)


def _fetch(name: str) -> Path:
    return fetch_vectors(name, data_folder() / "raw", os.environ.get("MIRROR", ""))
