"""Tokens, the vocabulary, and the encoder that travels with the classifier."""

from __future__ import annotations

import csv
import json
import unicodedata
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.inputs import BOUNDARY, PADDING, UNKNOWN, Sequences
from pipeline.options import Tokenize
from pipeline.text.encoder import Cleaning, TextEncoder, Unit, choose_unit, tokenize
from pipeline.text.fast_encoder import ByteEncoder
from tests.text.tokens import encoded_tokens

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"
EVERY_WORD = Tokenize(minimum_count=1)
UNITS = st.sampled_from(["word", "character"])
CLEANINGS = st.sampled_from(["none", "kim"])
TEXTS = st.text() | st.text("aAn't'sdD ,!?().`é\u0301\u200d\u0600\u2019ß我ำกラ👍🏽\ufe0f1\u00a0\n")


def rows(sequences: Sequences) -> list[list[int]]:
    return [sequences.ids[start:end].tolist() for start, end in pairwise(sequences.offsets)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \t\n\u00a0", []),
        ("The movie's 2nd-best!!", ["the", "movie's", "2nd", "-", "best", "!", "!"]),
        ("don\u2019t 'quote' rock'n'roll", ["don't", "'", "quote", "'", "rock'n'roll"]),
        ("x_y $5.00", ["x", "_", "y", "$", "5", ".", "00"]),
        ("हिन्दी में है", ["हिन्दी", "में", "है"]),
        ("ok👍🏽👩\u200d👩\u200d👧❤️🇳🇱", ["ok", "👍🏽", "👩\u200d👩\u200d👧", "❤️", "🇳🇱"]),
        ("cafe\u0301", ["café"]),
        ("zu\u00adsammen\u200b", ["zusammen"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("我爱你 ok", ["我爱你", "ok"]),
    ],
)
def test_words_keep_marks_and_inner_apostrophes_and_symbols_stand_alone(text: str, tokens: list[str]) -> None:
    assert tokenize(text, "word", "none", True) == tokens


@pytest.mark.parametrize(
    ("unit", "cleaning", "text", "pieces"),
    [
        ("word", "none", " A  good,\nbad film\u2019s", ["a", " good", ",", " bad", " film's"]),
        ("word", "kim", "film's (so-so)", ["film", "'s", " (", "so", " so", ")"]),
        ("character", "none", "\u5f88\u597d A\u5f88 \u597d", ["\u5f88", "\u597d", " a", "\u5f88", " \u597d"]),
        ("character", "none", "\u0e14\u200b\u0e35\x1f\u0e14", ["\u0e14", "\u0e35", "\x1f", "\u0e14"]),
    ],
)  # fmt: skip
def test_pieces_have_a_blank_where_the_text_has_one(
    unit: Unit, cleaning: Cleaning, text: str, pieces: list[str]
) -> None:
    options = Tokenize(unit=unit, cleaning=cleaning, lowercase=True)
    assert TextEncoder(["a"], options).pieces(text) == pieces


def test_the_boundary_of_two_texts_is_padding_and_beside_the_limit_of_tokens() -> None:
    encoder = TextEncoder(["a", "b"], Tokenize(unit="word", maximum_length=3))
    text = "a b\x1fb a\x1fa"
    assert encoded_tokens(encoder, text) == ["a", "b", "\x1f", "b", "\x1f"]
    assert rows(encoder.encode([text, "\x1f", ""])) == [[2, 3, 0, 3, 0], [0], []]
    counts = encoder.count_tokens(pd.DataFrame({"text": [text, "\x1f"]}))
    assert [array.tolist() for array in counts] == [[5, 0], [3, 0], [0, 0]]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("我爱iPhone15，很好！", ["我", "爱", "iphone15", "，", "很", "好", "！"]),
        ("ラーメン", ["ラ", "ー", "メ", "ン"]),
        ("น้ำดี", ["น้ำ", "ดี"]),
        ("한국어 don't", ["한국어", "don't"]),
    ],
)
def test_characters_of_spaceless_scripts_are_tokens_and_other_words_stay_whole(
    text: str, tokens: list[str]
) -> None:
    assert tokenize(text, "character", "none", True) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("It's n't a film, it's (really) great!?", "it 's n't a film , it 's ( really ) great ! ?"),
        ("I can't; they'd've, we'll, you're", "i ca n't they 'd 've , we 'll , you 're"),
        ('THEY\'RE "co-stars": 90%', "they 're co stars 90"),
        ("o'donnell 'tis `so'", "o'donnell 'tis `so'"),
        ("What is 2 + 2 ?", "what is 2 2 ?"),
        ("it 's already do n't , tokenised ( so ) !", "it 's already do n't , tokenised ( so ) !"),
        ("Café 👍", "café"),
    ],
)
def test_kims_cleaning_splits_suffixes_and_drops_other_symbols(text: str, tokens: str) -> None:
    assert " ".join(tokenize(text, "word", "kim", True)) == tokens
    assert " ".join(tokenize(tokens, "word", "kim", True)) == tokens


def test_kims_cleaning_writes_no_backslash() -> None:
    assert tokenize(r"why\? (so)", "word", "kim", True) == ["why", "?", "(", "so", ")"]


def test_case_is_kept_on_request() -> None:
    assert tokenize("Who ISN'T", "word", "kim", False) == ["Who", "IS", "N'T"]


@pytest.mark.parametrize(
    ("texts", "unit"),
    [
        ([], "word"),
        (["123 !?"], "word"),
        (["我很喜欢它 iPad"], "character"),
        (["我很喜欢 iPad"], "word"),
        (["ฉันกินข้าว"], "character"),
        (["한국어 문장"], "word"),
        (["english"] * 1500 + ["我很喜欢这个酒店的房间"] * 1500, "character"),
    ],
)
def test_unit_is_character_where_most_letters_are_of_spaceless_scripts(texts: list[str], unit: Unit) -> None:
    assert choose_unit(texts) == unit


def test_vocabulary_is_ordered_by_count_then_alphabetically() -> None:
    encoder = TextEncoder.learn(["b a c", "c b", "c d"], EVERY_WORD)
    assert encoder.words == ["c", "b", "a", "d"]
    assert rows(encoder.encode(["a c", "", "x d", "!"])) == [[4, 2], [], [UNKNOWN, 5], [UNKNOWN]]


def test_vocabulary_respects_minimum_count_and_maximum_size() -> None:
    texts = ["a a a b b c"]
    assert TextEncoder.learn(texts, Tokenize(minimum_count=2)).words == ["a", "b"]
    assert TextEncoder.learn(texts, Tokenize(minimum_count=1, maximum_size=1)).words == ["a"]


def test_long_texts_are_cut_and_counted() -> None:
    encoder = TextEncoder.learn(["a b c"], Tokenize(minimum_count=1, maximum_length=2))
    texts = ["a b c", "a b", "c", "a, b"]
    encoded = ByteEncoder(encoder).encode(texts)
    assert rows(encoded.sequences) == rows(encoder.encode(texts)) == [[2, 3], [2, 3], [4], [2, UNKNOWN]]
    assert encoded_tokens(encoder, "a b c") == ["a", "b"]
    assert int((encoded.lengths > 2).sum()) == 2


@pytest.mark.parametrize("texts", [[], [""], ["a b"]])
def test_an_empty_vocabulary_is_an_error_with_a_remedy(texts: list[str]) -> None:
    with pytest.raises(InputError, match=r"vocabulary is empty.*tokenize\.minimum_count"):
        TextEncoder.learn(texts, Tokenize(minimum_count=2))


def test_json_holds_every_option_resolved() -> None:
    saved = TextEncoder.learn(["我 很 a"], Tokenize(minimum_count=1, maximum_length=7)).to_json()
    assert saved == {
        "tokenize": {
            "unit": "character",
            "cleaning": "none",
            "lowercase": True,
            "minimum_count": 1,
            "maximum_size": 100_000,
            "maximum_length": 7,
            "unseen": "similar",
        },
        "words": ["a", "很", "我"],
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"words": ["a", "b", "a"]}, "e.json: words: .*'a' occurs 2 times"),
        ({"words": ["a", 1]}, r"e.json: words\.1: .*string"),
        ({"words": []}, "e.json: words: "),
        ({"words": [1] * 10**5}, "e.json: words.0: "),
        ({f"{number}": 1 for number in range(2000)}, "e.json: JSON: 2,000 keys or values are wrong"),
        ({"tokenize": {"unit": "word", "maximum_length": 2**63}}, r"e.json: tokenize.maximum_length: "),
        ({"words": "ab"}, "e.json: words: "),
        ({"tokenize": {"unit": "auto"}}, "e.json: tokenize: .*unit is auto"),
        ({"tokenize": {"unit": "word", "lowercase": 1}}, r"e.json: tokenize\.lowercase: "),
        ({"more": 1}, "e.json: more: "),
    ],
)
def test_changed_json_is_refused(change: dict[str, Any], message: str) -> None:
    saved = TextEncoder.learn(["a b"], EVERY_WORD).to_json()
    with pytest.raises(InputError, match=message):
        TextEncoder.from_json(saved | change, "e.json")


@pytest.mark.parametrize("value", [None, [], "x", {}])
def test_json_that_is_no_encoder_is_refused(value: object) -> None:
    with pytest.raises(InputError, match="text encoder: "):
        TextEncoder.from_json(value)


@given(TEXTS, TEXTS, UNITS, CLEANINGS, st.booleans())
@example("\u0600", "a", "word", "none", True)
def test_no_token_spans_a_blank_or_is_empty(
    a: str, b: str, unit: Unit, cleaning: Cleaning, lower: bool
) -> None:
    tokens = tokenize(f"{a} {b}", unit, cleaning, lower)
    assert tokens == tokenize(a, unit, cleaning, lower) + tokenize(b, unit, cleaning, lower)
    assert all(len(token.split()) == 1 for token in tokens)


@given(TEXTS, UNITS, st.booleans())
def test_equivalent_spellings_give_the_same_tokens(text: str, unit: Unit, lower: bool) -> None:
    decomposed = unicodedata.normalize("NFD", text)
    assert tokenize(decomposed, unit, "none", lower) == tokenize(text, unit, "none", lower)


@given(TEXTS)
@example("a'sn't")
@example("'s's")
def test_kims_cleaning_leaves_its_own_tokens_alone(text: str) -> None:
    tokens = tokenize(text, "word", "kim", False)
    assert tokenize(" ".join(tokens), "word", "kim", False) == tokens


@given(st.lists(TEXTS), UNITS, CLEANINGS, st.booleans(), st.integers(1, 9))
def test_encoding_agrees_with_tokens_and_does_not_depend_on_the_batch(
    texts: list[str], unit: Any, cleaning: Any, lower: bool, length: int
) -> None:
    options = Tokenize(unit=unit, cleaning=cleaning, lowercase=lower, minimum_count=1, maximum_length=length)
    encoder = TextEncoder.learn([*texts[::2], "a"], options)
    encoded = rows(encoder.encode(texts))
    assert encoded == [rows(encoder.encode([text]))[0] for text in texts]
    assert encoded == rows(TextEncoder.from_json(json.loads(json.dumps(encoder.to_json()))).encode(texts))
    for row, text in zip(encoded, texts, strict=True):
        tokens = encoded_tokens(encoder, text)
        known = [{PADDING: BOUNDARY, UNKNOWN: None}.get(i) if i < 2 else encoder.words[i - 2] for i in row]
        assert known == [token if token in [*encoder.words, BOUNDARY] else None for token in tokens]
    counted = ByteEncoder(encoder).encode(texts)
    assert rows(counted.sequences) == encoded
    assert counted.lengths.tolist() == [len(tokenize(text, unit, cleaning, lower)) for text in texts]


@pytest.mark.skipif(not CORPORA.is_dir(), reason="shared/corpora is not there")
def test_corpora_get_their_units_and_mr_its_words() -> None:
    def read(path: str) -> list[str]:
        with open(CORPORA / path, encoding="utf-8", newline="") as file:
            return [row["text"] for row in csv.DictReader(file)]

    assert choose_unit(read("chnsenticorp_htl/all.csv")) == "character"
    texts = read("mr.csv")
    encoder = TextEncoder.learn(texts, Tokenize(cleaning="kim", minimum_count=1))
    assert encoder.options.unit == "word"
    assert encoder.words[:4] == ["the", ",", "a", "and"]
    assert abs(len(encoder.words) - 18_765) < 50  # Kim's table 1: 18,765
    assert UNKNOWN not in encoder.encode(texts).ids


@given(st.lists(TEXTS.map(lambda text: "".join(text.split())).filter(bool)), UNITS, CLEANINGS, st.booleans())
@example(["ΌΔΟΣ", "Σ"], "word", "none", True)  # a final sigma
@example(["e", "\u0301a"], "word", "none", True)  # an accent that would go to the chunk before
@example(["½", "x²", "Ⅻ", "日本"], "character", "none", True)
def test_chunks_together_have_the_tokens_of_each(
    chunks: list[str], unit: Unit, cleaning: Cleaning, lowercase: bool
) -> None:
    encoder = TextEncoder(["a"], Tokenize(unit=unit, cleaning=cleaning, lowercase=lowercase))
    assert encoder.tokens_of_each(chunks) == [encoder.tokens_of(chunk) for chunk in chunks]


def test_what_python_takes_for_letters_and_digits_is_one_token_in_a_script_with_spaces() -> None:
    encoder = TextEncoder(["a"], Tokenize(unit="word", lowercase=False))
    characters = [chr(code) for code in range(0x110000) if chr(code).isalnum()]
    assert encoder.tokens_of_each(characters) == [encoder.tokens_of(character) for character in characters]
