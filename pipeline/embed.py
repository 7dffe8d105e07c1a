"""Make the vectors that both channels start from.

Reads the corpus's text_encoder.json, sequences.npz and rows.parquet, or a file of pretrained vectors;
writes vectors.npz (float32 [vocabulary + 2, dimensions]) and coverage.json.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from pipeline import pretrained, vectors
from pipeline.artifacts import RunFolder, read_json, read_sequences, read_table, write_arrays, write_json
from pipeline.config import read_stage
from pipeline.options import EmbedOptions
from pipeline.text import TextEncoder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="data/build/<corpus>/<model>")


def run(arguments: argparse.Namespace) -> None:
    folder = RunFolder(arguments.folder)
    options = read_stage(folder.embed_options, EmbedOptions)
    embed, seed = options.embed, options.seed
    words = TextEncoder.from_json(read_json(folder.corpus.text_encoder)).words
    training = np.flatnonzero(read_table(folder.corpus.rows)["part"] == "train")
    sentences = read_sequences(folder.corpus.sequences).select(training)
    if embed.vectors == "random":
        matrix, found = vectors.random_vectors(len(words), embed.dimensions, seed), None
    elif embed.vectors == "corpus":
        matrix, found = vectors.learn_vectors(sentences, len(words), embed.dimensions, seed), None
    else:
        matrix, found = pretrained.read_vectors(embed.vectors, words, seed)
    print(f"embed: {len(words):,} words, {matrix.shape[1]} dimensions, start: {embed.vectors}")
    coverage = {}
    if found is not None:
        covered = vectors.coverage(found, sentences)
        print(f"  {covered.summary}")
        coverage = {"types": covered.types, "tokens": covered.tokens}
    write_json(folder.coverage, coverage)
    write_arrays(folder.vectors, vectors=matrix)
