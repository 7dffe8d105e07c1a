"""All figures of a run by name, and the values of its filters."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ..folding.folded import FoldedModel
from ..inputs import Images
from ..measures import slices
from ..measures.comparison import Titles
from ..measures.metrics import confused_pairs, confusion_order
from ..terminal import shorten_middle
from . import class_figures, figures, filter_figures, ngram_filters
from .assessment import Measures, ScoredRows
from .style import Figure

if TYPE_CHECKING:
    from ..networks.backend import keras

LABEL_CHARACTERS, PREDICTION_CHARACTERS = 18, 16  # below a wrong image
EXAMPLE_CHARACTERS = 40  # of the example's label, in a heading


class FilterReport(NamedTuple):
    """The values of a network's filters for filters.json, and their figures by name.

    Both are empty for a network without a convolution, and for one over texts that cannot be folded.
    """

    values: list[Any]
    figures: dict[str, Figure]


def measure_figures(
    test: ScoredRows,
    measures: Measures,
    history: list[dict[str, float]],
    criterion: str,
    titles: Titles,
    title: str,
) -> dict[str, Figure]:
    """Return the figures of a run's measures by name; the `criterion` chose the epoch that was kept."""
    labels, matrix = test.names, measures.comparison.confusion
    subject = f"{title}, {len(test.rows):,} test rows"
    drawn = {
        "opponents": figures.opponents(measures.comparison, titles, subject),
        "confusion_matrix": class_figures.confusion_matrix(
            matrix, confusion_order(matrix), confused_pairs(matrix), labels, subject
        ),
        "class_scores": class_figures.class_scores(measures.comparison.network.scores.classes, subject),
        "calibration": figures.calibration(*test.reliability, test.classifier.temperature, subject),
        "coverage": figures.coverage(measures.selective, subject),
        "learning_curves": figures.learning_curves(history, title, criterion),
    }
    tables = {slices.TITLES[name]: table for name, table in measures.slices.items() if name != "class"}
    if tables:
        drawn["slices"] = figures.slices(tables, subject)
    return drawn


def wrong_picture_figures(test: ScoredRows, mistakes: pd.DataFrame, title: str) -> dict[str, Figure]:
    """Return a figure of the most confident of the `mistakes`, by name; none for texts."""
    if test.inputs.kind == "text" or mistakes.empty:
        return {}
    first = mistakes.head(class_figures.MAX_PICTURES)
    captions = [
        f"{shorten_middle(label, LABEL_CHARACTERS)}\n→ {shorten_middle(predicted, PREDICTION_CHARACTERS)}\n"
        f"{probability:.1%}"
        for label, predicted, probability in zip(
            first["label"], first["predicted_label"], first["probability"], strict=True
        )
    ]
    pictures = test.inputs.select(test.rows.index.get_indexer(first.index)).padded()
    return {"wrong_pictures": class_figures.wrong_pictures(pictures, captions, title)}


def filter_report(test: ScoredRows, title: str) -> FilterReport:
    """Return the filters of the network's first layer, and what activates them in the test part.

    Of an ensemble it is the first network.
    """
    predictor: Any = test.classifier.predictor  # a Pool, whose networks are Keras's or folded
    networks = predictor.networks
    if test.inputs.kind == "image":
        return _pixel_filters(networks.model, test.inputs, test.names[test.truth[0]], title)
    if not isinstance(networks, FoldedModel):
        return FilterReport([], {})
    texts, labels, encoder = list(test.rows["text"]), test.classifier.labels, test.classifier.encoder
    sequences = test.inputs.as_sequences()
    filters = ngram_filters.read_filters(networks.members[0], sequences, texts, encoder, labels)
    figure = filter_figures.ngram_filters(filters, labels, title)
    return FilterReport([asdict(entry) for entry in filters], {"filters": figure})


def _pixel_filters(network: keras.Model, images: Images, label: str, title: str) -> FilterReport:
    """Return the filters over pixels, and their feature maps of the first image, which has the `label`."""
    from . import pixel_filters  # not at the top, as it imports TensorFlow

    weights = pixel_filters.first_filters(network)
    if weights is None:
        return FilterReport([], {})
    (picture,) = images.select(np.zeros(1, np.int64)).padded()
    maps = pixel_filters.feature_maps(network, picture)
    subject = f"{title}: the first test image, {shorten_middle(label, EXAMPLE_CHARACTERS)}"
    drawn = {
        "filters": filter_figures.filter_tiles(weights, title),
        "feature_maps": filter_figures.feature_maps(picture, pixel_filters.edge_maps(picture), maps, subject),
    }
    return FilterReport(weights.transpose(3, 0, 1, 2).round(5).tolist(), drawn)
