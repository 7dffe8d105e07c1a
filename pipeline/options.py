"""The options and their types. Nothing below `config` sees anything less typed than these.

A corpus file gives `source`, `split` and `tokenize`; a model file gives `embed`, `architecture`,
`network` and `train`; `seed` may stand in either.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, field_serializer, model_validator


def _one_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Real = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[Real, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
BaselineName = Literal["majority", "linear", "nbsvm", "fasttext", "pixels"]
InputKind = Literal["tokens", "images"]
Criterion = Literal["accuracy", "macro_f1"]
CRITERIA: dict[Criterion, str] = {"accuracy": "accuracy", "macro_f1": "macro-F1"}  # as a line shows them
Seed = Annotated[int, Field(ge=0, lt=2**32)]
IMAGE_FORMATS = ("folder", "npz", "digits", "keras")


class Section(BaseModel):
    """Options under one key: unknown keys and wrong types are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class File(Section):
    """A file of a corpus: a path, and for a download its sha256."""

    path: str
    sha256: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _plain_path(cls, value: Any) -> Any:
        return {"path": value} if isinstance(value, str) else value


class Source(Section):
    """Where a corpus comes from and how its files are to be read."""

    format: Literal["csv", "lines", "docstrings", "folder", "npz", "digits", "keras"] = "csv"
    dataset: Literal["mnist", "fashion_mnist", "cifar10"] | None = None  # of keras.datasets
    address: str | None = None  # the files' paths are relative to it, and are downloaded from there
    train: File | None = None
    validation: File | None = None
    test: File | None = None
    text: str = "text"  # of images: the column of their paths, in a CSV to predict
    label: str = "label"
    size: Annotated[int, Field(ge=1, le=4096)] | None = (
        None  # the side of the images; null: see image_sources
    )
    encoding: str = "utf-8"
    label_until: str | None = None  # the label is what stands before it (`DESC:manner` -> `DESC`)
    labels: dict[str, str] | None = None  # the file's label -> the name shown, in the order shown
    blank_rows: Share = 0.001  # rows without text or label are set aside up to this share

    @model_validator(mode="before")
    @classmethod
    def _paths_of_images(cls, value: Any) -> Any:
        of_images = isinstance(value, dict) and value.get("format") in IMAGE_FORMATS
        return {"text": "path"} | value if of_images else value

    @model_validator(mode="after")
    def _has_files(self) -> Source:
        if self.format not in ("docstrings", "digits", "keras") and self.train is None:
            raise ValueError("source.train is missing: it names the corpus's file")
        if (self.format == "keras") != (self.dataset is not None):
            raise ValueError("source.dataset goes with source.format: keras, and names the data set")
        if self.size is not None and self.input != "images":
            raise ValueError("source.size is for images, and this corpus has texts")
        return self

    @property
    def input(self) -> InputKind:
        """What the corpus's rows are to a network."""
        return "images" if self.format in IMAGE_FORMATS else "tokens"

    @property
    def official(self) -> set[str]:
        """The parts that the corpus brings, beside its training part; the others are split off."""
        return {"test"} if self.format == "keras" else {*self.files} - {"train"}

    @property
    def files(self) -> dict[str, File]:
        """Part -> the file that holds it; without an official split, all rows are in `train`."""
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {part: file for part, file in parts.items() if file is not None}


class Split(Section):
    """Shares of the rows that become validation and test part where the corpus brings none."""

    validation: Share = 0.1
    test: Share = 0.1

    @model_validator(mode="after")
    def _leaves_rows_to_train_on(self) -> Split:
        if not (self.validation > 0 and self.test > 0 and self.validation + self.test < 1):
            raise ValueError("split.validation and split.test must be above 0 and add up to less than 1")
        return self


class Tokenize(Section):
    """How a text becomes tokens, and tokens ids."""

    unit: Literal["auto", "word", "character"] = "auto"
    cleaning: Literal["none", "kim"] = "none"
    lowercase: bool = True
    minimum_count: Positive = 2
    maximum_size: Positive = 100_000
    maximum_length: Positive = 1000
    # A word outside the vocabulary: as the one in it that begins like it, or as any other such word.
    unseen: Literal["similar", "unknown"] = "similar"


class Embed(Section):
    """The vectors that both channels start from: `random`, `corpus`, or a file of pretrained vectors.

    Several stand side by side, as dimensions of one vector (after Zhang, Roller & Wallace 2016).
    """

    vectors: Annotated[list[str], Field(min_length=1), BeforeValidator(_one_as_list)] = ["corpus"]
    dimensions: Annotated[int, Field(ge=1, le=4096)] = 300  # a file brings its own
    missing: Literal["subwords", "uniform"] = "subwords"  # the vectors of words that a file lacks

    @field_serializer("vectors")
    def _list_of_one_as_it(self, vectors: list[str]) -> str | list[str]:
        return vectors[0] if len(vectors) == 1 else vectors

    @property
    def files(self) -> list[str]:
        return [vectors for vectors in self.vectors if vectors not in ("random", "corpus")]


class Train(Section):
    """The trainer's options, whatever the network."""

    optimizer: Literal["adadelta", "adam"] = "adadelta"
    learning_rate: Annotated[Real, Field(gt=0)] = 1.0
    batch_size: Positive = 50
    epochs: Positive = 25
    patience: Positive = 3
    precision: Literal["float32", "mixed_bfloat16"] = "float32"  # bfloat16 pays where the processor has it
    class_weights: Literal["none", "balanced"] = "none"  # balanced: every class weighs the same in the loss

    @property
    def criterion(self) -> Criterion:
        """What the kept epoch and the opponents are chosen by, on the validation part. Who weighs rare
        classes up gives accuracy for them away, so that it would choose the epoch that had learned them
        least."""
        return "macro_f1" if self.class_weights == "balanced" else "accuracy"


class Ensemble(Section):
    """What the classifier averages: networks that differ in their seed alone, and a linear model."""

    members: Positive = 1
    ngrams: bool = False  # weigh the baseline's TF-IDF + logistic regression in, by the validation part


class Input(Section):
    """A user's file as it was when the stage was asked for: a changed file is a changed option."""

    path: str
    bytes: int
    modified: int


class Fold(Section):
    """Which rows of a corpus are tested: fold `number` of `count`, or the official ones where that is 1."""

    number: Positive
    count: Positive


class CutOptions(Section):
    count: Positive  # of the folds
    seed: Seed


class PrepareOptions(Section):
    corpus: str
    title: str
    seed: Seed
    source: Source
    split: Split
    inputs: list[Input]
    fold: Fold | None = None


class TokenizeOptions(Section):
    tokenize: Tokenize


class BaselineOptions(Section):
    seed: Seed
    baselines: list[BaselineName]


class EmbedOptions(Section):
    seed: Seed
    embed: Embed
    inputs: list[Input]


class TrainOptions(Section):
    model: str
    architecture: str
    network: dict[str, Any]
    train: Train
    ensemble: Ensemble
    seed: Seed
    text: str  # the column that `predict` reads


class Request(Section):
    """What was asked for, in the user's words; no stage's work depends on it."""

    title: str  # short enough for a list of runs
    command: str  # that asks for the same again


class CrossvalOptions(Section):
    corpus: str
    model: str
    seed: Seed
    folds: Positive  # 1 where the test part is official, and seeds take the folds' place
    repeats: Positive
    runs: list[str]  # the folders of the folds' runs
    left_out: list[str]  # opponents whose library is not installed
    published: float | None  # the accuracy, %, that the model's paper gives for the corpus


class TuneOptions(Section):
    """Those of the stages are among them, as they were asked for: another command may change their files."""

    budget: Positive  # seconds
    output: str  # the YAML that the winner is written to
    command: str  # what was typed, and what trains the winner
    again: str
    prepare: PrepareOptions
    tokenize: TokenizeOptions | None  # none of images, nor the next
    embed: EmbedOptions | None
    train: TrainOptions


class Configuration(Section):
    """A corpus and a model together, every option resolved."""

    title: str = ""
    seed: Seed = 1
    source: Source
    split: Split = Split()
    tokenize: Tokenize = Tokenize()
    embed: Embed = Embed()
    architecture: str
    network: dict[str, Any] = {}
    train: Train = Train()
    ensemble: Ensemble = Ensemble()
    published: dict[str, Real] = {}  # corpus -> accuracy, %, in the model's paper
