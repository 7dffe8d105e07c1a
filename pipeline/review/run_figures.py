"""What a run is reviewed by: its figures, and what its filters have learned."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ..inputs import Images
from ..measures import slices
from ..measures.comparison import Titles
from ..measures.metrics import confused_pairs, confusion_order
from ..networks.backend import keras
from . import class_figures, figures, filter_figures, filters
from .assessment import Measures, Scored
from .figures import Figure


class Learned(NamedTuple):
    """Filters as plain values, and their figures, by name: none of a network without a convolution."""

    filters: list[Any]
    figures: dict[str, Figure]


def measured(
    test: Scored,
    measures: Measures,
    history: list[dict[str, float]],
    criterion: str,
    titles: Titles,
    title: str,
) -> dict[str, Figure]:
    """The figures of a run's numbers, by name. `criterion` chose the epoch."""
    labels, matrix = test.classifier.labels, measures.comparison.confusion
    of_test = f"{title}, {len(test.rows):,} test rows"
    drawn = {
        "opponents": figures.opponents(measures.comparison, titles, of_test),
        "confusion_matrix": class_figures.confusion_matrix(
            matrix, confusion_order(matrix), confused_pairs(matrix), labels, of_test
        ),
        "class_scores": class_figures.class_scores(measures.comparison.network.scores.classes, of_test),
        "calibration": figures.calibration(*test.reliability, test.classifier.temperature, of_test),
        "learning_curves": figures.learning_curves(history, title, criterion),
    }
    tables = {slices.TITLES[name]: table for name, table in measures.slices.items() if name != "class"}
    if tables:
        drawn["slices"] = figures.slices(tables, of_test)
    return drawn


def wrong_pictures(test: Scored, mistakes: pd.DataFrame, title: str) -> dict[str, Figure]:
    """The most confident of the `mistakes` as they look; of texts none."""
    if test.inputs.kind == "text" or mistakes.empty:
        return {}
    first = mistakes.head(class_figures.WRONG)
    names = zip(first["label"], first["predicted_label"], first["probability"], strict=True)
    captions = [f"{figures.cut(a, 18)}\n→ {figures.cut(b, 16)}\n{share:.1%}" for a, b, share in names]
    pictures = test.inputs.select(test.rows.index.get_indexer(first.index)).padded()
    return {"wrong_pictures": class_figures.wrong_pictures(pictures, captions, title)}


def learned(network: keras.Model, test: Scored, title: str) -> Learned:
    """What its first layer's filters fire on in the test part."""
    labels, encoder = test.classifier.labels, test.classifier.encoder
    if test.inputs.kind == "image":
        return _pictures(network, test.inputs, labels[test.truth[0]], title)
    found = filters.ngram_filters(network, test.inputs, list(test.rows["text"]), encoder, labels)
    drawn = {"filters": filter_figures.ngram_filters(found, labels, title)} if found else {}
    return Learned([asdict(one) for one in found], drawn)


def _pictures(network: keras.Model, images: Images, label: str, title: str) -> Learned:
    """Its filters, and what they make of the first picture, which has the `label`."""
    first = filters.first_filters(network)
    if first is None:
        return Learned([], {})
    (picture,) = images.select(np.zeros(1, np.int64)).padded()
    maps = filters.feature_maps(network, picture)
    example = f"{title}: the first of the test part, {figures.cut(label, 40)}"
    drawn = {
        "filters": filter_figures.filter_tiles(first, title),
        "feature_maps": filter_figures.feature_maps(picture, filters.edge_maps(picture), maps, example),
    }
    return Learned(first.transpose(3, 0, 1, 2).round(5).tolist(), drawn)
