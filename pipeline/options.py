"""The options and their types; only these typed values travel below `config`.

A corpus's file has `source`, `split` and `tokenize`; a model's has `embed`, `architecture`, `network`,
`train` and `ensemble`; `seed` may be in either.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, get_args

import numpy as np
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_serializer,
    model_validator,
)

from .csv_line import check_separator
from .terminal import shorten

LEARNED = ("corpus", "random", "spectral")  # vectors that are read from no file


def _parted_by_commas(value: Any) -> Any:
    return [part for part in map(str.strip, value.split(",")) if part] if isinstance(value, str) else value


Ngrams = Literal["tokens", "characters"]


def _in_one_order(names: list[Ngrams]) -> list[Ngrams]:
    """Return the distinct names in the order of `Ngrams`."""
    return [name for name in get_args(Ngrams) if name in names]


Real = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[Real, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1, lt=2**63)]  # as NumPy and the kernels count
BaselineName = Literal["linear", "svm", "nbsvm", "fasttext", "pixels", "majority"]
InputKind = Literal["tokens", "images"]
Criterion = Literal["accuracy", "macro_f1"]
CRITERIA: dict[Criterion, str] = {"accuracy": "accuracy", "macro_f1": "macro-F1"}  # and their names in print
Seed = Annotated[int, Field(ge=0, lt=2**32)]
MAX_FAULTS = 1000  # of a file that are listed
UNREADABLE_ROWS, BLANK_ROWS = 0.01, 0.05  # the shares that may be set aside unless others are given
MAX_SKIP = 1000  # lines above a header
MAX_EPOCHS_PER_PASS = 4
IMAGE_FORMATS = ("folder", "npz", "digits", "keras")


def derived_seed(seed: int, number: int) -> int:
    """Return the seed of the one of this `number`, from 0, of several networks or vectors of a run's `seed`.

    Number 0 has the run's own, the others independent ones. With the seeds that follow it instead, runs of
    the seeds 1, 2 and 3, which are compared as independent, would share most of their networks.
    """
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0]) if number else seed


class InconsistentOptions(ValueError):
    """Values that do not fit together; `keys` are the full names of their options."""

    def __init__(self, message: str, *keys: str) -> None:
        super().__init__(message)
        self.keys = keys


class Section(BaseModel):
    """Options under one key: unknown keys and wrong types are errors."""

    # Built when first used: a prediction uses few of them.
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, defer_build=True)


def first_fault(error: ValidationError) -> str:
    """Return pydantic's first complaint about a file of JSON: the key, and what is wrong with its value."""
    if error.error_count() > MAX_FAULTS:  # as many dictionaries would fill the memory
        return f"JSON: {error.error_count():,} keys or values are wrong"
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(map(str, first["loc"])) or "JSON"
    return shorten(f"{place}: {first['msg'].removeprefix('Value error, ')}", 200)


class File(Section):
    """A file of a corpus: its path, and for a download its sha256."""

    path: str
    """The path, relative to where the command runs or to source.address."""
    sha256: str | None = None
    """The digest that a download must have."""

    @model_validator(mode="before")
    @classmethod
    def _plain_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Source(Section):
    """The files of a corpus and how to read them."""

    format: Literal["csv", "lines", "docstrings", "folder", "npz", "digits", "keras"] = "csv"
    """csv is any table: delimited text, JSON lines, Parquet or a workbook; lines are `label text`."""
    dataset: Literal["mnist", "fashion_mnist", "cifar10"] | None = None
    """The data set of keras.datasets, for format keras."""
    address: str | None = None
    """Files are downloaded from there; their paths are relative to it."""
    train: File | None = None
    """The file to train on, or the folder of images."""
    validation: File | None = None
    """The file to validate on; without it, a part of the training rows is split off."""
    test: File | None = None
    """The file to test on; without it, a part of the training rows is split off."""
    text: str = "text"
    """The column of the text, or several with commas; for images that of their paths, in a CSV to predict."""
    label: str = "label"
    """The column of the label."""
    group: str | None = None
    """A column, such as the author: rows of one value are kept in one part."""
    time: str | None = None
    """A column: the newest rows test, those before them validate."""
    size: Annotated[int, Field(ge=1, le=4096)] | None = None
    """The side of the images in pixels; by default that of most of them, 64 at most."""
    encoding: str = "utf-8"
    """The file's encoding, as Python names it."""
    label_until: str | None = None
    """Keep only the part of a label before it, as of `DESC:manner`."""
    labels: dict[str, str] | None = None
    """The file's labels and the names shown instead, in the order shown."""
    case: Literal["keep", "ignore"] = "keep"
    """With ignore, labels that differ in case alone are one class."""
    rare: Literal["drop", "keep", "error"] = "drop"
    """What to do with classes of a single row, which cannot be learned and tested."""
    other: str | None = None
    """The label shown of out-of-scope rows, which are not trained on: the report says how they stand out."""
    separator: Annotated[str, AfterValidator(check_separator)] | None = None
    """The character between two fields; by default it is found in the first lines."""
    quoting: Literal["csv", "none"] = "csv"
    """With none, a quote is a character like others."""
    skip: Annotated[int, Field(ge=0, le=MAX_SKIP)] = 0
    """Lines above the header."""
    sheet: str = ""
    """The sheet of a workbook, its name or number; by default the first with a value."""
    unreadable_rows: Share = UNREADABLE_ROWS
    """Up to this share of rows that cannot be read is set aside; more are an error."""
    blank_rows: Share = BLANK_ROWS
    """Up to this share of rows without text or label is set aside; more are an error."""
    memory: Positive | None = None
    """Bytes. Of corpora beyond it linear models, and the search for near copies, take a sample. By default
    what the machine has."""

    @model_validator(mode="before")
    @classmethod
    def _paths_of_images(cls, value: Any) -> Any:
        is_images = isinstance(value, dict) and value.get("format") in IMAGE_FORMATS
        return {"text": "path"} | value if is_images else value

    @model_validator(mode="after")
    def _has_files(self) -> Source:
        if self.format not in ("docstrings", "digits", "keras") and self.train is None:
            raise InconsistentOptions("source.train is missing: it names the corpus's file", "source.train")
        if (self.format == "keras") != (self.dataset is not None):
            raise InconsistentOptions(
                "source.dataset goes with source.format: keras, and names the data set",
                "source.dataset",
                "source.format",
            )
        if self.other is not None and self.input != "tokens":
            raise InconsistentOptions("source.other is for texts, and this corpus has images", "source.other")
        if self.size is not None and self.input != "images":
            raise InconsistentOptions("source.size is for images, and this corpus has texts", "source.size")
        if self.sheet and not any(file.path.lower().endswith(".xlsx") for file in self.files.values()):
            raise InconsistentOptions(
                "source.sheet is for an .xlsx, and this corpus has none", "source.sheet"
            )
        return self

    @model_validator(mode="after")
    def _can_be_split_so(self) -> Source:
        given = [f"source.{name}" for name in ("group", "time") if getattr(self, name) is not None]
        if len(given) == 2:
            raise InconsistentOptions(
                "source.group and source.time exclude each other: a group may have old and new rows", *given
            )
        if given and self.format != "csv":
            raise InconsistentOptions(f"{given[0]} is a column, and this corpus is no CSV", *given)
        if self.time is not None and self.validation is not None:
            raise InconsistentOptions(
                "source.time and source.validation exclude each other: split by time, rows just before the "
                "tested ones validate",
                *given,
                "source.validation",
            )
        return self

    @property
    def input(self) -> InputKind:
        """The kind of input that the rows are for a network."""
        return "images" if self.format in IMAGE_FORMATS else "tokens"

    @property
    def official(self) -> set[str]:
        """The parts, other than training, that the corpus brings; others are split off its training part."""
        return {"test"} if self.format == "keras" else {*self.files} - {"train"}

    @property
    def mixes_validation(self) -> bool:
        """Whether folds may mix both parts: not if the user gave the validation part, or it is newer."""
        return self.time is None and "validation" not in self.official

    @property
    def files(self) -> dict[str, File]:
        """The file of each part; without an official split, all rows are in `train`."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {part: file for part, file in parts.items() if file is not None}


class Split(Section):
    """The shares of rows that are split off for validation and test where the corpus brings no such part."""

    validation: Share = 0.1
    """The share of the rows that epochs, settings of linear models and weights are chosen by."""
    test: Share = 0.1
    """The share of the rows that the classifier is judged by."""

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Split:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise InconsistentOptions(
                "split.validation and split.test must be above 0 and add up to less than 1",
                "split.validation",
                "split.test",
            )
        return self


class Tokenize(Section):
    """The steps from a text to tokens and from tokens to ids."""

    unit: Literal["auto", "word", "character"] = "auto"
    """With character, each character of a script without spaces is a token; auto looks at the texts."""
    cleaning: Literal["none", "kim"] = "none"
    """With kim, the cleaning of Kim (2014): most punctuation is dropped, and n't and 's are split off."""
    lowercase: bool = True
    """Whether upper case is ignored."""
    minimum_count: Positive = 2
    """Words that occur less often in the training part are not in the vocabulary."""
    maximum_size: Positive = 100_000
    """The most words in the vocabulary, the most frequent ones."""
    maximum_length: Positive = 1000
    """The most tokens of a text that are read."""
    unseen: Literal["similar", "unknown"] = "similar"
    """A word outside the vocabulary becomes the word in it with the longest common prefix, or unknown."""


class Embed(Section):
    """The vectors that both channels start from: `random`, of the training part, or pretrained ones.

    `corpus` is word2vec's, `spectral` a factorization of co-occurrences. Pretrained are those of a file, of a
    name of `vectors.vector_sources`, or of a folder with a sentence encoder. Several are concatenated to one
    vector (after Zhang, Roller & Wallace 2016).
    """

    vectors: Annotated[list[str], Field(min_length=1), BeforeValidator(_parted_by_commas)] = ["corpus"]
    """corpus (word2vec), spectral (a factorization of co-occurrences), random, a file, a name of gensim's
    downloader, or a folder with a sentence encoder; several with commas are concatenated."""
    dimensions: Annotated[int, Field(ge=1, le=4096)] = 300
    """Of vectors that are learned or random; pretrained ones have their own."""
    corpus_tokens: Positive = 12_000_000
    """The tokens of the training part that vectors are learned from, in all epochs together."""
    missing: Literal["subwords", "uniform"] = "subwords"
    """How words get a vector that the pretrained ones lack: mapped from their subwords, or by chance."""

    @field_serializer("vectors")
    def _single_as_text(self, vectors: list[str]) -> str | list[str]:
        return vectors[0] if len(vectors) == 1 else vectors

    @property
    def pretrained(self) -> list[str]:
        return [vectors for vectors in self.vectors if vectors not in LEARNED]


class Train(Section):
    """The trainer's options, the same for every network."""

    optimizer: Literal["adadelta", "adam"] = "adadelta"
    """The optimizer, in a form that touches only the vectors of a batch."""
    learning_rate: Annotated[Real, Field(gt=0)] = 1.0
    """The optimizer's learning rate."""
    batch_size: Positive = 50
    """The rows of a batch."""
    epoch_rows: Positive | None = None
    """A corpus of twice as many rows or more is cut into up to four epochs of at least as many: `epochs` and
    `patience` count those, and so does whatever is said of epochs. By default an epoch is a pass over all."""
    epochs: Positive = 25
    """The most epochs."""
    patience: Positive = 3
    """Epochs without a better validation score after which training stops."""
    averaging: Share = 0.0
    """The momentum of the moving average of the weights after each epoch; 0 is the last alone."""
    precision: Literal["float32", "mixed_bfloat16"] = "float32"
    """mixed_bfloat16 is faster where the processor has it."""
    class_weights: Literal["none", "balanced"] = "none"
    """With balanced, all classes weigh the same in the loss, and macro-F1 chooses instead of accuracy."""

    @property
    def criterion(self) -> Criterion:
        """The validation score by which the epoch to keep, and the opponents, are chosen.

        Class weights trade accuracy for recall on rare classes: choosing by accuracy would undo them.
        """
        return "macro_f1" if self.class_weights == "balanced" else "accuracy"

    def epochs_per_pass(self, rows: int) -> int:
        """Return the number of epochs that a pass over so many rows takes."""
        return min(MAX_EPOCHS_PER_PASS, max(1, rows // self.epoch_rows)) if self.epoch_rows else 1


class Ensemble(Section):
    """The members of the classifier: networks that differ in their seed, and linear models on n-grams."""

    members: Positive = 1
    """Networks that differ in their seed, whose logits are averaged."""
    ngrams: Annotated[list[Ngrams], BeforeValidator(_parted_by_commas), AfterValidator(_in_one_order)] = []
    """Linear models on tokens and pairs of them, or on the characters of words, weighted on held-out rows."""


class Configuration(Section):
    """A corpus and a model together, every option resolved."""

    title: str = ""
    """What reports call the corpus."""
    seed: Seed = 1
    """Of the split and of all that chance decides in training: the same seed gives the same bits."""
    source: Source
    split: Split = Split()
    tokenize: Tokenize = Tokenize()
    embed: Embed = Embed()
    architecture: str
    """The module in pipeline/models that builds the network."""
    network: dict[str, Any] = {}
    train: Train = Train()
    ensemble: Ensemble = Ensemble()
    published: dict[str, Real] = {}
    """The accuracy in % that the model's paper gives, by corpus."""
