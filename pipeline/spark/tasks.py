"""What runs in Spark's tasks: batches of Arrow in, the same with the classifier's columns out.

A task has one thread, as Spark starts a task for each core, and a classifier that its worker of Python
loads once and keeps for the tasks to come.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from ..arrays import Bytes, Flags, Offsets
from ..errors import InputError
from ..inputs import Kind
from ..prediction.classifier import Classifier
from ..prediction.labeller import Labeller
from ..prediction.output_columns import OutputColumns
from ..tables import columns as cells
from . import archives
from .report import RowCounts, reject_counts

REASON = "reject_reason"  # the column of `rejects`
Batches = Iterator[pa.RecordBatch]


class Work(NamedTuple):
    """What the tasks are to do: the model in an archive, the columns to add, the places of the texts."""

    archive: str
    digest: str  # of the model
    columns: OutputColumns
    texts: list[int]


def labelling(work: Work, accumulator: Any) -> Callable[[Batches], Batches]:
    """Return what labels batches, but for the rows that cannot be read, and counts in the accumulator."""

    def label(batches: Batches) -> Batches:
        labeller = _labeller(work.archive, work.digest, work.columns.model_dump_json())
        for batch in batches:
            labelled, counts = label_batch(batch, labeller, work.texts)
            if accumulator is not None:
                accumulator.add(counts)
            yield labelled

    return label


def rejecting(work: Work) -> Callable[[Batches], Batches]:
    """Return what leaves of batches the rows that cannot be read, each with its reason."""

    def reject(batches: Batches) -> Batches:
        encoder = _labeller(work.archive, work.digest, work.columns.model_dump_json()).classifier.encoder
        for batch in batches:
            data, bounds, _ = _bytes(batch, work.texts, encoder.kind)
            problems = [
                problem for rows in encoder.encode_bytes(data, bounds, None) for problem in rows.problems
            ]
            reasons = pa.array([problem or None for problem in problems] or [None] * len(batch), pa.string())
            yield _appended(batch, [reasons]).filter(reasons.is_valid())

    return reject


def label_batch(
    batch: pa.RecordBatch, labeller: Labeller, texts: Sequence[int]
) -> tuple[pa.RecordBatch, RowCounts]:
    """Return the rows that can be read with the labeller's columns, and the counts of all."""
    data, bounds, mended = _bytes(batch, texts, labeller.classifier.encoder.kind)
    columns, labelled, problems = labeller.label(data, bounds)
    if problems:
        batch = batch.filter(pa.array([not problem for problem in problems]))
    counts = RowCounts(labelled, int(mended.sum()), reject_counts(problems))
    return _appended(batch, [column.arrow() for column in columns]), counts


def _appended(batch: pa.RecordBatch, arrays: Sequence[pa.Array]) -> pa.RecordBatch:
    """Keep the fields as they are: Spark refuses one that may suddenly be null."""
    added = [
        pa.field(column_name(place), array.type) for place, array in enumerate(arrays, batch.num_columns)
    ]
    schema = pa.schema([*batch.schema, *added])
    return pa.RecordBatch.from_arrays([*batch.columns, *arrays], schema=schema)


def column_name(place: int) -> str:
    """Return the name of a column in batches: Spark has them by names, and would not find those with dots."""
    return f"c{place}"


def _bytes(batch: pa.RecordBatch, places: Sequence[int], kind: Kind) -> tuple[Bytes, Offsets, Flags]:
    """Return the texts, or the bytes of images, and which texts were not UTF-8 and were mended."""
    mended = np.zeros(len(batch), np.bool_)
    if kind == "image":
        images = batch.column(places[0]).cast(pa.large_binary()).fill_null(b"")
        return *cells.arrow_bytes(images), mended
    columns = []
    for place in places:
        column, changed = valid_utf8(batch.column(place))
        columns.append(column)
        mended |= changed
    return *cells.join_arrow_texts(columns), mended


def valid_utf8(column: pa.Array) -> tuple[pa.Array, Flags]:
    """Return strings, or bytes, as strings with U+FFFD for what is not UTF-8, and which have changed.

    A string of Spark is bytes that no reader has checked.
    """
    as_bytes = column.cast(pa.large_binary())
    try:
        return as_bytes.cast(pa.large_string()), np.zeros(len(column), np.bool_)
    except pa.ArrowInvalid:
        values = as_bytes.to_pylist()
        texts = [value if value is None else value.decode("utf-8", "replace") for value in values]
        changed = [
            text is not None and text.encode() != value for text, value in zip(texts, values, strict=True)
        ]
        return pa.array(texts, pa.large_string()), np.array(changed)


@lru_cache(maxsize=2)
def _labeller(archive: str, digest: str, columns: str) -> Labeller:
    classifier = Classifier.load(archives.path(archive))
    if classifier.digest != digest:
        raise InputError(f"the model of archive {archive} is not the driver's: it was replaced meanwhile")
    return Labeller(classifier, OutputColumns.model_validate_json(columns), None)
