"""Configuration: YAML files and SET in, typed and checked options out; no other module opens the files."""

from __future__ import annotations

import os
import pkgutil
from pathlib import Path
from typing import Any

from .. import models
from ..artifacts import build_folder
from ..environment.moved_data import lasting_path
from ..errors import InputError
from ..images.folder import SUFFIXES, files_below
from ..options import IMAGE_FORMATS, Configuration, InputKind, Section
from ..stores.remote_file import check_local
from ..terminal import visible
from . import assignments as settings
from . import names
from .assignments import CORPUS_KEYS, MODEL_KEYS
from .complaints import Origins, suggest, validate
from .conf_folders import CORPORA, MODELS, shown_path
from .stage_options import Input
from .words import WORD_OF_OPTION

DEFAULT_CORPUS: dict[InputKind, str] = {"tokens": "docstrings", "images": "digits"}
DEFAULT_MODEL: dict[InputKind, str] = {"tokens": "convtext", "images": "image_cnn"}
OPTIONS_OF_FILE = WORD_OF_OPTION.keys() - {"source.case", "source.rare", "source.other", "embed.vectors"}
TAKEN = {"tokens": "texts", "images": "images"}


def load(corpus: str, model: str, assignments: str, flags: dict[str, Any]) -> Configuration:
    """Return the options of a corpus and a model.

    `corpus` is a name in conf/corpora, or the path of a CSV, of a folder of images with one subfolder for
    each class, or of an npz. `assignments` is SET (`train.epochs=3 seed=7`); `flags` maps the names of the
    options that have a word of their own, such as `source.text`, to their values.

    Raises InputError that names the file or the word, the key, and the keys or values allowed.
    """
    values = _corpus_values(corpus, flags)
    model_values = _read_yaml(model_file(model), MODEL_KEYS)
    of_corpus_alone = values.keys() - model_values.keys()  # a seed may be in either file
    values |= model_values
    origins = {"": f"conf/corpora/{corpus}.yaml, conf/models/{model}.yaml"}
    origins |= dict.fromkeys(CORPUS_KEYS, f"conf/corpora/{corpus}.yaml")
    origins |= dict.fromkeys(MODEL_KEYS - of_corpus_alone, f"conf/models/{model}.yaml")
    given = {key: (_plain(key, value), WORD_OF_OPTION[key]) for key, value in flags.items()}
    given |= {key: (value, "SET") for key, value in settings.parse(assignments).items()}
    for key, (value, origin) in given.items():
        settings.assign(values, key, value)
        origins[key] = origin
    configuration = validate(Configuration, values, Origins(origins))
    network_options = _network_options(configuration, Origins(origins))
    network = validate(network_options, values.get("network", {}), Origins(origins), "network.")
    _check_input(corpus, model, configuration)
    if "embed.vectors" in flags and configuration.source.input == "images":
        raise InputError(f"VECTORS= is for texts, and CORPUS={corpus} has images")
    return configuration.model_copy(update={"network": network.model_dump(mode="json")})


def _plain(key: str, value: Any) -> Any:
    """Return the value of an option in UTF-8, as it is written to a file: paths may hold other bytes.

    Raises InputError for any other value that does.
    """
    if key == "source.test":
        return names.plain_path(value)
    if key == "embed.vectors":
        paths = map(str.strip, value.split(","))
        return ",".join(names.plain_path(path) if Path(path).exists() else path for path in paths)
    try:
        str(value).encode()
    except UnicodeEncodeError as error:
        message = f"{WORD_OF_OPTION[key]}={value}: not UTF-8, as all but the names of files have to be"
        raise InputError(message) from error
    return value


def _corpus_values(corpus: str, flags: dict[str, Any]) -> dict[str, Any]:
    """Return the options that the corpus's file, or its path, gives."""
    of_file = [WORD_OF_OPTION[key] for key in flags if key in OPTIONS_OF_FILE]
    if file := CORPORA.find(corpus):
        values = _read_yaml(file, CORPUS_KEYS)
        source = values.get("source")
        built_in = isinstance(source, dict) and (
            source.get("address") or source.get("format") in ("docstrings", "digits", "keras")
        )
        if of_file and built_in:
            raise InputError(f"{of_file[0]}= is for a CSV; {corpus} of conf/corpora needs none")
        return values
    form, path = _format(corpus), _corpus_file(corpus)
    columns = [key for key in flags if key in OPTIONS_OF_FILE - {"source.test"}]
    if columns and form in IMAGE_FORMATS:
        raise InputError(f"{WORD_OF_OPTION[columns[0]]}= is for a CSV, and {corpus} has images")
    return {"source": {"format": form, "train": names.plain_path(str(path))}}


def resolved(corpus: str, model: str) -> tuple[str, str]:
    """Return the names of both, where either may be "".

    They are then the built-in corpus that the model can be trained on, and the model that fits the corpus.
    """
    if not corpus:
        check_model(model or DEFAULT_MODEL["tokens"])
        corpus = DEFAULT_CORPUS[input_of_model(model) if model else "tokens"]
    return corpus, model or DEFAULT_MODEL[input_of_corpus(corpus)]


def input_of_model(model: str) -> InputKind:
    """Return the kind of input that a model of conf/models takes."""
    values = _read_yaml(model_file(model), MODEL_KEYS)
    kind: InputKind = models.architecture(str(values.get("architecture"))).INPUT
    return kind


def input_of_corpus(corpus: str) -> InputKind:
    """Return the kind of a corpus's rows; a path shows it by its name, whether or not it still exists."""
    path = CORPORA.find(corpus)
    source = _read_yaml(path, CORPUS_KEYS).get("source") if path else {"format": _format(corpus)}
    is_images = isinstance(source, dict) and source.get("format") in IMAGE_FORMATS
    return "images" if is_images else "tokens"


def run_folder(corpus: str, model: str) -> Path:
    """Return data/build/<corpus>/<model>, where the corpus and the model have names that Make can take."""
    name = names.conf_name(corpus) if CORPORA.find(corpus) else names.file_name(Path(corpus))
    return build_folder() / name / names.conf_name(model)


def check_model(model: str) -> None:
    """Raise InputError for a model that is not in conf/models."""
    model_file(model)


def model_file(model: str) -> Path:
    """Return the YAML file of a model. Raises InputError for one that is not in conf/models."""
    file = MODELS.find(model) if model in MODELS.names() else None
    if not file:
        raise InputError(f"no model {model!r} in conf/models; {suggest(model, MODELS.names())}")
    return file


def check_corpus(corpus: str) -> None:
    """Raise InputError for a corpus that is neither in conf/corpora nor a file."""
    if corpus not in CORPORA.names():
        _corpus_file(corpus)


def identify(path: str) -> Input:
    """Return size and time of a file, or of a folder with all that is in it.

    Raises InputError where there is none.
    """
    check_local(path)
    named = Path(path)
    files = list(files_below(named)) if named.is_dir() else []
    folders = {file.parent for file in files}  # a file that is renamed changes its folder alone
    try:
        status = [named.stat(), *(_status(file) for file in (*files, *folders))]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror.lower() if error.strerror else error}") from error
    return Input(
        path=visible(str(lasting_path(Path(path)))),
        bytes=sum(file.st_size for file in status),
        modified=max(file.st_mtime_ns for file in status),
    )


def _status(file: Path) -> os.stat_result:
    """Return what a file or a link leads to; of a link that leads nowhere, what it is itself."""
    return file.stat() if file.exists() else file.lstat()


def _check_input(corpus: str, model: str, configuration: Configuration) -> None:
    """Raise InputError for a model of texts on a corpus of images, or the reverse."""
    takes: InputKind = models.architecture(configuration.architecture).INPUT
    has = configuration.source.input
    if takes != has:
        fitting = [name for name in MODELS.names() if input_of_model(name) == has]
        raise InputError(
            f"MODEL={model} takes {TAKEN[takes]}, and CORPUS={corpus} has {TAKEN[has]}: "
            f"name one of {', '.join(fitting)}"
        )
    if configuration.ensemble.ngrams and has == "images":
        raise InputError(f"ensemble.ngrams weighs in a model of texts, and CORPUS={corpus} has images")


def _format(corpus: str) -> str:
    """Return the format of the corpus at a path, by its name."""
    if corpus.endswith("/") or Path(corpus).is_dir():
        return "folder"
    return "npz" if Path(corpus).suffix.lower() == ".npz" else "csv"


def _corpus_file(corpus: str) -> Path:
    check_local(corpus)
    path = Path(corpus)
    if path.is_file() or (path.is_dir() and _has_images(path)):
        return path
    if path.suffix or "/" in corpus:
        problem = "no such file"
        if path.exists():
            problem = "not a CSV file, and no folder of images in subfolders, one for each class"
        raise InputError(f"{corpus}: {problem}")
    raise InputError(
        f"no corpus {corpus!r} in conf/corpora, and no such file; {suggest(corpus, CORPORA.names())}; "
        "a CSV, an npz or a folder of images is named by its path"
    )


def _has_images(folder: Path) -> bool:
    files = (file for file in files_below(folder) if file.parent != folder)
    return any(file.suffix.lower() in SUFFIXES for file in files)


def _read_yaml(path: Path, allowed: frozenset[str]) -> dict[str, Any]:
    from . import yaml_core  # here, as a prediction reads no YAML

    file = shown_path(path)
    try:
        values = yaml_core.read(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: byte {error.start} is not UTF-8: save the file as UTF-8") from error
    except yaml_core.NotYaml as error:
        line = f"line {error.line}: " if error.line else ""
        raise InputError(f"{file}: {line}not YAML: {error}") from error
    if not isinstance(values, dict):
        raise InputError(f"{file}: expected `key: value` lines; the keys are {', '.join(sorted(allowed))}")
    for key in values:
        if key not in allowed:
            raise InputError(f"{file}: no option {str(key)!r}; {suggest(str(key), sorted(allowed))}")
    return values


def _network_options(configuration: Configuration, origins: Origins) -> type[Section]:
    known = [module.name for module in pkgutil.iter_modules(models.__path__)]
    if configuration.architecture not in known:
        raise InputError(
            f"{origins.of('architecture')}: no architecture {configuration.architecture!r} in "
            f"pipeline/models; {suggest(configuration.architecture, known)}"
        )
    options: type[Section] = models.architecture(configuration.architecture).Options
    return options
