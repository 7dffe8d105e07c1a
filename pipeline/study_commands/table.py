"""Cross-validate corpora with models, and put all results into tables.

Has every corpus cross-validated with every model, each pair by a command of its own, so that one that fails
stops none. Reads every crossval.json below data/build/; writes the tables there, as Markdown, and a figure.
"""

from __future__ import annotations

from itertools import product

from ..artifacts import build_folder, crossval_folders, table_files
from ..config import words
from ..config.command_line import Words
from ..config.conf_folders import CORPORA, MODELS
from ..config.loading import (
    DEFAULT_CORPUS,
    TAKEN,
    check_corpus,
    check_model,
    input_of_corpus,
    input_of_model,
    run_folder,
)
from ..config.stage_options import read_stage
from ..errors import InputError, StageFailed
from ..files import atomic_write
from ..graph.inner_make import INTERRUPTED, run_process
from ..studies import corpus_table, figures
from ..studies.cross_validation import CrossValidation
from ..terminal import say, wrapped


def run(given: Words) -> None:
    corpora, models = given[words.CORPORA], given[words.MODELS]
    missing = []
    for corpus, model in pairs(corpora, models):
        if code := run_process("crossval", f"CORPUS={corpus}", f"MODEL={model}"):
            if code == INTERRUPTED:
                raise StageFailed(code)
            missing.append(f"{corpus}:{model}")
    write_tables(corpora, models)
    if missing:
        raise InputError(f"not in the table: {' '.join(missing)}")


def write_tables(chosen_corpora: list[str] | None, models: list[str] | None) -> None:
    """Write and print the tables of what was cross-validated: of all, or the corpora and models chosen.

    Results that cannot be read, such as those of an earlier version, are left out and named.
    """
    corpora = {run_folder(name, "-").parent.name for name in chosen_corpora or []}
    saved, unreadable = _read_results(corpora, models)
    left_out = f"left out, as not written by this version: {', '.join(unreadable)}" if unreadable else ""
    results = corpus_table.fullest(saved)
    if not results:
        none = f"no cross-validation below {build_folder()}: run `make crossval` first"
        raise InputError("; ".join(filter(None, [none, left_out])))
    tables = corpus_table.markdown(results)
    text, figure = table_files()
    with atomic_write(text) as partial:
        partial.write_text(tables + "\n", "utf-8")
    with atomic_write(figure) as partial:
        figures.corpus_scores(corpus_table.cells(results, "accuracy")).write_png(partial)
    say(f"{tables}\n\n{text} and {figure}")
    if left_out:
        say(wrapped(left_out, ""))


def _read_results(corpora: set[str], models: list[str] | None) -> tuple[list[CrossValidation], list[str]]:
    """Return the results of the corpora and models, or of all, and the names of those not to be read.

    The folder of a model's begins with its name, as may that of another model.
    """
    results: list[CrossValidation] = []
    unreadable: list[str] = []
    for folder in crossval_folders():
        corpus, name = folder.path.parents[1].name, folder.path.name
        is_asked_for = not models or any(name.startswith(f"{model}-") for model in models)
        if not folder.result.exists() or not is_asked_for or (corpora and corpus not in corpora):
            continue
        try:
            result = read_stage(folder.result, CrossValidation)
        except InputError:
            unreadable.append(f"{corpus}/{name}")
        else:
            results += [result] if not models or result.model.split()[0] in models else []
    return results, unreadable


def pairs(corpora: list[str] | None, models: list[str] | None) -> list[tuple[str, str]]:
    """Return the pairs of a corpus and a model that fit each other.

    Without names, these are all but the built-in corpus and the models tuned to one corpus. Raises InputError
    for an unknown name, and if nothing fits.
    """
    if corpora is None:
        corpora = [name for name in CORPORA.names() if name != DEFAULT_CORPUS["tokens"]]
    if models is None:
        models = [name for name in MODELS.names() if not name.endswith("-tuned")]
    for corpus in corpora:
        check_corpus(corpus)
    for model in models:
        check_model(model)
    fitting = [
        pair for pair in product(corpora, models) if input_of_corpus(pair[0]) == input_of_model(pair[1])
    ]
    if corpora and models and not fitting:
        has, takes = TAKEN[input_of_corpus(corpora[0])], TAKEN[input_of_model(models[0])]
        raise InputError(f"no model fits a corpus: {corpora[0]} has {has}, and {models[0]} takes {takes}")
    return fitting
