"""Put the cross-validations that were run into tables.

Reads every crossval.json below data/build/; writes the tables there, as Markdown, and a figure of them.
With --pairs, prints what there is to cross-validate instead.
"""

from __future__ import annotations

import argparse
from itertools import product

from pipeline import comparison, study_figures
from pipeline.artifacts import build_folder, crossvals, table_files, whole
from pipeline.config import input_of_corpus, input_of_model, read_stage, run_folder
from pipeline.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpora", default="", help="only these, separated by blanks")
    parser.add_argument("--models", default="", help="only these, separated by blanks")
    parser.add_argument("--pairs", action="store_true", help="print those that fit, as corpus:model")


def run(arguments: argparse.Namespace) -> None:
    if arguments.pairs:
        for corpus, model in product(arguments.corpora.split(), arguments.models.split()):
            if input_of_corpus(corpus) == input_of_model(model):
                print(f"{corpus}:{model}")
        return
    corpora = {run_folder(name, "-").parent.name for name in arguments.corpora.split()}
    models = arguments.models.split()
    found = [read_stage(folder.result, comparison.Result) for folder in crossvals() if folder.result.exists()]
    results = comparison.fullest(
        [
            one
            for one in found
            if (not corpora or one.corpus in corpora) and (not models or one.model.split()[0] in models)
        ]
    )
    if not results:
        raise InputError(f"no cross-validation below {build_folder()}: run `make crossval` first")
    tables = comparison.markdown(results)
    text, figure = table_files()
    with whole(text) as partial:
        partial.write_text(tables + "\n", "utf-8")
    with whole(figure) as partial:
        study_figures.comparison(comparison.cells(results, "accuracy")).savefig(partial)
    print(f"{tables}\n\n{text} and {figure}")
