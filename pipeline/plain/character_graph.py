"""What words outside the vocabulary add to the logits of `CharacterNgrams`, as TensorFlow operations."""

from __future__ import annotations

import numpy as np

from ..compilation.kernel import FNV_OFFSET, FNV_PRIME
from ..linear.character_ngrams import MAX_LETTERS, CharacterNgrams
from ..linear.kernels import LONGEST, SHORTEST
from ..networks.backend import tf


class CharacterGraph(tf.Module):  # type: ignore[misc]  # tensorflow has no types
    """See `linear.kernels.word_rows`; the hashes of 64 bits wrap around in TensorFlow's integers too."""

    def __init__(self, model: CharacterNgrams, weight: float) -> None:
        """Multiply the logits by `weight`."""
        super().__init__()
        idf = model.idf[:, None]
        values = np.hstack([np.float32(weight) * idf * model.weights, idf * idf])
        self._keys = tf.Variable(model.keys, trainable=False)
        self._values = tf.Variable(values, trainable=False)

    def rows(self, words: tf.Tensor) -> tf.Tensor:
        """Return W'u and |u|^2 of words, strings [words], as float32 [words, classes + 1]."""
        first = tf.zeros(tf.shape(words), tf.int32)
        read = tf.strings.substr(words, first, first + MAX_LETTERS, "UTF8_CHAR")
        letters = tf.strings.unicode_decode(tf.strings.join([" ", read, " "]), "UTF-8")
        ends = tf.gather(letters.row_splits[1:], letters.value_rowids())
        flat, place = tf.cast(letters.flat_values, tf.int64), tf.range(tf.size(letters, tf.int64))
        code = tf.fill(tf.shape(flat), np.uint64(FNV_OFFSET).astype(np.int64))
        keys, owners = [], []
        for size in range(1, LONGEST + 1):
            last = tf.gather(flat, tf.minimum(place + size - 1, tf.size(flat, tf.int64) - 1))
            code = tf.bitwise.bitwise_xor(code, last) * np.int64(FNV_PRIME)
            if size >= SHORTEST:
                inside = place + size <= ends
                keys.append(tf.boolean_mask(code, inside))
                owners.append(tf.boolean_mask(letters.value_rowids(), inside))
        return self._sums(tf.concat(keys, 0), tf.concat(owners, 0), tf.size(words, tf.int64))

    def _sums(self, keys: tf.Tensor, owners: tf.Tensor, words: tf.Tensor) -> tf.Tensor:
        """Return the sums over n-grams [n], each of which is of word `owners` [n]."""
        features = tf.searchsorted(self._keys, keys, out_type=tf.int64)
        size = tf.size(self._keys, tf.int64)
        known = tf.equal(tf.gather(self._keys, tf.minimum(features, size - 1)), keys)
        pairs = tf.boolean_mask(owners * size + features, known)
        distinct, _, counts = tf.unique_with_counts(pairs)
        times = tf.cast(counts, tf.float32)[:, None]
        values = tf.gather(self._values, distinct % size)
        added = tf.concat([times * values[:, :-1], times * times * values[:, -1:]], axis=1)
        return tf.math.unsorted_segment_sum(added, distinct // size, words)
