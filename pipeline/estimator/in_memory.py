"""From texts to a classifier in memory: what prepare, tokenize, embed and train do, without files."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..artifacts import data_folder
from ..corpus.copies import Copies
from ..corpus.folds import Places, choice_splits
from ..corpus.parts import units_to_split
from ..corpus.split import PARTS, split
from ..inputs import LabelledInputs
from ..linear.capacity import max_rows
from ..linear.members import Fit
from ..models import kim_cnn
from ..prediction.training import Trained, Training
from ..text.encode_corpus import encode_corpus
from ..text.encoder import TextEncoder
from ..vectors.start_vectors import start_vectors
from .data import LabelledTexts
from .parameters import Parameters


def train_in_memory(data: LabelledTexts, classes: list[str], parameters: Parameters) -> Trained:
    """Return a classifier trained on the texts, of which a share is split off for validation, and none tests.

    `classes` are the names of the labels. The same bits as `train` gives whose corpus is a file of these
    rows, with another file to test on.
    """
    texts = data.texts
    seed, memory = parameters.general.seed, parameters.general.memory
    rows = _split(texts, data.labels, parameters)
    parts = Places(*(np.flatnonzero(rows["part"] == part) for part in ("train", "validation")))
    encoder = TextEncoder.learn(rows["text"].iloc[parts.fitted], parameters.tokenize)
    sequences, _ = encode_corpus(encoder, texts)
    start = start_vectors(parameters.embed, encoder.words, sequences.select(parts.fitted), seed, _fetch)
    ngrams = parameters.ensemble.ngrams
    most = max_rows(sequences, encoder.words, memory) if ngrams else len(rows)
    training = Training(
        lambda: kim_cnn.build(parameters.network, start.vectors, len(classes)),
        Fit(encoder, len(classes), parameters.train.criterion, seed, most),
        parameters.train,
        parameters.ensemble,
        seed,
    )
    return training.fit_classifier(
        classes,
        data.columns,
        LabelledInputs(sequences, data.labels, data.weights),
        parts,
        choice_splits(rows, True, seed) if ngrams else [],
        encoder.count_tokens(rows.iloc[parts.held_out]),
        lambda earlier_epochs, record: None,
    )


def _split(texts: list[str], labels: NDArray[np.int32], parameters: Parameters) -> pd.DataFrame:
    """Return the rows with their labels, the units that stay together, and their parts."""
    rows = pd.DataFrame({"text": texts, "label": labels})
    copies, all_rows = Copies(rows, parameters.general.memory), np.ones(len(rows), np.bool_)
    units, _ = units_to_split(copies, all_rows, all_rows, labels)
    part = split(units, labels, parameters.general.seed, parameters.split.validation, 0.0)
    return rows.assign(unit=units, part=np.array(PARTS, object)[part])


def _fetch(name: str) -> Path:
    """Return the file of vectors that have this name, which is downloaded once for the line and for this."""
    from ..corpus.download import fetch_vectors  # late: pooch warns of what a notebook lacks

    return fetch_vectors(name, data_folder() / "raw", os.environ.get("MIRROR", ""))
