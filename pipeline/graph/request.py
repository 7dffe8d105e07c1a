"""What a user asks for of a corpus and a model, in the words of the command line."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..artifacts import RunFolder, code_folder
from ..config import assignments, loading, words
from ..config.command_line import Words
from ..config.conf_folders import CORPORA
from ..config.stage_options import Request
from ..environment.cores import OPERATION_THREADS
from ..environment.moved_data import record_first_place
from ..environment.program import command_text
from ..options import Configuration, InputKind
from ..terminal import visible
from ..vectors import vector_sources
from .code_digest import write_code_digests

MAX_SET_CHARACTERS = 40  # of VECTORS and SET in a run's name


@dataclass(frozen=True)
class TrainingRequest:
    """A corpus, how its file is read, a model, and the options that differ from those of their files."""

    corpus: str
    model: str
    set: str
    text: str = ""
    label: str = ""
    case: str = ""
    rare: str = ""
    other: str = ""
    test: str = ""
    encoding: str = ""
    group: str = ""
    time: str = ""
    vectors: str = ""
    reading: Mapping[str, object] = field(default_factory=dict)  # of `words.OF_READING` what is given

    @classmethod
    def from_words(cls, given: Words) -> TrainingRequest:
        """Return the request with the names of corpus and model filled in.

        Raises InputError for a model or corpus that there is not.
        """
        corpus, model = loading.resolved(given[words.CORPUS], given[words.MODEL])
        return cls(
            corpus,
            model,
            given[words.SET],
            given[words.TEXT],
            given[words.LABEL],
            given[words.CASE],
            given[words.RARE],
            given[words.OTHER],
            given[words.TEST],
            given[words.ENCODING],
            given[words.GROUP],
            given[words.TIME],
            given[words.VECTORS],
            {name: given[word] for name, word in words.OF_READING.items() if given.texts.get(word.name)},
        )

    @property
    def source_options(self) -> dict[str, Any]:
        """What the words say of the corpus's file, by the names of the options; SET is apart from it."""
        options = {
            "source.text": self.text,
            "source.label": self.label,
            "source.case": self.case,
            "source.rare": self.rare,
            "source.other": self.other,
            "source.test": self.test,
            "source.encoding": self.encoding,
            "source.group": self.group,
            "source.time": self.time,
        }
        return {name: value for name, value in options.items() if value} | dict(self.reading)

    @property
    def settings(self) -> str:
        """What is changed but for the seed: with it the model is another contestant of a study."""
        return assignments.without_seed(self._changes)

    @property
    def _changes(self) -> str:
        """What VECTORS and SET change, as SET would."""
        vectors = shlex.join([f"embed.vectors={self.vectors}"] if self.vectors else [])
        return _plain(f"{self.set} {vectors}".strip())

    @property
    def source_settings(self) -> str:
        """What the words say of the corpus's file, as SET would."""
        return _plain(shlex.join(f"{name}={value}" for name, value in self.source_options.items()))

    @property
    def corpus_settings(self) -> str:
        """What the words and SET say of the corpus, which makes other folds and subsets of it."""
        return f"{assignments.corpus_settings(self.set)} {self.source_settings}".strip()

    @property
    def folder(self) -> RunFolder:
        return RunFolder(loading.run_folder(self.corpus, self.model))

    @property
    def inputs(self) -> InputKind:
        """What the model takes."""
        return loading.input_of_model(self.model)

    @property
    def environment(self) -> dict[str, str]:
        """What the stages that train have in their environment: threads, where the user has named none.

        An operation of a network of texts takes half a millisecond at most. On two threads it is not done
        sooner, and its cost grows by a sixth, which the linear models and opponents beside it pay (MR,
        docstrings and ChnSentiCorp on two cores). Those of a network of images are shared among all cores.
        """
        takes_texts = self.inputs == "tokens"
        return {OPERATION_THREADS: os.environ.get(OPERATION_THREADS, "1")} if takes_texts else {}

    def load(self) -> Configuration:
        """Return all options, and write the digests of the code beside them.

        Raises InputError for options that cannot be, and for pretrained vectors that do not exist.
        """
        flags = self.source_options | ({"embed.vectors": self.vectors} if self.vectors else {})
        configuration = loading.load(self.corpus, self.model, self.set, flags)
        for vectors in configuration.embed.pretrained:
            vector_sources.files(vectors)
        record_first_place()
        write_code_digests(code_folder())
        return configuration

    def command(self, command: str, **changed: str) -> str:
        """Return the line that asks for the same again, or for what differs in some words."""
        texts = {
            "CORPUS": self.corpus,
            "TEXT": self.text,
            "LABEL": self.label,
            "CASE": self.case,
            "RARE": self.rare,
            "OTHER": self.other,
            "TEST": self.test,
            "GROUP": self.group,
            "TIME": self.time,
            "ENCODING": self.encoding,
            **{words.OF_READING[name].name: str(value) for name, value in self.reading.items()},
            "MODEL": self.model,
            "VECTORS": self.vectors,
            "SET": self.set,
        }
        return command_text(command, texts | changed)

    def described(self, folder: RunFolder, command: str) -> Request:
        """Return what a run is called, after the corpus, the model and what is changed, and its command."""
        is_of_study = folder.corpus.is_fold or folder.corpus.is_subset
        corpus = folder.corpus.path.name if is_of_study else _shown(self.corpus)
        is_long = len(self._changes) > MAX_SET_CHARACTERS
        changed = f"{self._changes[:MAX_SET_CHARACTERS]}…" if is_long else self._changes
        title = f"{corpus} {self.model} {changed}".strip()
        return Request(title=visible(title), command=_plain(command))


def _shown(corpus: str) -> str:
    """Return the corpus as a list of runs names it: of a file with its folder, as many are a `train.csv`."""
    is_file = not CORPORA.find(corpus)
    return str(Path(*Path(corpus).resolve().parts[-2:])) if is_file else corpus


def _plain(command: str) -> str:
    """Return words of a command with escapes for the bytes of a file's name that are not UTF-8."""
    return os.fsencode(command).decode("utf-8", "backslashreplace")
