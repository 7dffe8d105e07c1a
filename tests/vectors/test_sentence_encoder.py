"""Words through sentence encoders: a tiny one whose vectors are known, and a real one where it is at hand."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import InputError
from pipeline.vectors import sentence_encoder
from pipeline.vectors.sentence_encoder import encode_words
from tests.vectors.tiny_encoder import INPUTS, TABLE, write_encoder

pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
pytest.importorskip("tokenizers", reason="tokenizers is not installed")

MINILM = Path(__file__).resolve().parents[3] / "shared" / "encoders" / "all-MiniLM-L6-v2"


def refusal(folder: Path, words: list[str]) -> str:
    with pytest.raises(InputError) as error:
        encode_words(folder, words, seed=1)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_word_has_the_mean_over_its_tokens_centred_and_scaled(tmp_path: Path) -> None:
    """With [CLS] and [SEP], which are zero: film is (3, 0) / 3, act (0, 3) / 3, acting (0, 3 + 1) / 4."""
    encoded = encode_words(write_encoder(tmp_path), ["film", "acting", "act"], seed=1)
    means = np.array([[1, 0], [0, 1], [0, 1]])
    centred = means - [1 / 3, 2 / 3]
    expected = 0.25 * centred / np.sqrt(2 / 9)  # the mean square of the six numbers
    np.testing.assert_allclose(encoded.matrix[2:], expected, rtol=1e-6)
    assert encoded.matrix.dtype == np.float32 and not encoded.matrix[0].any()
    assert encoded.found.tolist() == [True, True, True]
    assert encoded.whole.tolist() == [True, False, True]


def test_words_of_which_the_tokenizer_knows_nothing_are_not_found(tmp_path: Path) -> None:
    words = ["film", "☃", "act", "\ud800"]
    encoded = encode_words(write_encoder(tmp_path), words, seed=1)
    assert encoded.found.tolist() == [True, False, True, False]
    bound = 0.25 * 3**0.5
    assert 0 < np.abs(encoded.matrix[[1, 3, 5]]).max() <= bound
    np.testing.assert_allclose(encoded.matrix[[2, 4]], [[0.25, -0.25], [-0.25, 0.25]], rtol=1e-6)


def test_a_word_that_is_known_in_part_is_found_but_not_whole(tmp_path: Path) -> None:
    encoded = encode_words(write_encoder(tmp_path), ["film", "act☃"], seed=1)
    assert encoded.found.tolist() == [True, True] and encoded.whole.tolist() == [True, False]


def test_a_blank_before_a_word_is_no_part_of_it(tmp_path: Path) -> None:
    from tokenizers import Tokenizer, models, pre_tokenizers

    folder = write_encoder(tmp_path)
    scores = [("<unk>", 0.0), ("▁", -1.0), ("好", -1.0), ("▁film", -1.0)]
    tokenizer = Tokenizer(models.Unigram(scores, unk_id=0))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.save(str(folder / "tokenizer.json"))
    encoded = encode_words(folder, ["好", "film", "漢"], seed=1)  # ▁ 好, ▁film, ▁ <unk>
    assert encoded.found.tolist() == encoded.whole.tolist() == [True, True, False]


@pytest.mark.parametrize("inputs", [("input_ids",), (*INPUTS, "token_type_ids")])
@pytest.mark.parametrize("pooled", [False, True])
def test_a_model_may_ask_for_fewer_or_more_inputs_and_take_the_mean_itself(
    tmp_path: Path, inputs: tuple[str, ...], pooled: bool
) -> None:
    words = ["film", "acting"]
    expected = encode_words(write_encoder(tmp_path / "plain"), words, seed=1).matrix
    folder = write_encoder(tmp_path / "other", inputs=inputs, pooled=pooled)
    np.testing.assert_allclose(encode_words(folder, words, seed=1).matrix, expected, rtol=1e-6)


def test_batches_change_no_vector_and_the_words_keep_their_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["acting", "film", "act", "filming", "actinging"]
    folder = write_encoder(tmp_path)
    together = encode_words(folder, words, seed=1).matrix
    monkeypatch.setattr(sentence_encoder, "BATCH_SIZE", 1)
    np.testing.assert_array_equal(encode_words(folder, words, seed=1).matrix, together)
    backward = encode_words(folder, words[::-1], seed=1).matrix
    np.testing.assert_allclose(backward[2:], together[2:][::-1], atol=1e-7)


def test_an_encoder_that_knows_none_of_the_words_is_refused(tmp_path: Path) -> None:
    assert "knows none of the vocabulary's 2 words" in refusal(write_encoder(tmp_path), ["☃", "漢"])


@pytest.mark.parametrize("name", ["model.onnx", "tokenizer.json"])
@pytest.mark.parametrize("content", [b"", b"{}", b"\x08\x07garbage" * 50])
def test_a_damaged_file_is_one_line_that_names_it(tmp_path: Path, name: str, content: bytes) -> None:
    folder = write_encoder(tmp_path)
    (folder / name).write_bytes(content)
    message = refusal(folder, ["film"])
    assert message.startswith(f"{folder / name}: ") and "export or copy it again" in message


def test_a_tokenizer_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, rows=3)
    assert refusal(folder, ["film"]).startswith(f"{folder / 'model.onnx'}: ")


def test_a_model_that_asks_for_something_else_is_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, inputs=("input_ids", "pixel_values"))
    assert "asks for input_ids, pixel_values, where an encoder asks for input_ids" in refusal(
        folder, ["film"]
    )


def test_numbers_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    folder = write_encoder(tmp_path, TABLE | {"film": [float("nan"), 0]})
    assert "not finite" in refusal(folder, ["film", "act"])


@pytest.mark.parametrize("library", ["onnxruntime", "tokenizers"])
def test_a_library_that_is_not_installed_is_named_with_its_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    folder = write_encoder(tmp_path)
    monkeypatch.setitem(sys.modules, library, None)
    assert "pip install '.[encoder]'" in refusal(folder, ["film"])


def test_a_very_long_word_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sentence_encoder, "MAX_TOKENS", 4)
    encoded = encode_words(write_encoder(tmp_path), ["film", "acting", "acting" + "ing" * 20], seed=1)
    np.testing.assert_array_equal(encoded.matrix[3], encoded.matrix[4])


@pytest.mark.skipif(not MINILM.is_dir(), reason="shared/encoders is not there")
def test_a_real_encoder_sets_words_of_one_meaning_side_by_side() -> None:
    words = ["film", "movie", "good", "great", "banana", "한국", "☃"]
    encoded = encode_words(MINILM, words, seed=1)
    assert encoded.found.tolist() == [True] * 6 + [False]
    assert encoded.whole.tolist() == [True] * 5 + [False] * 2
    found = encoded.matrix[2:8]
    assert found.shape == (6, 384) and found.std() == pytest.approx(0.25)
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-6)
    cosines = found @ found.T / np.outer(*[np.linalg.norm(found, axis=1)] * 2)
    assert cosines[0].argsort()[-2] == 1 and cosines[2].argsort()[-2] == 3
    np.testing.assert_array_equal(encode_words(MINILM, words, seed=1).matrix, encoded.matrix)
