"""The file beside an exported model that says how its inputs are made, and what its outputs mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..inputs import PADDING, UNKNOWN
from ..prediction.classifier import Classifier
from ..text.encoder import TextEncoder
from ..text.similar_words import MIN_PREFIX, MIN_SHARE

VOCABULARY = "vocabulary.json"
NORMALIZATION = "NFC, then U+2019 becomes ' and U+00AD is removed"
SIMILAR = (
    f"a word outside the vocabulary has the id of the word of {MIN_PREFIX} characters or more with which it "
    f"has most first characters in common, if these are {MIN_PREFIX} or more and {MIN_SHARE} of either "
    "word's; of several the nearest in length, then the one of the lowest id"
)


def described(classifier: Classifier, form: str, not_held: Sequence[str]) -> dict[str, Any]:
    """Return what the outputs of every export mean, fit for JSON."""
    return {
        "format": form,
        "classifier": classifier.digest,  # of the model's files
        "labels": classifier.labels,
        "outputs": "logits [rows, labels]; probabilities, the softmax of logits / temperature",
        "temperature": classifier.temperature,
        "columns": classifier.columns,
        "not_held": list(not_held),
    }


def text_inputs(encoder: TextEncoder, gap: int) -> dict[str, Any]:
    """Return how texts become ids, fit for JSON."""
    options = encoder.options
    return {
        "inputs": "ids int32 [rows, length], filled up with the id of padding on the right",
        "tokenizer": {
            "normalization": NORMALIZATION,
            "lowercase": options.lowercase,
            "pattern": f"(?V1){encoder.pattern}",  # of a token, for the package regex
            "maximum_length": options.maximum_length,  # tokens of a text that are read, all columns together
            "unseen": SIMILAR if options.unseen == "similar" else "unknown",
        },
        "padding": PADDING,
        "unknown": UNKNOWN,
        "between_columns": gap,  # so many ids of padding part the texts of two columns
        "ids": {word: number for number, word in enumerate(encoder.words, UNKNOWN + 1)},
    }


def image_inputs(shape: Sequence[int]) -> dict[str, Any]:
    """Return what images are taken, fit for JSON."""
    height, width, channels = shape
    return {
        "inputs": "images uint8 [rows, height, width, channels], scaled to cover the size and cropped",
        "height": height,
        "width": width,
        "channels": channels,  # 1 is grey; 3 are red, green and blue
    }
