"""The export of a text classifier: from ids and, in a SavedModel, from text."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from ..inputs import Sequences, UnseenWords
from ..linear.character_ngrams import CharacterNgrams
from ..networks.backend import keras
from ..plain.keras_text import build_text
from ..plain.onnx_text import save_text
from ..plain.text_arrays import PlainText
from ..plain.text_graph import TextGraph, holds
from ..prediction.classifier import Classifier
from ..prediction.pool import Pool
from ..text.encoder import TextEncoder
from .check import Agreement, logits_of_inputs, logits_of_texts, require_equal
from .example import text_example
from .exported import Exported
from .formats import RUNNERS, SAVERS
from .saved_model import FROM_TEXT, TextModel, run_saved_model, save_model
from .vocabulary import text_inputs

NO_TOKENIZER = "a tokenizer: vocabulary.json says how texts become ids"
NO_LOOKAHEAD = (
    "a signature from text: TensorFlow's patterns have no lookahead, which tokenize.cleaning=kim needs"
)
NOT_NORMALIZED = "Unicode's normal form NFC, in the signature from text: texts have to be in it, as most are"
NO_LETTERS = "from ids, the characters of words outside the vocabulary, which the classifier reads"


def export_texts(
    form: str,
    path: Path,
    classifier: Classifier,
    network: keras.Model,
    rows: Sequences,
    texts: Sequence[str],
) -> Exported:
    """Write the model of a text classifier, and check it on `rows` and their texts."""
    pool, encoder = cast(Pool, classifier.predictor), cast(TextEncoder, classifier.encoder)
    plain = PlainText.of(pool, network, classifier.temperature)
    from_text = form == "saved_model" and holds(encoder)
    if form == "onnx":
        save_text(plain, path)
    elif from_text:
        model = build_text(plain)
        save_model(model, path, _text_model(model, plain, pool, encoder))
    else:
        SAVERS[form](build_text(plain), path)
    logits = logits_of_inputs(RUNNERS[form](path), plain.spread(rows))
    on_ids = Sequences(rows.ids, rows.offsets, rows.ids, UnseenWords())
    agreement = Agreement.between(pool.logits(on_ids), logits)
    require_equal(agreement)
    ours, reads_letters = pool.logits(rows), "characters" in pool.linear
    of_texts = logits_of_texts(run_saved_model(path, FROM_TEXT), texts) if from_text else None
    outside = np.unique(np.repeat(np.arange(len(rows)), rows.lengths)[rows.words >= encoder.vocabulary])
    return Exported(
        text_inputs(encoder, plain.gap),
        text_example(form, encoder, len(classifier.columns), from_text),
        agreement,
        _not_held(form, from_text, reads_letters),
        len(outside),
        Agreement.between(ours, logits) if reads_letters else None,
        Agreement.between(ours, of_texts) if of_texts is not None else None,
    )


def _text_model(model: keras.Model, plain: PlainText, pool: Pool, encoder: TextEncoder) -> TextModel:
    characters = None
    for weight, linear in zip(pool.weights[1:], pool.linear.values(), strict=True):
        if isinstance(linear, CharacterNgrams):
            characters = linear, weight
    return TextModel(model, TextGraph(encoder, plain.gap), plain.temperature, characters)


def _not_held(form: str, from_text: bool, reads_letters: bool) -> list[str]:
    of_tokenizer = NO_LOOKAHEAD if form == "saved_model" else NO_TOKENIZER
    return [NOT_NORMALIZED if from_text else of_tokenizer, *([NO_LETTERS] if reads_letters else [])]
