"""Make the vectors that both channels start from.

Reads the corpus's text_encoder.json, sequences.npz and rows.parquet, and what pretrained vectors come from:
files, which may be downloaded into data/raw/, and sentence encoders. Writes coverage.json and vectors.npz:
`vectors`, float32 [vocabulary + 2, dimensions], and `found`, bool [vocabulary + 2], true for those that are
pretrained, or for all if none is.
"""

from __future__ import annotations

import os
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..artifacts import RunFolder, data_folder, read_sequences
from ..config.stage_options import EmbedOptions, read_stage
from ..corpus.download import fetch_vectors
from ..files import write_arrays, write_json
from ..options import derived_seed
from ..reading import read_json, read_table
from ..terminal import say, wrapped
from ..text.encoder import TextEncoder
from ..vectors import (
    learned_vectors,
    missing_vectors,
    sentence_encoder,
    spectral_vectors,
    vector_checks,
    vector_files,
    vector_sources,
)
from ..vectors.matrix import Matrix, coverage, random_vectors

Mask = NDArray[np.bool_]  # of words
LEARNERS = {"corpus": learned_vectors.learn_vectors, "spectral": spectral_vectors.factorize}


def run(path: Path) -> None:
    folder = RunFolder(path)
    options = read_stage(folder.embed_options, EmbedOptions)
    embed = options.embed
    words = TextEncoder.from_json(read_json(folder.corpus.text_encoder)).words
    training = np.flatnonzero(read_table(folder.corpus.rows, ["part"])["part"] == "train")
    sentences = read_sequences(folder.corpus.sequences).select(training)
    learned_subwords = cache(lambda: learned_vectors.learn_subwords(sentences, words, options.seed))

    matrices: list[Matrix] = []
    found, lines, files = np.zeros(len(words), np.bool_), list[str](), dict[str, Any]()
    for number, start in enumerate(embed.vectors):
        seed = derived_seed(options.seed, number)
        if start == "random":
            matrix = random_vectors(len(words), embed.dimensions, seed)
        elif start in LEARNERS:
            learn = LEARNERS[start]
            matrix = learn(sentences, len(words), embed.dimensions, embed.corpus_tokens, seed)
        else:
            matrix, in_file, whole, odd = _read(start, words, seed)
            filling = missing_vectors.Filling()
            if embed.missing == "subwords":
                matrix, filling = missing_vectors.fill_missing(matrix, in_file, learned_subwords(), seed)
            found |= in_file
            covered = coverage(in_file, sentences)
            warnings = odd + vector_checks.warnings(matrix, in_file, whole, words, sentences)
            lines += [covered.summary, filling.summary, *(f"caution: {start} {text}" for text in warnings)]
            files[start] = covered.shares | {"missing": asdict(filling), "warnings": warnings}
        matrices.append(matrix)
    vectors = np.concatenate(matrices, axis=1)
    say(f"embed: {len(words):,} words, {vectors.shape[1]} dimensions, start: {', '.join(embed.vectors)}")
    for line in lines:
        say(wrapped(line))
    shares = coverage(found, sentences).shares | {"files": files} if files else {}
    write_json(folder.coverage, shares)
    known = np.concatenate([[True, not files], found | (not files)])
    write_arrays(folder.vectors, vectors=vectors, found=known)


def _read(start: str, words: list[str], seed: int) -> tuple[Matrix, Mask, Mask, list[str]]:
    """Return pretrained vectors of the words; which have one; which are known whole; what is odd."""
    if vector_sources.is_encoder(start):
        encoded = sentence_encoder.encode_words(start, words, seed)
        return encoded.matrix, encoded.found, encoded.whole, []
    path, beside_word = Path(start), ""
    if download := vector_sources.download(start):
        path = fetch_vectors(start, data_folder() / "raw", os.environ.get("MIRROR", ""))
        beside_word = download.beside_word
    matrix, in_file, odd = vector_files.read_vectors(path, words, seed, beside_word)
    return matrix, in_file, in_file, odd
