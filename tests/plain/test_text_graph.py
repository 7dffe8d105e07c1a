"""TensorFlow's operations make of a text what the encoder makes of it."""

from __future__ import annotations

import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.inputs import BOUNDARY, PADDING
from pipeline.networks.backend import tf
from pipeline.options import Tokenize
from pipeline.plain.text_graph import Encoded, TextGraph, holds
from pipeline.text.encoder import TextEncoder

WORDS = ["film", "lovely", "don't", "remake", "!", "é", "电", "影", "👍", "ไทย", "1", "films"]
TEXTS = [
    "",
    "   ",
    "A LOVELY film, don’t!",
    "re\u00admake remakes remaking zzz",
    "a\u200bb fi\u200clm x\u200dy \u200d \ufeff",
    "\u00a0film\u3000film\u2028film\x85film\tfilm\r\nfilm",
    "👍🏽 👨‍👩‍👧‍👦 🇩🇪🇫🇷 ❤️ ☎ 1️⃣ e\u0301",
    "$5.00 #film @film film_film «film» film's 'film'",
    "电影film电影 ﾊﾝｶｸ ー ไทย ภาษาไทยน้ำ שָׁלוֹם हिन्दी",
    f"film{BOUNDARY}lovely film{BOUNDARY}",
    f"{BOUNDARY}{BOUNDARY}film",
    " ".join(["film zzz"] * 40),
    "\x00film\x01 film\x7f",
]


def graph_and_encoder(**options: object) -> tuple[TextGraph, TextEncoder]:
    encoder = TextEncoder(WORDS, Tokenize.model_validate({"unit": "word"} | options))
    return TextGraph(encoder, gap=1), encoder


def check(graph: TextGraph, encoder: TextEncoder, texts: list[str]) -> None:
    """Compare ids and words with the encoder's, whose unseen words have numbers of their own."""
    encoded, expected = graph.encode(tf.constant(texts)), encoder.encode(texts)
    spelled = expected.spell(expected.words, encoder.words)
    for row in range(len(texts)):
        part = slice(expected.offsets[row], expected.offsets[row + 1])
        length = part.stop - part.start
        ids = encoded.ids.numpy()[row]
        assert ids[:length].tolist() == expected.ids[part].tolist(), texts[row]
        assert not ids[length:].any()
        assert _spelled(encoded, row, encoder)[:length] == spelled[part], texts[row]


def _spelled(encoded: Encoded, row: int, encoder: TextEncoder) -> list[str]:
    names = [BOUNDARY, "", *encoder.words, *(word.decode() for word in encoded.unseen.numpy())]
    return [names[number] for number in encoded.words.numpy()[row]]


@pytest.mark.parametrize(
    "options",
    [{}, {"unit": "character"}, {"lowercase": False}, {"unseen": "unknown"}, {"maximum_length": 3}],
    ids=str,
)
def test_texts_have_the_encoders_ids_and_words(options: dict[str, object]) -> None:
    graph, encoder = graph_and_encoder(**options)
    for text in TEXTS:
        check(graph, encoder, [unicodedata.normalize("NFC", text)])
    check(graph, encoder, [unicodedata.normalize("NFC", text) for text in TEXTS])


@settings(max_examples=40)
@given(st.lists(st.text(st.sampled_from("afilmry'’ .!é电\u00ad\x1f1"), max_size=20), min_size=1, max_size=4))
def test_any_texts_of_words_have_the_encoders_ids(texts: list[str]) -> None:
    check(*WORD_GRAPH, texts)


WORD_GRAPH = graph_and_encoder()


def test_a_boundary_becomes_as_many_zeros_as_the_network_needs() -> None:
    encoder = TextEncoder(WORDS, Tokenize(unit="word"))
    ids = TextGraph(encoder, gap=3).encode(tf.constant([f"film{BOUNDARY}film"])).ids
    assert ids.numpy().tolist() == [[2, PADDING, PADDING, PADDING, 2]]


def test_there_is_no_graph_of_a_cleaning_that_looks_ahead() -> None:
    assert holds(graph_and_encoder()[1])
    assert not holds(graph_and_encoder(cleaning="kim")[1])


def test_no_texts_have_no_rows() -> None:
    encoded = WORD_GRAPH[0].encode(tf.constant([], tf.string))
    assert encoded.ids.shape[0] == 0 and np.size(encoded.unseen) == 0
