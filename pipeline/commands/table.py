"""Put the cross-validations that were run into tables.

Reads every crossval.json below data/build/; writes the tables there, as Markdown, and a figure of them.
With --pairs, prints what there is to cross-validate instead.
"""

from __future__ import annotations

import argparse
from itertools import product

from ..artifacts import build_folder, crossval_folders, table_files
from ..config.conf_folders import CORPORA, MODELS
from ..config.loading import (
    DEFAULT_CORPUS,
    TAKEN,
    check_corpus,
    check_model,
    input_of_corpus,
    input_of_model,
    read_stage,
    run_folder,
)
from ..errors import InputError
from ..files import atomic_write
from ..studies import corpus_table, figures
from ..studies.cross_validation import CrossValidation


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpora", type=str.split, help="only these, separated by blanks")
    parser.add_argument("--models", type=str.split, help="only these, separated by blanks")
    parser.add_argument("--pairs", action="store_true", help="print those that fit, as corpus:model")


def run(arguments: argparse.Namespace) -> None:
    if arguments.pairs:
        for corpus, model in _pairs(arguments.corpora, arguments.models):
            print(f"{corpus}:{model}")
        return
    corpora = {run_folder(name, "-").parent.name for name in arguments.corpora or []}
    models = arguments.models
    saved = [
        read_stage(folder.result, CrossValidation) for folder in crossval_folders() if folder.result.exists()
    ]
    results = corpus_table.fullest(
        [
            result
            for result in saved
            if (not corpora or result.corpus in corpora) and (not models or result.model.split()[0] in models)
        ]
    )
    if not results:
        raise InputError(f"no cross-validation below {build_folder()}: run `make crossval` first")
    tables = corpus_table.markdown(results)
    text, figure = table_files()
    with atomic_write(text) as partial:
        partial.write_text(tables + "\n", "utf-8")
    with atomic_write(figure) as partial:
        figures.corpus_scores(corpus_table.cells(results, "accuracy")).savefig(partial)
    print(f"{tables}\n\n{text} and {figure}")


def _pairs(corpora: list[str] | None, models: list[str] | None) -> list[tuple[str, str]]:
    """Of corpora and models that fit. Where none are named, all but the built-in corpus and what was tuned to
    one corpus. Raises InputError for a name that there is not, and where nothing fits."""
    if corpora is None:
        corpora = [name for name in CORPORA.names() if name != DEFAULT_CORPUS["tokens"]]
    if models is None:
        models = [name for name in MODELS.names() if not name.endswith("-tuned")]
    for corpus in corpora:
        check_corpus(corpus)
    for model in models:
        check_model(model)
    pairs = [pair for pair in product(corpora, models) if input_of_corpus(pair[0]) == input_of_model(pair[1])]
    if corpora and models and not pairs:
        has, takes = TAKEN[input_of_corpus(corpora[0])], TAKEN[input_of_model(models[0])]
        raise InputError(f"no model fits a corpus: {corpora[0]} has {has}, and {models[0]} takes {takes}")
    return pairs
