"""Put the cross-validations that were run into one table.

Reads every crossval.json below data/build/; writes table.md and table.png there.
"""

from __future__ import annotations

import argparse

from pipeline import comparison, figures
from pipeline.artifacts import build_folder, crossvals, read_json, whole
from pipeline.errors import InputError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpora", default="", help="only these, separated by blanks")
    parser.add_argument("--models", default="", help="only these, separated by blanks")


def run(arguments: argparse.Namespace) -> None:
    corpora, models = arguments.corpora.split(), arguments.models.split()
    results = [read_json(folder.result) for folder in crossvals() if folder.result.exists()]
    results = [
        one
        for one in results
        if (not corpora or one["corpus"] in corpora) and (not models or one["model"] in models)
    ]
    if not results:
        raise InputError(f"no cross-validation below {build_folder()}: run `make crossval` first")
    cells = comparison.cells(results)
    text = comparison.markdown(cells)
    with whole(build_folder() / "table.md") as partial:
        partial.write_text(text + "\n", "utf-8")
    with whole(build_folder() / "table.png") as partial:
        figures.comparison(cells).savefig(partial, dpi=130)
    print(f"{text}\n\n{build_folder()}/table.md and table.png")
