"""Kim's (2014) convolutional network for sentences, arXiv 1408.5882."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from ..networks.search_space import Choice, Range, Space
from ..options import InconsistentOptions, Positive, Real, Section, Share

if TYPE_CHECKING:
    from ..networks.backend import keras

INPUT = "tokens"


class Options(Section):
    """See pipeline.networks.token_convolution.TokenConvolution; the defaults are CNN-multichannel."""

    channels: list[Literal["static", "tuned"]] = Field(["static", "tuned"], min_length=1)
    """Tables of vectors that filters read: one that stays as it starts, one that is trained."""
    combination: Literal["shared", "separate", "concatenated"] = "shared"
    """Whether channels share their filters, as Kim's, have their own, or are one of twice the dimensions."""
    windows: list[Positive] = Field([3, 4, 5], min_length=1)
    """The numbers of tokens that filters read at once."""
    filters: Positive | list[Positive] = 100
    """The filters of each window: one number, or one for each."""
    activation: Literal["relu", "tanh", "linear"] = "relu"
    """What a filter's sums go through before the maximum is taken."""
    embedding_dropout: Share = 0.0
    """The share of a batch's word types that are left out before the convolution."""
    dropout: Share = 0.5
    """The share of the filters' maxima that are left out in training."""
    # Kim's 3: he halves the weights at test, where Keras doubles the activations in training.
    max_norm: Annotated[Real, Field(gt=0)] | None = 1.5
    """The bound on the norm of each class's weights; null is none."""

    @model_validator(mode="after")
    def _fits(self) -> Options:
        if len(set(self.channels)) < len(self.channels):
            raise InconsistentOptions("network.channels names a channel twice", "network.channels")
        if isinstance(self.filters, list) and len(self.filters) != len(self.windows):
            raise InconsistentOptions(
                "network.filters must be one number, or as many as network.windows",
                "network.filters",
                "network.windows",
            )
        return self


def search_space(options: Options, random_vectors: bool) -> Space:
    """Return the options that matter, after Zhang & Wallace (2015, arXiv 1510.03820).

    These are the sizes of its windows, the number of its filters, and how it is regularised. Their one size
    repeated, such as 7-7-7, is here that size with three times the filters.
    """
    space: dict[str, Choice | Range] = {}
    if isinstance(options.filters, int):  # else they were chosen window by window
        sizes = [[size] for size in range(1, 8)] + [[size, size + 1, size + 2] for size in range(1, 6)]
        space = {"windows": Choice(tuple(sizes)), "filters": Range(50, 400, log=True)}
    if not random_vectors:  # random ones have to be tuned
        space["channels"] = Choice((["static"], ["tuned"], ["static", "tuned"]))
        space["combination"] = Choice(("shared", "separate", "concatenated"))
    return space | {
        "dropout": Range(0.0, 0.7),
        "embedding_dropout": Range(0.0, 0.5),
        "max_norm": Choice((None, 1.5, 3.0, 6.0)),
    }


def build(options: Options, vectors: NDArray[np.float32], classes: int) -> keras.Model:
    """Return a network from int32 ids [batch, length] to float32 logits [batch, classes].

    Both channels start at `vectors`, float32 [vocabulary, dimensions].
    """
    # Imported late: options are checked without the seconds that TensorFlow takes to start.
    from ..networks.backend import keras
    from ..networks.token_convolution import TokenConvolution

    ids = keras.Input((None,), dtype="int32", name="ids")
    convolution = TokenConvolution(
        vocabulary=vectors.shape[0],
        dimensions=vectors.shape[1],
        channels=options.channels,
        combination=options.combination,
        windows=options.windows,
        filters=options.filters,
        activation=options.activation,
        embedding_dropout=options.embedding_dropout,
        name="convolution",
    )
    features = convolution(ids)
    convolution.set_vectors(vectors)
    # float32 also under mixed precision: there is nothing to gain in the last thousand numbers.
    features = keras.layers.Dropout(options.dropout, dtype="float32", name="dropout")(features)
    bound = keras.constraints.MaxNorm(options.max_norm, axis=0) if options.max_norm else None
    logits = keras.layers.Dense(
        classes,
        kernel_initializer="zeros",
        kernel_constraint=bound,
        dtype="float32",
        name="logits",
    )(features)
    return keras.Model(ids, logits, name="kim_cnn")
