"""Classifiers whose every number is set by hand."""

from __future__ import annotations

import numpy as np

from pipeline.folding.folded import ConvolutionShape, FoldedModel, FoldedNetwork
from pipeline.images.encoder import ImageEncoder
from pipeline.inputs import Images
from pipeline.options import Tokenize
from pipeline.prediction.classifier import Classifier
from pipeline.prediction.pool import Pool
from pipeline.text.encoder import TextEncoder

LABELS = ["bad", "good"]


def texts_classifier() -> Classifier:
    """Logits are 4 for bad if bad occurs, and 4 for good if good does; at most three tokens are read."""
    table = np.array([[0, 0], [0, 0], [0, 4], [4, 0]], np.float32)
    shape = ConvolutionShape(windows=[1], filters=[2], activation="relu")
    ones, zeros = np.ones(2, np.float32), np.zeros(2, np.float32)
    model = FoldedModel([FoldedNetwork(shape, table, ones, zeros, np.eye(2, dtype=np.float32), zeros)])
    options = Tokenize(unit="word", unseen="unknown", maximum_length=3)
    return Classifier(lambda: Pool(model, {}, [1.0]), TextEncoder(["good", "bad"], options), LABELS, ["text"])


class Brightness:
    """The mean of an image's pixels speaks for good."""

    def logits(self, images: Images) -> np.ndarray:
        means = images.padded().mean(axis=(1, 2, 3))
        return np.stack([100 - means, means - 100], axis=1).astype(np.float32)


def images_classifier() -> Classifier:
    return Classifier(Brightness, ImageEncoder(2, 2, 1), LABELS, ["path"])
