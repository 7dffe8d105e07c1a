"""Data frames of Spark with the columns of a classifier, as `predict` adds them to a table."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql.types import BinaryType, DataType, FloatType, StringType, StructField, StructType

from ..config import arguments
from ..environment.checkout import PACKAGE
from ..environment.program import PACKAGE as IMPORT_NAME
from ..errors import InputError
from ..inputs import Kind
from ..manifest import MANIFEST
from ..prediction.classifier import Classifier
from ..prediction.labeller import Labeller
from ..prediction.output_columns import OutputColumns
from ..release.chosen_model import trained_model
from ..tables.table import named_columns
from . import archives
from .report import Report
from .tasks import REASON, Batches, Work, column_name, labelling, rejecting

TYPES = {"string": StringType(), "float": FloatType()}  # by Arrow's names
MODEL_ARCHIVE = "convtext-model-{}"


class _Expected(NamedTuple):
    types: tuple[type[DataType], ...]
    what: str


EXPECTED: dict[Kind, _Expected] = {
    "text": _Expected((StringType, BinaryType), "strings: cast it"),
    "image": _Expected((BinaryType,), "the bytes of image files: read them as binaryFile"),
}


def label(
    df: DataFrame,
    model: str | Path,
    text: str = "",
    *,
    top: int = 1,
    probabilities: bool = False,
    abstain: float | str = 0.0,
    evidence: bool = False,
    shares: bool = False,
    report: Report | None = None,
) -> DataFrame:
    """Return the data frame, of a batch or a stream, with `predicted_label`, `probability` and what is asked.

    `model` is a trained model's folder on the driver, which Spark then brings to the executors, the name of
    an archive that it has brought already (`--archives reviews.zip#reviews`), or a registered model in
    MLflow, as in models:/reviews@champion, which the driver fetches. `text` is the column of the texts, which
    holds strings or UTF-8, of several as in "title,body", or of images, which holds the files' bytes; by
    default those that the model was trained on. The other options are the words of `predict`: `abstain` is a
    probability, or a precision as in "precision:0.95".

    All columns and rows are kept, but for rows that cannot be read: see `rejects`. A null is an empty text,
    and what is not UTF-8 becomes U+FFFD. `report` tells what was labelled when a job is done. Workers of
    Python need numpy, pyarrow, pydantic and regex; for images Keras and Pillow, too. Raises InputError,
    before a job runs, for a column that is missing or of another type, for one whose name the result needs,
    in whatever case, and for a model that does not exist.
    """
    columns = OutputColumns(
        top=top, probabilities=probabilities, evidence=evidence, shares=shares, **_abstention(abstain)
    )
    found = _find(model)
    labeller, places = Labeller(found.classifier, columns, None), _places(df, text, found.classifier)
    added = labeller.label(np.empty(0, np.uint8), np.empty((0, 2), np.int64)).columns
    fields = [StructField(column.name, TYPES[str(column.arrow().type)]) for column in added]
    _check_names(df.columns, [field.name for field in fields])
    accumulator = report.start(df.sparkSession, labeller) if report else None
    work = Work(found.sent(df.sparkSession), found.classifier.digest, columns, places)
    return _mapped(df, labelling(work, accumulator), fields)


def rejects(df: DataFrame, model: str | Path, text: str = "") -> DataFrame:
    """Return the rows that `label` leaves out, as they cannot be read, with `reject_reason`.

    They are files that are no images: all texts can be read.
    """
    found = _find(model)
    places = _places(df, text, found.classifier)
    _check_names(df.columns, [REASON])
    work = Work(found.sent(df.sparkSession), found.classifier.digest, OutputColumns(), places)
    return _mapped(df, rejecting(work), [StructField(REASON, StringType())])


class _Model(NamedTuple):
    """A classifier, and where it is: in a folder, or in an archive of that name."""

    classifier: Classifier
    folder: Path | None
    archive: str

    def sent(self, session: Any) -> str:
        """Have Spark bring this package and the model to the executors; return the model's archive."""
        archives.send(session, PACKAGE, IMPORT_NAME)
        if self.folder:
            archives.send(session, self.folder, self.archive)
        return self.archive


def _find(model: str | Path) -> _Model:
    name = str(model)
    if folder := trained_model(name):
        classifier = Classifier.load(folder)
        return _Model(classifier, folder, MODEL_ARCHIVE.format(classifier.digest[:16]))
    if (unpacked := archives.path(name)).joinpath(MANIFEST).is_file():
        return _Model(Classifier.load(unpacked), None, name)
    raise InputError(
        f"there is no trained model {name}: expected a folder with {MANIFEST}, the name of an archive that "
        "Spark was given, or a registered model such as models:/reviews@champion"
    )


def _mapped(df: DataFrame, task: Callable[[Batches], Batches], added: list[StructField]) -> DataFrame:
    """Return the data frame with a task's columns."""
    fields = [*df.schema.fields, *added]
    plain = [column_name(place) for place in range(len(fields))]
    schema = StructType([
        StructField(name, field.dataType, field.nullable, field.metadata)
        for name, field in zip(plain, fields, strict=True)
    ])  # fmt: skip
    with warnings.catch_warnings():
        # Spark asks for pandas, whichever, before all that is of Arrow; of pandas nothing is used.
        warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
        mapped = df.toDF(*plain[: len(df.columns)]).mapInArrow(task, schema)
    return mapped.toDF(*(field.name for field in fields))


def _abstention(needed: float | str) -> dict[str, Any]:
    """Return what a label needs, as the options of `OutputColumns` say it."""
    try:
        parsed = arguments.abstention(str(needed))
    except ValueError as error:
        raise InputError(f"abstain is {needed!r}: {error}") from error
    return {parsed.option: parsed.value}


def _places(df: DataFrame, text: str, classifier: Classifier) -> list[int]:
    """Return the places of the columns of the texts, or of images.

    A name is looked for as it is, then in whatever case, as Spark looks for it.
    """
    names = df.columns
    wanted = named_columns(text, names) if text else classifier.columns
    places = [_place(names, name) for name in wanted]
    expected = EXPECTED[classifier.encoder.kind]
    for place in places:
        found = df.schema.fields[place].dataType
        if not isinstance(found, expected.types):
            raise InputError(f"column {names[place]!r} holds {found.simpleString()}, not {expected.what}")
    return places


def _place(names: Sequence[str], name: str) -> int:
    exact = [place for place, found in enumerate(names) if found == name]
    alike = exact or [place for place, found in enumerate(names) if found.casefold() == name.casefold()]
    if len(alike) == 1:
        return alike[0]
    known = ", ".join(map(repr, names))
    problem = f"there are {len(alike)} columns {name!r}" if alike else f"there is no column {name!r}"
    raise InputError(f"{problem} among {known}")


def _check_names(present: Sequence[str], added: Sequence[str]) -> None:
    """Raise InputError for names that Spark, which looks for them in whatever case, could not tell apart."""
    names = {name.casefold(): name for name in present}
    for name in added:
        found = names.setdefault(name.casefold(), name)
        if found in present:
            raise InputError(f"there is a column {found!r} already: rename or drop it")
        if found != name:
            raise InputError(f"{found!r} and {name!r} would be one column to Spark: ask for neither")
