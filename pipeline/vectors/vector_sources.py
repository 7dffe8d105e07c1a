"""What `embed.vectors` may name: a file of vectors, vectors to download, or a folder with an encoder."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError
from ..options import LEARNED

ADDRESS = "https://github.com/RaRe-Technologies/gensim-data/releases/download/"
ENCODER_FILES = ("model.onnx", "tokenizer.json")
WEIGHT_FILES = ("model.onnx_data", "model.onnx.data")  # of a model beyond 2 GB, as two exporters do


@dataclass(frozen=True)
class Download:
    """A gzipped file of vectors below ADDRESS; size and checksum are those of gensim-data's list.json.

    `beside_word` is a regular expression of what stands beside each word in the file.
    """

    bytes: int
    md5: str
    beside_word: str = ""


DOWNLOADS = {
    "glove-wiki-gigaword-50": Download(69_182_535, "c289bc5d7f2f02c6dc9f2f9b67641813"),
    "glove-wiki-gigaword-100": Download(134_300_434, "40ec481866001177b8cd4cb0df92924f"),
    "glove-wiki-gigaword-200": Download(264_336_934, "59652db361b7a87ee73834a6c391dfc1"),
    "glove-wiki-gigaword-300": Download(394_362_229, "29e9329ac2241937d55b852e8284e89b"),
    "glove-twitter-25": Download(109_885_004, "50db0211d7e7a2dcd362c6b774762793"),
    "glove-twitter-50": Download(209_216_938, "c168f18641f8c8a00fe30984c4799b2b"),
    "glove-twitter-100": Download(405_932_991, "b04f7bed38756d64cf55b58ce7e97b15"),
    "glove-twitter-200": Download(795_373_100, "e52e8392d1860b95d5308a525817d8f9"),
    "word2vec-google-news-300": Download(1_743_563_840, "a5e5354d40acb95f9ec66d5977d140ef"),
    "fasttext-wiki-news-subwords-300": Download(1_005_007_116, "de2bb3a20c46ce65c9c131e1ad9a77af"),
    # Of many languages, each word below its own: `/c/en/film`.
    "conceptnet-numberbatch-17-06-300": Download(
        1_225_497_562, "fd642d457adcd0ea94da0cd21b150847", "^/c/en/"
    ),
    # Russian lemmas with their part of speech: `фильм_NOUN`.
    "word2vec-ruscorpora-300": Download(208_427_381, "9bdebdc8ae6d17d20839dd9b5af10bc4", "_[A-Z]+$"),
}


def download(vectors: str) -> Download | None:
    """Return what the name stands for; None for a path, which a file or folder of that name makes it."""
    return None if Path(vectors).exists() else DOWNLOADS.get(vectors)


def is_encoder(vectors: str) -> bool:
    """Tell whether this is a folder, which is then one with a sentence encoder."""
    return Path(vectors).is_dir()


def files(vectors: str) -> list[str]:
    """Return the user's files that the vectors are made from; none for a download.

    Raises InputError for what is no path and no name of a download, and for a folder without an encoder.
    """
    if download(vectors):
        return []
    path = Path(vectors)
    if is_encoder(vectors):
        for name in ENCODER_FILES:
            if not (path / name).is_file():
                raise InputError(
                    f"{vectors}: no {name} in this folder; expected {' and '.join(ENCODER_FILES)} of a "
                    "sentence encoder; export it to ONNX, or name a file of vectors"
                )
        weights = [name for name in WEIGHT_FILES if (path / name).is_file()]
        return [str(path / name) for name in (*ENCODER_FILES, *weights)]
    if not path.exists():
        near = difflib.get_close_matches(vectors, [*LEARNED, *DOWNLOADS], n=1)
        suggestion = f"did you mean {near[0]!r}? " if near else ""
        raise InputError(
            f"{vectors}: no such file; {suggestion}expected a file of vectors, a folder with "
            f"{' and '.join(ENCODER_FILES)}, or one of {', '.join([*LEARNED, *DOWNLOADS])}"
        )
    return [vectors]
