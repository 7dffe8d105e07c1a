"""The files that stages hand over: their folders, names and contents.

data/build/<corpus>/            prepare.json tokenize.json baseline.json   the stages' options
                                rows.parquet labels.json text_columns.json data_report.json rejects.csv
                                images.npy
                                unknown_labels.json            labels that only test rows have
                                other_rows.parquet             the out-of-scope rows, if the corpus has such
                                text_encoder.json sequences.npz
                                baseline_<criterion>.parquet   each baseline's labels of the test rows
                                baseline_<criterion>.json      its setting and its validation score
data/build/<corpus>/folds/<fold>/             a fold: the same files, other parts; all/ has all rows
data/build/<corpus>/folds/all/of10-seed1.npz  the fold that tests each row; options in the .json
data/build/<corpus>/folds-<hash>/             folds of a corpus for which the command line sets options
data/build/<corpus>/crossval/<model>-.../     options.json crossval.json summary.txt
data/build/<corpus>/subsets-seed1/<subset>/   a share of the rows to learn from: the same files; all/ has all
                                              rows, and the test rows are the same in each
data/build/<corpus>/subsets-seed1-<hash>/     subsets of a corpus for which the command line sets options
data/build/<corpus>/curve/<model>-.../        options.json curve.json summary.txt curve.png
data/build/<corpus>/<model>/    embed.json train.json          the stages' options
                                request.json                   the command, for the run's page
                                vectors.npz coverage.json
                                model/ history.json run.json
                                predictions.parquet mistakes.csv suspect_labels.csv filters.json
                                metrics.json report.html MODEL_CARD.md *.png
                                row_keys.npz                   digests of the rows and groups of each part
                                registration/                  the comparison with the champion
                                why.md                         the comparison with dense networks
data/build/<corpus>/<model>/export/<format>/  the model for other libraries, vocabulary.json, example.py
data/build/<corpus>/<model>/tune/<search>/    tune.json trials.csv   the search's options and trials
data/build/.leases/<folder>/    <turn> or <turn>.free: the lease of a folder that one process at a time fills
data/tracking/mlflow.db         the runs, unless MLFLOW_TRACKING_URI says otherwise; their files: artifacts/
data/tracking/first_place       where the data folder was first used
data/tracking/champions/        <corpus>.json and .lock, and the champion's MLflow model in a folder named by
                                its id
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .arrays import Labels
from .errors import InputError
from .files import short_hash, write_arrays
from .inputs import Images, Sequences, Start, UnseenWords
from .reading import read_arrays, read_json, read_table, readable

if TYPE_CHECKING:
    from .options import Criterion


MODEL_CARD = "MODEL_CARD.md"  # of a run, and in its MLflow model
FACTS = "graph.mk"  # what the graph of a folder needs to know of its options
IDENTIFIER = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}")


def checked_id(value: object) -> str:
    """Return the id of a run, a model or a version, which may then name a file or stand in a query.

    Ids come from tracking servers and from files. Raises InputError for what cannot be one.
    """
    if not (isinstance(value, str) and IDENTIFIER.fullmatch(value)):
        raise InputError(f"{str(value)[:80]!r} is no id of MLflow's: expected letters, digits, - and _")
    return value


def data_folder() -> Path:
    """Return the folder of everything that is downloaded, built or tracked."""
    return Path(os.environ.get("CONVTEXT_DATA") or "data")


def build_folder() -> Path:
    """Return the folder of everything that can be built again: `make clean` removes it."""
    return data_folder() / "build"


def code_folder() -> Path:
    """The digests of the code that each stage runs; no corpus has such a name."""
    return build_folder() / ".code"


def graph_word(value: Path | str) -> str:
    """Return a file, or a word that is none, as the graph has it.

    Files are relative to the data folder, whose own name may mean something to Make or to a shell.
    """
    return str(value.relative_to(data_folder()) if isinstance(value, Path) else value)


def local_store_file() -> Path:
    """Return the database of the runs where MLFLOW_TRACKING_URI says nothing else."""
    return data_folder().resolve() / "tracking" / "mlflow.db"


def artifacts_folder() -> Path:
    """Return where the artifacts of those runs are."""
    return local_store_file().with_name("artifacts")


def first_place_file() -> Path:
    return data_folder() / "tracking" / "first_place"


def lease_folder(folder: Path) -> Path:
    """Return the lease of a folder: who has it makes the files there."""
    return build_folder() / ".leases" / folder.relative_to(build_folder())


def links_folder() -> Path:
    """Links to files whose names no option can hold."""
    return build_folder() / ".links"


class CorpusFolder:
    """The files of `prepare`, `tokenize` and `baseline`, shared by all models of the corpus."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.prepare_options = path / "prepare.json"
        self.tokenize_options = path / "tokenize.json"
        self.baseline_options = path / "baseline.json"
        self.facts = path / FACTS
        self.rows = path / "rows.parquet"
        self.labels = path / "labels.json"
        self.unknown_labels = path / "unknown_labels.json"
        self.text_columns = path / "text_columns.json"
        self.report = path / "data_report.json"
        self.rejects = path / "rejects.csv"
        # A fold or subset has the rows of the whole corpus in the same order; only their parts differ.
        self.images = (path.parent / "all" if self.is_fold or self.is_subset else path) / "images.npy"
        self.other_rows = path / "other_rows.parquet"
        self.text_encoder = path / "text_encoder.json"
        self.sequences = path / "sequences.npz"

    @property
    def is_fold(self) -> bool:
        """True for a fold, and for `folds/all`, the rows that folds are made of."""
        return self.path.parent.name.partition("-")[0] == "folds"

    @property
    def is_subset(self) -> bool:
        """True for a subset, and for `subsets-.../all`, the rows that subsets are drawn from."""
        return self.path.parent.name.partition("-")[0] == "subsets"

    @property
    def all_rows(self) -> CorpusFolder:
        """All rows of the corpus that this one is a fold or subset of.

        Those of folds are the same for every seed; those of subsets have their parts by seed.
        """
        return CorpusFolder(self.path.parent / "all")

    def baseline(self, criterion: Criterion) -> Path:
        """Return the file of the baselines' labels; models of one corpus may differ in their criterion."""
        return self.path / f"baseline_{criterion}.parquet"

    def baseline_choices(self, criterion: Criterion) -> Path:
        """Return the file of the baselines' settings and of their scores on held-out rows."""
        return self.path / f"baseline_{criterion}.json"

    def fold(self, name: str, settings: str) -> CorpusFolder:
        """Return the folder of a fold.

        `settings`, what the command line says of the corpus, becomes part of its name: cross-validations
        with different settings share no file.
        """
        return CorpusFolder(self.path / f"folds{short_hash(settings)}" / name)

    def subset(self, name: str, settings: str, seed: int) -> CorpusFolder:
        """Return the folder of a subset of the parts that `seed` makes; for `settings` see `fold`."""
        return CorpusFolder(self.path / f"subsets-seed{seed}{short_hash(settings)}" / name)

    def fold_assignment(self, count: int, seed: int) -> FoldAssignmentFiles:
        return FoldAssignmentFiles(self.path / f"of{count:02d}-seed{seed}")

    def crossval(self, name: str) -> CrossvalFolder:
        return CrossvalFolder(self.path / "crossval" / name)

    def curve(self, name: str) -> CurveFolder:
        return CurveFolder(self.path / "curve" / name)


class FoldAssignmentFiles:
    """The files of `assign_folds`: the fold that tests each row, for one number of folds and one seed."""

    def __init__(self, path: Path) -> None:
        self.corpus = CorpusFolder(path.parent)
        self.options = path.with_name(f"{path.name}.json")
        self.folds = path.with_name(f"{path.name}.npz")


class CrossvalFolder:
    """The files of `crossval`: a model and its opponents, compared over folds or seeds."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.options = path / "options.json"
        self.facts = path / FACTS
        self.result = path / "crossval.json"
        self.summary = path / "summary.txt"


class CurveFolder:
    """The files of `curve`: a model and its opponents, compared over shares of the labelled rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.options = path / "options.json"
        self.facts = path / FACTS
        self.result = path / "curve.json"
        self.summary = path / "summary.txt"
        self.figure = path / "curve.png"


def table_files() -> tuple[Path, Path]:
    """Return the files of `table`: the Markdown text and the figure."""
    return build_folder() / "table.md", build_folder() / "table.png"


def crossval_folders() -> list[CrossvalFolder]:
    """Return the cross-validations of all corpora."""
    return [CrossvalFolder(path.parent) for path in sorted(build_folder().glob("*/crossval/*/options.json"))]


class RunFolder:
    """The files of `embed`, `train` and `evaluate` for one model on one corpus."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.corpus = CorpusFolder(path.parent)
        self.embed_options = path / "embed.json"
        self.train_options = path / "train.json"
        self.facts = path / FACTS
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
        self.checkpoints = path / "checkpoints"  # of a training under way, or killed
        self.history = path / "history.json"
        self.run = path / "run.json"
        self.predictions = path / "predictions.parquet"
        self.row_keys = path / "row_keys.npz"
        self.mistakes = path / "mistakes.csv"
        self.suspect_labels = path / "suspect_labels.csv"
        self.metrics = path / "metrics.json"
        self.report = path / "report.html"
        self.model_card = path / MODEL_CARD
        self.filters = path / "filters.json"
        self.why = path / "why.md"
        self.why_figure = path / "why.png"
        self.registration = RegistrationFolder(path / "registration")

    def figure(self, name: str) -> Path:
        return self.path / f"{name}.png"

    def export(self, form: str) -> Path:
        """Return the folder of the model in another library's format."""
        return self.path / "export" / form

    def search(self, name: str) -> SearchFolder:
        return SearchFolder(self.path / "tune" / name)


class SearchFolder:
    """The files of `tune`: its options and its trials."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.run = RunFolder(path.parent.parent)
        self.options = path / "tune.json"
        self.trials = path / "trials.csv"


class RegistrationFolder:
    """The files of `register`: the new classifier compared with the champion."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.result = path / "comparison.json"
        self.page = path / "comparison.md"
        self.rows = path / "changed_rows.csv"


def champions_folder() -> Path:
    """Return the folder of the registered models that label here, and of the notes on them."""
    return data_folder() / "tracking" / "champions"


class ChampionFiles:
    """The champion of a corpus as `predict` reads it: a note of its version, and its model."""

    def __init__(self, corpus: str) -> None:
        self.path = champions_folder()
        self.note = self.path / f"{corpus}.json"
        self.lock = self.path / f"{corpus}.lock"  # of the command that judges and promotes

    @staticmethod
    def model(model_id: str) -> MlflowModelFolder:
        """Return the copy of a registered model, whichever corpus it is of."""
        return MlflowModelFolder(champions_folder() / checked_id(model_id))


class MlflowModelFolder:
    """An MLflow model; the files next to its artifacts are MLflow's own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.classifier = path / "artifacts" / "model"
        self.row_keys = path / "artifacts" / "row_keys.npz"


def write_sequences(path: Path, sequences: Sequences) -> None:
    unseen = [word.encode("utf-8", "surrogatepass") for word in sequences.unseen.words]
    write_arrays(
        path,
        ids=sequences.ids,
        offsets=sequences.offsets,
        words=sequences.words,
        unseen=np.frombuffer(b"\n".join(unseen), np.uint8),  # no word holds the end of a line
    )


def read_inputs(folder: CorpusFolder) -> Sequences | Images:
    """Return all rows of a corpus as networks take them; images stay on disk until they are read."""
    if not folder.images.exists():
        return read_sequences(folder.sequences)
    with readable(folder.images):
        return Images.from_pixels(np.load(folder.images, mmap_mode="r"))


def read_all_labels(folder: CorpusFolder) -> list[str]:
    """Return the labels of a corpus by their codes: its classes, then those that only test rows have."""
    return [*read_json(folder.labels), *read_json(folder.unknown_labels)]


def read_test_labels(folder: RunFolder, criterion: Criterion) -> tuple[Labels, dict[str, Labels]]:
    """Return the true labels of a run's test rows, and those that each classifier predicts, int64 [rows].

    A true label that only test rows have is no class, and its code no prediction's; see `read_all_labels`.
    The run's own have the key "network" and come first; the opponents were chosen by the criterion.
    """
    rows, opponents = read_table(folder.corpus.rows), read_table(folder.corpus.baseline(criterion))
    codes = {name: code for code, name in enumerate(read_json(folder.corpus.labels))}
    network = read_table(folder.predictions)["predicted_label"].map(codes)
    predicted = {"network": network} | {str(key): opponents[key] for key in opponents.drop(columns="row")}
    truth = rows["label"][rows["part"] == "test"].to_numpy(np.int64)
    return truth, {key: labels.to_numpy(np.int64) for key, labels in predicted.items()}


def tracked_run(folder: RunFolder) -> str:
    """Return the id of the run that `train` began. Raises InputError where the file has none."""
    record = read_json(folder.run)
    try:
        return checked_id(record["mlflow_run"])
    except (InputError, LookupError, TypeError) as error:
        raise InputError(f"{folder.run} has no run's id: remove {folder.path} and train again") from error


def read_start(folder: RunFolder, inputs: Sequences | Images) -> Start:
    """Return what the run's network is built on: the shape of an image, or the vectors of the vocabulary."""
    return inputs.shape if inputs.kind == "image" else read_arrays(folder.vectors)["vectors"]


def read_sequences(path: Path) -> Sequences:
    arrays = read_arrays(path)
    unseen = arrays["unseen"].tobytes().decode("utf-8", "surrogatepass")
    words = UnseenWords(unseen.split("\n") if unseen else ())
    return Sequences(arrays["ids"], arrays["offsets"], arrays["words"], words)
