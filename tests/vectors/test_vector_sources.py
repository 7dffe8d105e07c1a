"""What may be named as pretrained vectors."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.vectors import vector_sources
from pipeline.vectors.vector_sources import DOWNLOADS


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refusal(vectors: str) -> str:
    with pytest.raises(InputError) as error:
        vector_sources.files(vectors)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_name_of_a_download_has_no_file_of_the_users() -> None:
    assert vector_sources.files("glove-twitter-25") == []
    assert vector_sources.download("glove-twitter-25") == DOWNLOADS["glove-twitter-25"]


def test_a_file_is_taken_for_a_file_even_if_it_has_the_name_of_a_download() -> None:
    Path("glove-twitter-25").write_text("a 1\n")
    assert vector_sources.files("glove-twitter-25") == ["glove-twitter-25"]
    assert vector_sources.download("glove-twitter-25") is None


def test_a_folder_is_an_encoder_of_two_files() -> None:
    Path("mini").mkdir()
    assert "mini: no model.onnx in this folder" in refusal("mini")
    Path("mini/model.onnx").touch()
    assert "mini: no tokenizer.json in this folder" in refusal("mini")
    Path("mini/tokenizer.json").touch()
    Path("mini/README.md").touch()
    assert vector_sources.is_encoder("mini") and not vector_sources.is_encoder("glove-twitter-25")
    assert vector_sources.files("mini") == ["mini/model.onnx", "mini/tokenizer.json"]
    Path("mini/model.onnx_data").write_bytes(b"weights")
    assert vector_sources.files("mini")[2:] == ["mini/model.onnx_data"]


@pytest.mark.parametrize(
    ("given", "near"),
    [
        ("glove-wiki-gigaword-10", "glove-wiki-gigaword-100"),
        ("word2vec-google-news", "word2vec-google-news-300"),
        ("corpsu", "corpus"),
    ],
)
def test_a_misspelled_name_is_told_the_nearest(given: str, near: str) -> None:
    message = refusal(given)
    assert message.startswith(f"{given}: no such file; did you mean '{near}'? expected a file of vectors, ")
    assert "model.onnx and tokenizer.json" in message and message.endswith("word2vec-ruscorpora-300")


def test_every_download_is_checked_by_a_digest_of_md5() -> None:
    assert len(DOWNLOADS) == 12 and len({each.md5 for each in DOWNLOADS.values()}) == 12
    assert all(len(each.md5) == 32 and int(each.md5, 16) for each in DOWNLOADS.values())
