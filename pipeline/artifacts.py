"""The files that stages hand over: their folders, names and contents.

data/build/<corpus>/            prepare.json tokenize.json baseline.json   the stages' options
                                rows.parquet labels.json data_report.json rejects.csv images.npy
                                text_encoder.json sequences.npz
                                baseline_<criterion>.parquet ngrams_<criterion>.npz
data/build/<corpus>/folds/<fold>/             a fold of it: the same files, other parts; all/ has all rows
data/build/<corpus>/folds/all/of10-seed1.npz  which fold tests each row, and its options
data/build/<corpus>/folds-<hash>/             the same, where the command line says what of the corpus
data/build/<corpus>/crossval/<model>-.../     options.json crossval.json summary.txt
data/build/<corpus>/<model>/    embed.json train.json          the stages' options
                                request.json                   what was asked for, for the run's page
                                vectors.npz coverage.json
                                model/ history.json run.json
                                predictions.parquet mistakes.csv suspect_labels.csv filters.json
                                metrics.json report.html *.png
                                row_keys.npz                   digests of the rows of each part
                                registration/                  how it compares with the champion
                                why.md                         beside networks without a convolution
data/build/<corpus>/<model>/tune/<search>/    tune.json trials.csv   its options, what it tried
data/tracking/champions/        <corpus>.json, and a copy of its MLflow model by that one's id
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .files import read_arrays, readable, short_hash, write_arrays
from .inputs import Images, Sequences, Start

if TYPE_CHECKING:
    from .options import Criterion


def data_folder() -> Path:
    """Where everything that is downloaded, built or tracked lies."""
    return Path(os.environ.get("CONVTEXT_DATA") or "data")


def build_folder() -> Path:
    """What `make clean` removes."""
    return data_folder() / "build"


class CorpusFolder:
    """What `prepare`, `tokenize` and `baseline` hand over; shared by all models of the corpus."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prepare_options = path / "prepare.json"
        self.tokenize_options = path / "tokenize.json"
        self.baseline_options = path / "baseline.json"
        self.rows = path / "rows.parquet"
        self.labels = path / "labels.json"
        self.report = path / "data_report.json"
        self.rejects = path / "rejects.csv"
        # A fold has the rows of the whole corpus, in their order, and parts of its own.
        self.images = (path.parent / "all" if self.is_fold else path) / "images.npy"
        self.text_encoder = path / "text_encoder.json"
        self.sequences = path / "sequences.npz"

    @property
    def is_fold(self) -> bool:
        """Or all rows of what is cut into folds."""
        return self.path.parent.name.partition("-")[0] == "folds"

    @property
    def whole(self) -> CorpusFolder:
        """All rows of the corpus that this one is a fold of, whatever seed `make train` was given."""
        return CorpusFolder(self.path.parent / "all")

    def baseline(self, criterion: Criterion) -> Path:
        """What the opponents say, as the criterion chooses them: models of one corpus may have two."""
        return self.path / f"baseline_{criterion}.parquet"

    def ngrams(self, criterion: Criterion) -> Path:
        return self.path / f"ngrams_{criterion}.npz"

    def fold(self, name: str, settings: str) -> CorpusFolder:
        """`settings` is what the command line says of the corpus: two cross-validations at once must not
        share a file of options that they do not agree on."""
        return CorpusFolder(self.path / f"folds{short_hash(settings)}" / name)

    def cut(self, count: int, seed: int) -> CutFiles:
        return CutFiles(self.path / f"of{count:02d}-seed{seed}")

    def crossval(self, name: str) -> CrossvalFolder:
        return CrossvalFolder(self.path / "crossval" / name)


class CutFiles:
    """What `cut` hands over: the fold that tests each row of a corpus, for one number and one seed."""

    def __init__(self, path: Path) -> None:
        self.corpus = CorpusFolder(path.parent)
        self.options = path.with_name(f"{path.name}.json")
        self.folds = path.with_name(f"{path.name}.npz")


class CrossvalFolder:
    """What `crossval` hands over: a model beside its opponents over folds or seeds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.options = path / "options.json"
        self.result = path / "crossval.json"
        self.summary = path / "summary.txt"


def table_files() -> tuple[Path, Path]:
    """`make table`: the text and the figure."""
    return build_folder() / "table.md", build_folder() / "table.png"


def crossvals() -> list[CrossvalFolder]:
    """Those of all corpora."""
    return [CrossvalFolder(path.parent) for path in sorted(build_folder().glob("*/crossval/*/options.json"))]


class RunFolder:
    """What `embed`, `train` and `evaluate` hand over for one model on one corpus."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.corpus = CorpusFolder(path.parent)
        self.embed_options = path / "embed.json"
        self.train_options = path / "train.json"
        self.request = path / "request.json"
        self.all_options = (
            self.corpus.prepare_options,
            self.corpus.tokenize_options,
            self.embed_options,
            self.train_options,
        )
        self.vectors = path / "vectors.npz"
        self.coverage = path / "coverage.json"
        self.model = path / "model"
        self.history = path / "history.json"
        self.run = path / "run.json"
        self.predictions = path / "predictions.parquet"
        self.row_keys = path / "row_keys.npz"
        self.mistakes = path / "mistakes.csv"
        self.suspect_labels = path / "suspect_labels.csv"
        self.metrics = path / "metrics.json"
        self.report = path / "report.html"
        self.filters = path / "filters.json"
        self.why = path / "why.md"
        self.why_figure = path / "why.png"
        self.registration = RegistrationFolder(path / "registration")

    def figure(self, name: str) -> Path:
        return self.path / f"{name}.png"

    def search(self, name: str) -> SearchFolder:
        return SearchFolder(self.path / "tune" / name)


class SearchFolder:
    """What `tune` is asked for, and what it tried."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = RunFolder(path.parent.parent)
        self.options = path / "tune.json"
        self.trials = path / "trials.csv"


class RegistrationFolder:
    """What `register` found: the new classifier beside the champion, as numbers, as a page and row by row."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.result = path / "comparison.json"
        self.page = path / "comparison.md"
        self.rows = path / "changed_rows.csv"


class ChampionFiles:
    """The champion of a corpus as `predict` finds it: a note of its version, and its model."""

    def __init__(self, corpus: str) -> None:
        self.path = data_folder() / "tracking" / "champions"
        self.note = self.path / f"{corpus}.json"

    def model(self, model_id: str) -> MlflowModelFolder:
        return MlflowModelFolder(self.path / model_id)


class MlflowModelFolder:
    """An MLflow model as `mlflow_model` writes it; what lies beside its artifacts is MLflow's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.classifier = path / "artifacts" / "model"
        self.row_keys = path / "artifacts" / "row_keys.npz"


def write_sequences(path: Path, sequences: Sequences) -> None:
    write_arrays(path, ids=sequences.ids, offsets=sequences.offsets)


def read_inputs(folder: CorpusFolder) -> Sequences | Images:
    """All rows of a corpus as networks take them; images stay on disk until they are looked at."""
    if not folder.images.exists():
        return read_sequences(folder.sequences)
    with readable(folder.images):
        return Images.of(np.load(folder.images, mmap_mode="r"))


def read_start(folder: RunFolder, inputs: Sequences | Images) -> Start:
    """Return what the run's network is built on: the shape of an image, or the vectors of the vocabulary."""
    return inputs.shape if inputs.kind == "image" else read_arrays(folder.vectors)["vectors"]


def read_sequences(path: Path) -> Sequences:
    return Sequences(**read_arrays(path))
