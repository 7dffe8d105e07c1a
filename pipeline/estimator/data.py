"""The texts, labels and weights that a caller of the estimator gives, checked."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d

from ..inputs import BOUNDARY, check_strings


class LabelledTexts(NamedTuple):
    """Texts with the places of their labels in `classes`, int32 [texts], and weights float32 [texts] or None.

    `columns` are what the caller's table calls its texts. `classes` are the distinct labels, sorted, of the
    caller's type.
    """

    texts: list[str]
    columns: list[str]
    labels: NDArray[np.int32]
    weights: NDArray[np.float32] | None
    classes: NDArray[Any]


def check_texts(texts: Any, columns: list[str] | None = None) -> list[str]:
    """Return texts as a list: of a sequence of str, or of the rows of a table whose columns all hold texts.

    The texts of a row are joined by BOUNDARY. With `columns` these are taken from a data frame that has them,
    and a table without names must have as many. Raises ValueError with the place of what is no text.
    """
    if isinstance(texts, str):
        raise ValueError("one text was given where a list of texts was expected: write [text]")
    dimensions = getattr(texts, "ndim", 1)
    if dimensions > 2:
        raise ValueError(f"an array of {dimensions} dimensions was given where a list of texts was expected")
    if dimensions == 2:  # a data frame, or an array
        if columns and {*columns} <= {*getattr(texts, "columns", ())}:
            texts = texts[columns]
        found = [_check_column(column) for column in np.asarray(texts, object).T]
    else:
        found = [_check_column(texts)]
    if not found:
        raise ValueError("a table without columns was given where texts were expected")
    if columns and len(found) != len(columns):
        raise ValueError(
            f"{len(found)} columns were given where {len(columns)} were fitted: {', '.join(columns)}"
        )
    return found[0] if len(found) == 1 else [BOUNDARY.join(row) for row in zip(*found, strict=True)]


def _check_column(texts: Any) -> list[str]:
    values = list(texts)
    check_strings(values)
    for place, text in enumerate(values):
        if not _is_unicode(text):
            raise ValueError(f"text {place} has half a surrogate pair, which is no character: decode it anew")
    return values


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def check_labelled_texts(texts: Any, labels: ArrayLike, weights: ArrayLike | None) -> LabelledTexts:
    """Return the rows whose weight is not 0.

    Raises ValueError for texts, labels or weights that are none, that are not equally many, or of one class.
    """
    checked = check_texts(texts)
    if labels is None:
        raise ValueError("fit requires y to be passed, but the target y is None: give a label for each text")
    values = column_or_1d(labels, warn=True)
    if len(values) != len(checked):
        raise ValueError(f"{len(values):,} labels were given for {len(checked):,} texts")
    if not checked:
        raise ValueError("0 texts were given where two or more were expected")
    _check_kind(values)
    check_classification_targets(values)
    given = None if weights is None else _check_weights(weights, len(checked))
    if given is not None and not given.all():
        kept = np.flatnonzero(given)
        checked, values, given = [checked[place] for place in kept], values[kept], given[kept]
    classes, codes = np.unique(values, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"all {len(checked):,} texts are of one class where two classes were expected")
    return LabelledTexts(checked, _column_names(texts), codes.astype(np.int32), given, classes)


def _column_names(texts: Any) -> list[str]:
    """Return the names of a table's columns, or that of a series; "text" for what has none."""
    if getattr(texts, "ndim", 1) == 2:
        count = np.shape(texts)[1]
        return [str(name) for name in getattr(texts, "columns", [f"text_{n + 1}" for n in range(count)])]
    name = getattr(texts, "name", None)
    return [name if isinstance(name, str) else "text"]


def _check_weights(weights: ArrayLike, rows: int) -> NDArray[np.float32]:
    values = np.asarray(weights, np.float32)
    if values.shape != (rows,):
        raise ValueError(f"sample_weight has the shape {values.shape} where ({rows},) was expected")
    if not (np.isfinite(values) & (values >= 0)).all():
        raise ValueError("sample_weight has values that are negative or not finite")
    if not values.any():
        raise ValueError("sample_weight is zero for all rows where some were expected to count")
    return values


def _check_kind(labels: NDArray[Any]) -> None:
    """Raise ValueError for labels that are neither texts nor numbers, of which a file could hold none."""
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(f"label {int(np.isnan(labels).argmax())} is nan: drop rows without a label")
    if labels.dtype.kind in "biufU":
        kinds: set[type] = set()
    else:
        kinds = {type(label) for label in labels.tolist()} - {str, bool, int, float, np.str_}
    if kinds or (labels.dtype.kind in "UO" and not all(_is_unicode(str(label)) for label in labels)):
        found = ", ".join(sorted(kind.__name__ for kind in kinds)) or "half surrogate pairs"
        raise ValueError(f"y has labels of {found} where texts or numbers were expected")
