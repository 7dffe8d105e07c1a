"""What the graph's rules need to know of the options, as variables in files that graph.mk includes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..artifacts import (
    CorpusFolder,
    CrossvalFolder,
    CurveFolder,
    FoldAssignmentFiles,
    RunFolder,
    graph_word,
)
from ..files import write_changed_text
from ..options import Configuration


def write_corpus_facts(
    corpus: CorpusFolder, configuration: Configuration, cut: FoldAssignmentFiles | None = None
) -> None:
    """Write whether the rows are tokenized, and of a fold or subset where all rows are."""
    is_text = configuration.source.input == "tokens"
    is_all = corpus.path == corpus.all_rows.path
    _write(
        corpus.facts,
        {
            "SEQUENCES": [corpus.sequences] if is_text else [],
            "ALL_ROWS": [corpus.all_rows.rows] if corpus.is_fold and not is_all else [],
            "CUT": [cut.folds] if cut else [],
            "SUBSET_OF": [corpus.all_rows.rows] if corpus.is_subset and not is_all else [],
        },
    )


def write_run_facts(run: RunFolder, configuration: Configuration) -> None:
    """Write what the network is built by, and what its opponents are chosen by."""
    criterion = configuration.train.criterion
    _write(
        run.facts,
        {
            "ARCHITECTURE": [configuration.architecture],
            "CRITERION": [criterion],
        },
    )


def write_comparison_facts(study: CrossvalFolder | CurveFolder, runs: Sequence[RunFolder]) -> None:
    """Write which results are compared: so many that no command line has room for them."""
    _write(study.facts, {"METRICS": [run.metrics for run in runs]})


def _write(path: Path, facts: dict[str, Sequence[Path | str]]) -> None:
    lines = [" ".join([f"{name} :=", *map(graph_word, values)]) for name, values in facts.items()]
    write_changed_text(path, "\n".join(["# Written by `configure`.", *lines, ""]))
