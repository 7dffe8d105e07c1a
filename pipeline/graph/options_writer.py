"""The stages' options as files.

Each is written only where it changed, so that Make redoes what an option concerns and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from ..artifacts import CorpusFolder, RunFolder
from ..config import loading
from ..config.stage_options import (
    BaselineOptions,
    EmbedOptions,
    Fold,
    PrepareOptions,
    Request,
    Subset,
    TokenizeOptions,
    TrainOptions,
)
from ..files import write_changed_text
from ..options import BaselineName, Configuration, Section
from ..vectors import vector_sources

S = TypeVar("S", bound=Section)


def write_corpus(
    corpus: CorpusFolder,
    name: str,
    configuration: Configuration,
    fold: Fold | None = None,
    subset: Subset | None = None,
) -> PrepareOptions:
    """Write what the corpus, or a fold or subset of it, is made by."""
    source = configuration.source
    inputs = [] if source.address else [loading.identify(file.path) for file in source.files.values()]
    return write(
        corpus.prepare_options,
        PrepareOptions(
            corpus=name,
            title=configuration.title,
            seed=configuration.seed,
            source=source,
            split=configuration.split,
            inputs=inputs,
            fold=fold,
            subset=subset,
        ),
    )


@contextmanager
def taken_back_if_refused(corpus: CorpusFolder) -> Iterator[None]:
    """Put the options of a corpus's rows back, with their time, if the block fails before such rows are made.

    Else Make would redo all that there is once the mistyped name of a column, say, is given right again.
    """
    path = corpus.prepare_options
    before = (path.read_text("utf-8"), path.stat()) if path.exists() and corpus.rows.exists() else None
    try:
        yield
    except BaseException:
        if before and corpus.rows.stat().st_mtime_ns < path.stat().st_mtime_ns:
            text, status = before
            write_changed_text(path, text)
            os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
        raise


def write_inputs(
    folder: RunFolder, configuration: Configuration
) -> tuple[TokenizeOptions | None, EmbedOptions | None]:
    """Write what the network's inputs are made by; images are neither tokenized nor embedded."""
    if configuration.source.input == "images":
        return None, None
    pretrained = configuration.embed.pretrained
    inputs = [loading.identify(file) for vectors in pretrained for file in vector_sources.files(vectors)]
    embed = EmbedOptions(seed=configuration.seed, embed=configuration.embed, inputs=inputs)
    tokenize = TokenizeOptions(tokenize=configuration.tokenize)
    return write(folder.corpus.tokenize_options, tokenize), write(folder.embed_options, embed)


def write_run(
    folder: RunFolder,
    configuration: Configuration,
    request: Request,
    model: str,
    baselines: list[BaselineName],
) -> None:
    """Write what the model and its opponents are made by."""
    write(folder.request, request)
    write_baselines(folder, configuration, baselines)
    write_inputs(folder, configuration)
    write(folder.train_options, training(configuration, model))


def write_baselines(folder: RunFolder, configuration: Configuration, baselines: list[BaselineName]) -> None:
    """Write what the opponents are made by."""
    write(folder.corpus.baseline_options, BaselineOptions(seed=configuration.seed, baselines=baselines))


def training(configuration: Configuration, model: str) -> TrainOptions:
    return TrainOptions(
        model=model,
        architecture=configuration.architecture,
        network=configuration.network,
        train=configuration.train,
        ensemble=configuration.ensemble,
        seed=configuration.seed,
    )


def write(path: Path, options: S) -> S:
    """Write the options of a stage, unless the file holds them already; return them."""
    write_changed_text(path, options.model_dump_json(indent=1) + "\n")
    return options
