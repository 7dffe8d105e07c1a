"""A small network of random weights, which several tests fold."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from pipeline.inputs import Sequences
from pipeline.linear.token_ngrams import TfidfModel, candidates
from pipeline.models.kim_cnn import Options, build

ROWS = [[], [2], [3, 2], [4, 5, 6], [5, 5, 5, 5, 7, 1], [2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 2], [9] * 40]


def network(seed: int = 1, **options: Any) -> keras.Model:
    """Of random weights, so large that all of it matters."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(10, 6)).astype(np.float32)
    model = build(Options.model_validate({"filters": 4, "max_norm": None} | options), vectors, 3)
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    return model


def ngram_model() -> TfidfModel:
    labels = np.array([0, 1, 2, 0, 1, 2, 0])
    return next(candidates(Sequences.from_rows(ROWS), labels, 3))
