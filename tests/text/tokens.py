"""The tokens that an encoder turns into ids."""

from __future__ import annotations

from pipeline.text.encoder import TextEncoder


def encoded_tokens(encoder: TextEncoder, text: str) -> list[str]:
    """The pieces of a text without the blanks before them."""
    return [piece.lstrip(" ") for piece in encoder.pieces(text)]
