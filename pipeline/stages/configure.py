"""Check the options and hand each stage its own.

Reads conf/ and the command line; writes the stages' JSON options. Prints the run's folder; with --folds,
the folder of the cross-validation, that of its first run, and the cuts that it needs; with --budget, that
of the search.
"""

from __future__ import annotations

import argparse
import re
import shlex
from pathlib import Path

from ..artifacts import RunFolder, data_folder
from ..config import arguments as budget
from ..config import assignments, loading
from ..config.conf_folders import MODELS
from ..config.stage_options import training, write, write_corpus, write_inputs, write_run
from ..config.tuned_model import reserved
from ..errors import InputError
from ..files import short_hash
from ..options import BaselineName, Configuration, InputKind, Split
from ..verb_options import CrossvalOptions, Fold, FoldAssignmentOptions, Request, TuneOptions

QUICK: dict[InputKind, list[BaselineName]] = {
    "tokens": ["majority", "linear"],
    "images": ["majority", "pixels"],
}
LONGEST_SHOWN = 40  # characters of SET in a run's name
MOST_FOLDS = 1000
MOST_SEEDS = 2**32


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--corpus", required=True, help="a name in conf/corpora, or the path of a CSV, npz or folder"
    )
    parser.add_argument("--model", required=True, help="a name in conf/models; empty: one that fits")
    parser.add_argument("--text", default="", help="the column of the text")
    parser.add_argument("--label", default="", help="the column of the label")
    parser.add_argument("--test", default="", help="a CSV that is the test part")
    parser.add_argument("--encoding", default="", help="of the CSV, such as windows-1252")
    parser.add_argument("--set", default="", help='any option, as in "train.epochs=3 seed=7"')
    parser.add_argument("--folds", help="of a cross-validation, 2 or more")
    parser.add_argument("--repeats", default="1", help="of all folds, each with a seed of its own")
    parser.add_argument("--budget", help="of a search, such as 10m")
    parser.add_argument("--name", default="", help="of the search's winner in conf/models")


def run(arguments: argparse.Namespace) -> None:
    _check_place(str(data_folder()))
    arguments.corpus, arguments.model = loading.resolved(arguments.corpus, arguments.model)
    configuration = loading.load(arguments.corpus, arguments.model, arguments.set, _of_file(arguments))
    folder = RunFolder(loading.run_folder(arguments.corpus, arguments.model))
    for path in configuration.embed.files:
        loading.identify(path)  # a missing file is refused before anything is written
    if arguments.folds is not None:
        _write_folds(folder, configuration, arguments)
    elif arguments.budget is not None:
        _write_search(folder, configuration, arguments)
    else:
        write_corpus(folder.corpus, folder.corpus.path.name, configuration)
        request = _request(folder, arguments, _command("train", _given(arguments)))
        write_run(folder, configuration, request, arguments.model, QUICK[configuration.source.input])
        print(folder.path)


def _of_file(arguments: argparse.Namespace) -> dict[str, str]:
    """What the command line says of the corpus's file, beside SET."""
    flags = {
        "source.text": arguments.text,
        "source.label": arguments.label,
        "source.test": arguments.test,
        "source.encoding": arguments.encoding,
    }
    return {key: value for key, value in flags.items() if value}


def _check_place(folder: str) -> None:
    """Raise InputError for a folder whose name means something else to Make, or to the shell."""
    if odd := re.search(r"""^-|[\s:#%$=;|&*?~!^"'`\\<>(){}\[\]]""", folder):
        where = "at the beginning" if odd[0] == "-" else "in its path"
        raise InputError(
            f"CONVTEXT_DATA={folder}: make cannot work in a folder with {odd[0]!r} {where}: name another"
        )


def _write_folds(folder: RunFolder, configuration: Configuration, arguments: argparse.Namespace) -> None:
    """Folds of the corpus; where the test part is official, as many seeds instead."""
    from ..baselines.catalogue import BASELINES  # here, as its libraries take a second

    folds, repeats = _count("FOLDS", arguments.folds, 2), _count("REPEATS", arguments.repeats, 1)
    corpus, first, model = folder.corpus, configuration.seed, arguments.model
    settings = assignments.without_seed(arguments.set)
    model += short_hash(settings)  # a contestant of its own, as far as results are concerned
    of_file = [f"{key}={value}" for key, value in _of_file(arguments).items()]
    of_corpus = shlex.join([*shlex.split(assignments.corpus_settings(arguments.set)), *of_file])
    place = f"{model}-{folds}x{repeats}-seed{first}{short_hash(shlex.join(of_file))}"
    crossval = corpus.crossval(place)
    if "test" in configuration.source.official:
        folds, repeats = 1, folds * repeats
    if first + repeats > MOST_SEEDS:
        raise InputError(f"seed: {first} leaves no room for {repeats} seeds below 2^32")
    opponents = {name: one for name, one in BASELINES.items() if configuration.source.input in one.inputs}
    baselines = [name for name, one in opponents.items() if one.available()]
    everything = configuration.model_copy(update={"seed": 0, "split": Split()})  # its parts are not used
    all_rows = corpus.fold("all", of_corpus)
    write_corpus(all_rows, corpus.path.name, everything)
    command = _command(
        "crossval", _given(arguments) | {"FOLDS": arguments.folds, "REPEATS": arguments.repeats}
    )
    runs, cuts = [], []
    for seed in range(first, first + repeats):
        if folds > 1:
            cut = all_rows.fold_assignment(folds, seed)
            write(cut.options, FoldAssignmentOptions(count=folds, seed=seed))
            cuts.append(cut.folds)
        seeded = configuration.model_copy(update={"seed": seed})
        for number in range(1, folds + 1):
            fold = corpus.fold(f"{corpus.path.name}-{number:02d}of{folds:02d}-seed{seed}", of_corpus)
            run = RunFolder(fold.path / model)
            write_corpus(fold, fold.path.name, seeded, Fold(number=number, count=folds))
            request = _request(run, arguments, command)
            write_run(run, seeded, request, arguments.model, baselines)
            runs.append(str(run.path))
    write(
        crossval.options,
        CrossvalOptions(
            corpus=corpus.path.name,
            model=f"{arguments.model} {settings}".strip(),
            seed=first,
            folds=folds,
            repeats=repeats,
            runs=runs,
            published=None if settings else configuration.published.get(corpus.path.name),
            left_out=[one.title for one in opponents.values() if not one.available()],
        ),
    )
    print(crossval.path, runs[0], *cuts, sep="\n")


def _count(name: str, text: str, least: int) -> int:
    if not (text.isascii() and text.isdigit() and least <= int(text[:9]) <= MOST_FOLDS):
        raise InputError(f"{name}={text}: expected a whole number from {least} to {MOST_FOLDS}")
    return int(text)


def _write_search(folder: RunFolder, configuration: Configuration, arguments: argparse.Namespace) -> None:
    """Whatever would stop the winner from being written or trained is said before the search, which has a
    folder of its own, by all that it was asked for: several may be under way."""
    name = arguments.name or f"{folder.corpus.path.name}-tuned"
    if not loading.NAME.fullmatch(name):
        raise InputError(f"NAME={name!r}: {loading.NAMES}")
    seconds, output = budget.seconds(arguments.budget), MODELS.new_file(name)
    with reserved(output):
        prepare = write_corpus(folder.corpus, folder.corpus.path.name, configuration)
        tokenize, embed = write_inputs(folder, configuration)
    asked = _given(arguments) | {"NAME": arguments.name, "BUDGET": arguments.budget}
    again = _given(arguments) | {"MODEL": name, "SET": assignments.corpus_settings(arguments.set)}
    options = TuneOptions(
        budget=seconds,
        output=str(output),
        command=_command("tune", asked),
        again=_command("train", again),
        prepare=prepare,
        tokenize=tokenize,
        embed=embed,
        train=training(configuration, arguments.model),
    )
    search = folder.search(name + short_hash(options.model_dump_json()))
    write(search.options, options)
    print(search.path)


def _request(folder: RunFolder, arguments: argparse.Namespace, command: str) -> Request:
    """Named after the corpus, the model, and what SET changes in them."""
    corpus = folder.corpus.path.name if folder.corpus.is_fold else Path(arguments.corpus).name
    changed = arguments.set if len(arguments.set) <= LONGEST_SHOWN else arguments.set[:LONGEST_SHOWN] + "…"
    return Request(title=f"{corpus} {arguments.model} {changed}".strip(), command=command)


def _given(arguments: argparse.Namespace) -> dict[str, str]:
    """What the command line said, by the names that `make` has for it."""
    return {
        "CORPUS": arguments.corpus,
        "TEXT": arguments.text,
        "LABEL": arguments.label,
        "TEST": arguments.test,
        "ENCODING": arguments.encoding,
        "MODEL": arguments.model,
        "SET": arguments.set,
    }


def _command(target: str, values: dict[str, str]) -> str:
    words = [f"{name}={shlex.quote(value)}" for name, value in values.items() if value]
    return " ".join(["make", target, *words])
