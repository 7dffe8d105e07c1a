"""Check the options and hand each stage its own.

Reads conf/ and the command line; writes the stages' JSON options, each only where it changed, so that
Make redoes what an option concerns and nothing else. Prints the run's folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline import config
from pipeline.artifacts import RunFolder, whole
from pipeline.options import EmbedOptions, PrepareOptions, Section, TokenizeOptions, TrainOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", required=True, help="a name in conf/corpora, or the path of a CSV")
    parser.add_argument("--model", required=True, help="a name in conf/models")
    parser.add_argument("--text", default="", help="the column of the text")
    parser.add_argument("--label", default="", help="the column of the label")
    parser.add_argument("--test", default="", help="a CSV that is the test part")
    parser.add_argument("--encoding", default="", help="of the CSV, such as windows-1252")
    parser.add_argument("--set", default="", help='any option, as in "train.epochs=3 seed=7"')


def run(arguments: argparse.Namespace) -> None:
    flags = {
        "source.text": arguments.text,
        "source.label": arguments.label,
        "source.test": arguments.test,
        "source.encoding": arguments.encoding,
    }
    given = {key: value for key, value in flags.items() if value}
    configuration = config.load(arguments.corpus, arguments.model, arguments.set, given)
    folder = RunFolder(config.run_folder(arguments.corpus, arguments.model))
    source, embed, seed = configuration.source, configuration.embed, configuration.seed

    inputs = [] if source.address else [config.identify(file.path) for file in source.files.values()]
    vectors = [] if embed.vectors in ("random", "corpus") else [config.identify(embed.vectors)]
    _write(
        folder.corpus.prepare_options,
        PrepareOptions(
            corpus=folder.corpus.path.name,
            title=configuration.title,
            seed=seed,
            source=source,
            split=configuration.split,
            inputs=inputs,
        ),
    )
    _write(folder.corpus.tokenize_options, TokenizeOptions(tokenize=configuration.tokenize))
    _write(folder.embed_options, EmbedOptions(seed=seed, embed=embed, inputs=vectors))
    _write(
        folder.train_options,
        TrainOptions(
            model=arguments.model,
            architecture=configuration.architecture,
            network=configuration.network,
            train=configuration.train,
            seed=seed,
            text=source.text,
        ),
    )
    print(folder.path)


def _write(path: Path, options: Section) -> None:
    text = options.model_dump_json(indent=1) + "\n"
    if not path.exists() or path.read_text("utf-8") != text:
        with whole(path) as partial:
            partial.write_text(text, "utf-8")
