"""A corpus is encoded in blocks, as one."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.options import Tokenize
from pipeline.text import encode_corpus
from pipeline.text.encoder import TextEncoder


def test_blocks_are_joined_to_what_one_block_would_be(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["a b strange", "b", "", "odd a a a", "strange b other"]
    encoder = TextEncoder(["a", "b"], Tokenize(unit="word", maximum_length=3, unseen="unknown"))
    whole, lengths = encode_corpus.encode_corpus(encoder, texts)
    assert lengths.tolist() == [3, 1, 0, 4, 3]
    assert whole.ids.tolist() == [2, 3, 1, 3, 1, 2, 2, 1, 3, 1]
    monkeypatch.setattr(encode_corpus, "BLOCK", 2)
    pieces, again = encode_corpus.encode_corpus(encoder, texts)
    np.testing.assert_array_equal(pieces.ids, whole.ids)
    np.testing.assert_array_equal(pieces.offsets, whole.offsets)
    assert pieces.spell(pieces.words, ["a", "b"]) == whole.spell(whole.words, ["a", "b"])
    assert again.tolist() == lengths.tolist()
