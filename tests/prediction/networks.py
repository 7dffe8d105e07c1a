"""A small network of random weights, which several tests fold."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from pipeline.inputs import Sequences
from pipeline.linear.character_ngrams import CharacterFeatures
from pipeline.linear.members import LinearModel
from pipeline.linear.token_ngrams import TokenFeatures
from pipeline.models.kim_cnn import Options, build
from pipeline.options import Ngrams

ROWS = [[], [2], [3, 2], [4, 5, 6], [5, 5, 5, 5, 7, 1], [2, 3, 4, 5, 6, 7, 8, 9, 1, 1, 2], [9] * 40]


def network(seed: int = 1, **options: Any) -> keras.Model:
    """Of random weights, so large that all of it matters."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(10, 6)).astype(np.float32)
    model = build(Options.model_validate({"filters": 4, "max_norm": None} | options), vectors, 3)
    for weight in model.trainable_weights:
        weight.assign(random.normal(size=weight.shape))
    return model


def linear_models(
    words: list[str], classes: int = 3, texts: Sequences | None = None
) -> dict[Ngrams, LinearModel]:
    """Of random weights, for the n-grams of texts or ROWS; `words` are those of the ids from 2 on."""
    texts = texts or Sequences.from_rows([[i for i in row if i > 1] for row in ROWS])
    random = np.random.default_rng(3)
    features = {"tokens": TokenFeatures(texts), "characters": CharacterFeatures(texts, words)}
    return {
        name: one.model(
            random.normal(size=(len(one.keys), classes)).astype(np.float32),
            random.normal(size=classes).astype(np.float32),
        )
        for name, one in features.items()
    }
