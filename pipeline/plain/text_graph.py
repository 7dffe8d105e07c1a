"""The text encoder as TensorFlow operations, which a SavedModel holds: strings to the numbers of their words.

TensorFlow has neither NFC nor grapheme clusters, and its regular expressions (RE2) no lookahead. So texts
have to be NFC, as most are; clusters are approximated by a symbol with its marks, modifiers and joined
symbols; and the cleaning `kim` is not held.
"""

from __future__ import annotations

from typing import NamedTuple

from ..inputs import BOUNDARY, PADDING, UNKNOWN
from ..networks.backend import tf
from ..text.encoder import TextEncoder
from .prefix_table import PrefixTable

_LETTER = r"[\p{L}\p{M}\p{N}]"
_WORD = rf"{_LETTER}+(?:['\x{{200c}}\x{{200d}}]{_LETTER}+)*"
_MARKS = r"[\p{M}\x{200c}\x{1f3fb}-\x{1f3ff}\x{e0020}-\x{e007f}]"
_FLAG = r"[\x{1f1e6}-\x{1f1ff}]{2}"
_SYMBOL = rf"[^\p{{Z}}\p{{Cc}}\p{{Cf}}\p{{Cs}}]{_MARKS}*(?:\x{{200d}}+(?:\p{{So}}{_MARKS}*)?)*"
_TOKEN = rf"(?s)({_WORD}|{_FLAG}|{_SYMBOL})|."
_SPACELESS = (
    r"([\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\x{30fc}\x{ff70}]"
    r"[\p{M}\x{0e33}\x{0eb3}\x{200c}\x{200d}]*)"
)


class Encoded(NamedTuple):
    """Texts as ids and words int32 [rows, length], as `inputs.Sequences` has them, and the unseen words."""

    ids: tf.Tensor
    words: tf.Tensor
    unseen: tf.Tensor  # strings [unseen words]


def holds(encoder: TextEncoder) -> bool:
    """Return whether TensorFlow has the operations for the encoder's tokens."""
    return encoder.options.cleaning == "none"


class TextGraph(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """The encoder of texts, of which those of several columns have BOUNDARY between them."""

    def __init__(self, encoder: TextEncoder, gap: int) -> None:
        """`gap` ids 0 are put in the place of a boundary."""
        super().__init__()
        self._options, self._vocabulary, self._gap = encoder.options, encoder.vocabulary, gap
        words = tf.constant([BOUNDARY, *encoder.words])
        ids = tf.constant([PADDING, *range(UNKNOWN + 1, encoder.vocabulary)], tf.int32)
        self._ids = _hash_table(words, ids)
        self._prefixes = None
        if encoder.options.unseen == "similar" and (table := PrefixTable.of(encoder.words)).prefixes:
            starts = tf.constant(table.starts, tf.int32)
            self._prefixes = _hash_table(tf.constant(table.prefixes), starts)
            self._similar = tf.Variable(table.similar, trainable=False)
            self._shortest = tf.Variable(table.shortest, trainable=False)
            self._most_cut = table.most_cut

    def encode(self, texts: tf.Tensor) -> Encoded:
        """Return strings [rows] as numbers."""
        tokens = self.tokens(texts)
        known = self._ids.lookup(tokens)
        is_token = tf.not_equal(known, PADDING)
        is_read = tf.cumsum(tf.cast(is_token, tf.int32), axis=1) <= self._options.maximum_length
        is_unseen = is_read & tf.less(known, 0)
        unseen, places = tf.unique(tf.boolean_mask(tokens, is_unseen))
        cells = tf.cast(tf.where(is_unseen), tf.int32)
        ids = tf.tensor_scatter_nd_update(known, cells, tf.gather(self._similar_ids(unseen), places))
        words = tf.tensor_scatter_nd_update(known, cells, self._vocabulary + places)
        nothing = tf.zeros_like(known)
        return Encoded(tf.where(is_read, ids, nothing), tf.where(is_read, words, nothing), unseen)

    def tokens(self, texts: tf.Tensor) -> tf.Tensor:
        """Return the tokens, strings [rows, most tokens], with boundaries in place of what is missing."""
        # TensorFlow would take a NUL for the end of the text.
        for old, new in (("\u2019", "'"), ("\u00ad", ""), (r"\x00", " ")):
            texts = tf.strings.regex_replace(texts, old, new)
        if self._options.lowercase:
            texts = tf.strings.lower(texts, encoding="utf-8")
        parts = tf.strings.split(texts, BOUNDARY)
        flat = parts.flat_values
        if self._options.unit == "character":
            flat = tf.strings.regex_replace(flat, _SPACELESS, r" \1 ")
        found = tf.strings.regex_replace(flat, _TOKEN, r"\1 ")
        between = f" {' '.join([BOUNDARY] * self._gap)} "
        joined = tf.strings.reduce_join(parts.with_values(found).to_tensor(""), axis=1, separator=between)
        return tf.strings.split(joined).to_tensor(BOUNDARY)

    def _similar_ids(self, words: tf.Tensor) -> tf.Tensor:
        """Return the ids int32 [words] of words that share the longest prefix, or UNKNOWN."""
        unknown = tf.fill(tf.shape(words), UNKNOWN)
        if self._prefixes is None:
            return unknown
        lengths = tf.strings.length(words, "UTF8_CHAR")
        longest = tf.shape(self._shortest)[0] - 1
        shortest = tf.gather(self._shortest, tf.minimum(lengths, longest))
        zeros = tf.zeros_like(lengths)
        start, cut = zeros - 1, zeros
        for number in range(self._most_cut + 1):
            found = self._prefixes.lookup(tf.strings.substr(words, zeros, lengths - number, "UTF8_CHAR"))
            takes = (start < 0) & (found >= 0) & (lengths - number >= shortest)
            start, cut = tf.where(takes, found, start), tf.where(takes, number, cut)
        similar = tf.gather(self._similar, tf.maximum(start + cut, 0))
        return tf.where((start >= 0) & (lengths <= longest), similar, unknown)


def _hash_table(keys: tf.Tensor, values: tf.Tensor) -> tf.lookup.StaticHashTable:
    """Return a table with -1 for what it lacks."""
    return tf.lookup.StaticHashTable(tf.lookup.KeyValueTensorInitializer(keys, values), -1)
