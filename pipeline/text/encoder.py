"""Encoding of texts as token ids, in training and in prediction: the encoder travels with the model."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import regex
from numpy.typing import NDArray
from pydantic import Field, ValidationError, field_validator

from ..encoder import EncodedRows, ServedColumn, TokenCounts
from ..errors import InputError
from ..inputs import BOUNDARY, PADDING, UNKNOWN, Images, Sequences
from ..options import Section, Tokenize, first_fault
from .fast_encoder import ByteEncoder, Encoded
from .similar_words import SimilarWords

if TYPE_CHECKING:
    import pandas as pd

Unit = Literal["word", "character"]
Cleaning = Literal["none", "kim"]

# The scripts written without spaces. To Unicode, the long vowel marks of the kana are of no script.
_SPACELESS = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\u30fc\uff70"
_WORD = r"[\p{L}\p{M}\p{N}]"
# Control and format characters are invisible, and half a surrogate pair is no text: none begins a token.
_SYMBOL = r"(?![\s\p{Cc}\p{Cf}\p{Cs}])\X"
_SUFFIX = r"(?i:n't|'(?:s|ve|re|d|ll))"


@cache
def _grammar(unit: Unit, cleaning: Cleaning) -> regex.Pattern[str]:
    """Return a pattern of the tokens of a text, the preferred alternatives first; none spans a blank."""
    word = _WORD if unit == "word" else rf"[{_WORD}--[{_SPACELESS}]]"
    alternatives = [] if unit == "word" else [rf"(?=[{_SPACELESS}])\X"]
    if cleaning == "kim":
        suffix = rf"{_SUFFIX}(?={_SUFFIX}*(?!{word}))"  # at the end of a word, or before another suffix there
        alternatives += ["[(),!?]", suffix, rf"(?:(?!{suffix})[{word}'`])+"]
    else:
        alternatives += [rf"{word}+(?:['\u200c\u200d]{word}+)*", _SYMBOL]
    return regex.compile("|".join(alternatives), regex.VERSION1)


SAMPLE_TEXTS = 1000  # at least, to choose the unit
SAMPLE_CHARACTERS = 1000  # of a text, at most

_VISIBLE_GAP = regex.compile(r"[^\p{Cf}]")  # between two tokens: a blank, or what the cleaning drops
_LETTER = regex.compile(r"\p{L}")
_SPACELESS_LETTER = regex.compile(rf"[\p{{L}}&&[{_SPACELESS}]]", regex.VERSION1)


def tokenize(text: str, unit: Unit, cleaning: Cleaning, lowercase: bool) -> list[str]:
    """Return the tokens of a text, NFC-normalised, typographic apostrophes as `'`, without soft hyphens.

    `word`: runs of letters, marks and digits with their inner apostrophes; every other visible symbol,
    as a grapheme cluster (an emoji with its modifiers), is a token. `character`: so is every character
    of a script written without spaces (Han, kana, Thai, Lao, Khmer, Myanmar); other words stay whole.

    Cleaning `kim` (after Kim 2014): only letters, digits and ( ) , ! ? ' ` remain; 's 've n't
    're 'd 'll are split off the ends of words; each of ( ) , ! ? is a token. Here letters are Unicode's.
    """
    return _grammar(unit, cleaning).findall(_normalized(text, lowercase))


def _normalized(text: str, lowercase: bool) -> str:
    text = unicodedata.normalize("NFC", text).replace("\u2019", "'").replace("\u00ad", "")
    return text.lower() if lowercase else text


def choose_unit(texts: Sequence[str] | pd.Series[str]) -> Unit:
    """Return `character` if more than half of the letters are of scripts written without spaces.

    Looks at the beginnings of 1,000 to 2,000 texts, evenly spaced: a file may be sorted by language.
    """
    step = max(1, len(texts) // SAMPLE_TEXTS)
    sample = "\n".join(text[:SAMPLE_CHARACTERS] for text in texts[::step])
    spaceless, letters = len(_SPACELESS_LETTER.findall(sample)), len(_LETTER.findall(sample))
    return "character" if 2 * spaceless > letters else "word"


class _SavedEncoder(Section):
    """The JSON of a text encoder."""

    tokenize: Tokenize
    words: list[str] = Field(min_length=1, fail_fast=True)

    @field_validator("tokenize")
    @classmethod
    def _require_unit(cls, options: Tokenize) -> Tokenize:
        if options.unit == "auto":
            raise ValueError("unit is auto, expected word or character")
        return options

    @field_validator("words")
    @classmethod
    def _require_distinct(cls, words: list[str]) -> list[str]:
        word, count = Counter(words).most_common(1)[0]
        if count > 1:
            raise ValueError(f"{word!r} occurs {count} times, expected distinct words")
        return words


class TextEncoder:
    """An encoder of texts as ids: `words[i]` has id i + 2, other tokens that of a similar word, or 1."""

    kind: ClassVar[Literal["text"]] = "text"
    shape: ClassVar[tuple[None]] = (None,)
    packages: ClassVar[tuple[str, ...]] = ()

    def __init__(self, words: list[str], options: Tokenize) -> None:
        """Use `learn` or `from_json` instead; `options.unit` must not be `auto`."""
        self.words = words
        self.options = options
        self._ids = {word: UNKNOWN + 1 + i for i, word in enumerate(words)}
        self._similar_words = SimilarWords(words if options.unseen == "similar" else [])
        self._byte_encoder = ByteEncoder(self)

    @classmethod
    def learn(cls, texts: Sequence[str] | pd.Series[str], options: Tokenize) -> TextEncoder:
        """Learn the vocabulary of the training part: by descending count, then alphabetically.

        Raises InputError if no word is left.
        """
        if options.unit == "auto":
            options = options.model_copy(update={"unit": choose_unit(texts)})
        tokenizer = cls([], options)
        counts: Counter[str] = Counter()
        for chunk, count in Counter(chain.from_iterable(map(str.split, texts))).items():
            for token in tokenizer.tokens_of(chunk):
                counts[token] += count
        kept = [word for word, count in counts.items() if count >= options.minimum_count]
        if not kept:
            raise InputError(
                f"the vocabulary is empty: {len(texts):,} training texts hold {len(counts):,} words, none of "
                f"them {options.minimum_count} times or more; check source.text (the text column), "
                "or lower tokenize.minimum_count"
            )
        kept.sort(key=lambda word: (-counts[word], word))
        return cls(kept[: options.maximum_size], options)

    @property
    def vocabulary(self) -> int:
        """The number of ids: those of the words, UNKNOWN and PADDING."""
        return UNKNOWN + 1 + len(self.words)

    @property
    def by_character(self) -> bool:
        """Whether each character of a script without spaces is a token."""
        return self.options.unit == "character"

    @property
    def pattern(self) -> str:
        """The pattern of a token, for the package regex and version 1 of its syntax."""
        assert self.options.unit != "auto"
        pattern: str = _grammar(self.options.unit, self.options.cleaning).pattern
        return pattern

    def last_input(self) -> Sequences:
        """Return a row of the last id, which a network must know if it knows all."""
        return Sequences.from_rows([[self.vocabulary - 1]])

    def id(self, token: str) -> int:
        """Return a token's id; one outside the vocabulary has that of a similar word, or UNKNOWN.

        With `tokenize.unseen: unknown` every word outside the vocabulary has UNKNOWN. BOUNDARY has PADDING.
        """
        if token == BOUNDARY:
            return PADDING
        if known := self._ids.get(token):
            return known
        similar = self._similar_words.find(token)
        return UNKNOWN if similar is None else UNKNOWN + 1 + similar

    def __contains__(self, token: str) -> bool:
        """Tell whether the token is a word of the vocabulary."""
        return token in self._ids

    def tokens_of(self, text: str) -> list[str]:
        """Return all tokens of a text, whatever columns they are of."""
        options = self.options
        assert options.unit != "auto"
        return tokenize(text, options.unit, options.cleaning, options.lowercase)

    def tokens_of_each(self, chunks: list[str]) -> list[list[str]]:
        """Return the tokens of each chunk, as `tokens_of` has them, of chunks without an ASCII blank.

        Most are a single word, which needs no search: letters and digits alone, of a script with spaces.
        """
        options = self.options
        assert options.unit != "auto"
        find, by_character = _grammar(options.unit, options.cleaning).findall, options.unit == "character"
        together = _normalized("\n".join(chunks), options.lowercase)  # a line feed changes neither side
        return [
            [chunk] if chunk.isalnum() and (chunk.isascii() or not by_character) else find(chunk)
            for chunk in together.split("\n")
        ][: len(chunks)]

    def pieces(self, text: str) -> list[str]:
        """Return the tokens that `encode` turns into ids, in the same order, and BOUNDARY for PADDING.

        Each follows a blank where the text has one, or more, before it: so the pieces of an n-gram, end to
        end, are what a person reads, in scripts without spaces too.
        """
        pieces, free = list[str](), self.options.maximum_length
        for number, part in enumerate(text.split(BOUNDARY)):
            kept = self._pieces_of(part, free)
            pieces += [BOUNDARY, *kept] if number else kept
            free -= len(kept)
        return pieces

    def _pieces_of(self, text: str, count: int) -> list[str]:
        options = self.options
        assert options.unit != "auto"
        text = _normalized(text, options.lowercase)
        pieces, end = list[str](), 0
        for token in islice(_grammar(options.unit, options.cleaning).finditer(text), count):
            has_blank = pieces and _VISIBLE_GAP.search(text, end, token.start())
            pieces.append(f" {token[0]}" if has_blank else token[0])
            end = token.end()
        return pieces

    def encode(self, texts: Iterable[str]) -> Sequences:
        """Return a row of ids for each text, of at most `maximum_length` tokens; a row may be empty."""
        return self._byte_encoder.encode(texts).sequences

    def encode_bytes(
        self, data: NDArray[np.uint8], bounds: NDArray[np.int64], folder: Path | None = None
    ) -> Iterator[EncodedRows]:
        """Yield all texts at once: text i is `data[bounds[i, 0]:bounds[i, 1]]`, in UTF-8."""
        encoded = self._byte_encoder.encode_bytes(data, bounds)
        yield EncodedRows(encoded.sequences, self._token_counts(encoded), [])

    def encode_table(self, table: pd.DataFrame, inputs: Sequences | Images) -> Sequences:
        """Encode the column text with nothing remembered of earlier texts.

        So it takes as long each time, which the gate measures.
        """
        return ByteEncoder(self).encode(table["text"]).sequences

    def count_tokens(self, table: pd.DataFrame) -> TokenCounts:
        """Count the tokens of the column text."""
        return self._token_counts(self._byte_encoder.encode(table["text"]))

    def _token_counts(self, encoded: Encoded) -> TokenCounts:
        kept = np.minimum(encoded.lengths, self.options.maximum_length)
        return TokenCounts(encoded.lengths, kept, encoded.outside)

    def served_column(self, column: str) -> ServedColumn:
        """Describe a column of strings, named as in training."""
        return ServedColumn(column, "string", ["a text to be labelled", "and another"])

    def to_bytes(self, value: object) -> bytes:
        """Return a text in UTF-8; a missing one is empty. Raises InputError for anything else."""
        if value is None or (isinstance(value, float) and np.isnan(value)):
            return b""
        if not isinstance(value, str):
            raise InputError(f"a {type(value).__name__}: expected a text")
        try:
            return value.encode()
        except UnicodeEncodeError as error:
            raise InputError("half of a surrogate pair: expected a text in Unicode") from error

    def to_json(self) -> dict[str, Any]:
        """Return plain values with every option resolved; `from_json` makes an equal encoder of them."""
        return {"tokenize": self.options.model_dump(), "words": self.words}

    @classmethod
    def from_json(cls, values: object, where: str = "text encoder") -> TextEncoder:
        """Return the encoder that `to_json` described.

        Raises InputError, beginning with `where` (the file), for anything else.
        """
        try:
            saved = _SavedEncoder.model_validate(values)
        except ValidationError as error:
            fault = first_fault(error)
            raise InputError(f"{where}: {fault}; the file was changed: make or copy it again") from None
        return cls(saved.words, saved.tokenize)
