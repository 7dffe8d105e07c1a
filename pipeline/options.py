"""The options and their types. Nothing below `config` sees anything less typed than these.

A corpus file gives `source`, `split` and `tokenize`; a model file gives `embed`, `architecture`,
`network` and `train`; `seed` may stand in either.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator


def _exponent_without_point(value: Any) -> Any:
    """YAML 1.1 reads `1e-6` as a string; its author meant a number."""
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value


Real = Annotated[float, BeforeValidator(_exponent_without_point), Field(allow_inf_nan=False)]
Share = Annotated[Real, Field(ge=0, lt=1)]
Positive = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


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

    format: Literal["csv", "lines", "docstrings"] = "csv"
    address: str | None = None  # the files' paths are relative to it, and are downloaded from there
    train: File | None = None
    validation: File | None = None
    test: File | None = None
    text: str = "text"
    label: str = "label"
    encoding: str = "utf-8"
    label_until: str | None = None  # the label is what stands before it (`DESC:manner` -> `DESC`)
    labels: dict[str, str] | None = None  # the file's label -> the name shown, in the order shown
    blank_rows: Share = 0.001  # rows without text or label are set aside up to this share

    @model_validator(mode="after")
    def _has_files(self) -> Source:
        if self.format != "docstrings" and self.train is None:
            raise ValueError("source.train is missing: it names the corpus's file")
        return self

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


class Embed(Section):
    """The vectors that both channels start from: `random`, `corpus`, or a file of pretrained vectors."""

    vectors: str = "corpus"
    dimensions: Annotated[int, Field(ge=1, le=4096)] = 300  # a file brings its own


class Train(Section):
    """The trainer's options, whatever the network."""

    optimizer: Literal["adadelta", "adam"] = "adadelta"
    learning_rate: Annotated[Real, Field(gt=0)] = 1.0
    batch_size: Positive = 50
    epochs: Positive = 25
    patience: Positive = 3
    precision: Literal["float32", "mixed_bfloat16"] = "float32"  # bfloat16 pays where the processor has it


class Input(Section):
    """A user's file as it was when the stage was asked for: a changed file is a changed option."""

    path: str
    bytes: int
    modified: int


class PrepareOptions(Section):
    corpus: str
    title: str
    seed: Seed
    source: Source
    split: Split
    inputs: list[Input]


class TokenizeOptions(Section):
    tokenize: Tokenize


class EmbedOptions(Section):
    seed: Seed
    embed: Embed
    inputs: list[Input]


class TrainOptions(Section):
    model: str
    architecture: str
    network: dict[str, Any]
    train: Train
    seed: Seed
    text: str  # the column that `predict` reads


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
