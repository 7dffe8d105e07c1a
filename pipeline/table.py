"""Put the cross-validations that were run into one table.

Reads every crossval.json below data/build/; writes the table there, as Markdown and as
a figure.
"""

from __future__ import annotations

import argparse

from pipeline import comparison, figures
from pipeline.artifacts import build_folder, crossvals, read_json, table_files, whole
from pipeline.config import run_folder
from pipeline.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpora", default="", help="only these, separated by blanks")
    parser.add_argument("--models", default="", help="only these, separated by blanks")


def run(arguments: argparse.Namespace) -> None:
    corpora = {run_folder(name, "-").parent.name for name in arguments.corpora.split()}
    models = arguments.models.split()
    results = [read_json(folder.result) for folder in crossvals() if folder.result.exists()]
    results = [
        one
        for one in results
        if (not corpora or one["corpus"] in corpora) and (not models or one["model"].split()[0] in models)
    ]
    if not results:
        raise InputError(f"no cross-validation below {build_folder()}: run `make crossval` first")
    cells = comparison.cells(results)
    text, figure = table_files()
    with whole(text) as partial:
        partial.write_text(comparison.markdown(cells) + "\n", "utf-8")
    with whole(figure) as partial:
        figures.comparison(cells).savefig(partial, dpi=130)
    print(f"{comparison.markdown(cells)}\n\n{text} and {figure}")
