"""Configuration: YAML files and SET in, typed and checked options out. The only module that opens them."""

from __future__ import annotations

import difflib
import hashlib
import os
import pkgutil
import re
import shlex
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .. import models
from ..artifacts import build_folder
from ..errors import InputError
from ..images.folder import SUFFIXES
from ..options import IMAGE_FORMATS, Configuration, Input, InputKind, Section
from . import yaml_core

ROOT = Path(__file__).resolve().parents[2]
CORPORA = ROOT / "conf" / "corpora"
MODELS = ROOT / "conf" / "models"
CORPUS_KEYS = frozenset({"title", "seed", "source", "split", "tokenize"})
MODEL_KEYS = frozenset({"seed", "embed", "architecture", "network", "train", "ensemble", "published"})
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")  # a shell, make and a folder take it as it stands
NAMES = "a name is of letters, digits, `.`, `_` and `-`, and begins with a letter or digit"
LONGEST = 80  # characters shown of a value
DEFAULT_CORPUS: dict[InputKind, str] = {"tokens": "docstrings", "images": "digits"}
DEFAULT_MODEL: dict[InputKind, str] = {"tokens": "convtext", "images": "image_cnn"}
TAKEN = {"tokens": "texts", "images": "images"}
S = TypeVar("S", bound=Section)


def load(corpus: str, model: str, assignments: str, flags: dict[str, str]) -> Configuration:
    """The options of a corpus (a name in conf/corpora, or the path of a CSV, of a folder of images with one
    subfolder for each class, or of an npz) and a model.

    `assignments` is SET (`train.epochs=3 seed=7`); `flags` maps option names such as `source.text` to
    the values of TEXT=, LABEL=, TEST= and ENCODING=. Raises InputError that names the file or SET, the
    key, and the keys or values allowed.
    """
    if (CORPORA / f"{corpus}.yaml").is_file():
        values = _read_yaml(CORPORA / f"{corpus}.yaml", CORPUS_KEYS)
        source = values.get("source")
        if (
            flags
            and isinstance(source, dict)
            and (source.get("address") or source.get("format") in ("docstrings", "digits", "keras"))
        ):
            raise InputError(
                f"{_flag_name(next(iter(flags)))}= is for a CSV; {corpus} of conf/corpora needs none"
            )
    else:
        values = {"source": {"format": _format(corpus), "train": str(_corpus_file(corpus))}}
        of_csv = [key for key in flags if key != "source.test"]
        if of_csv and values["source"]["format"] in IMAGE_FORMATS:
            raise InputError(f"{_flag_name(of_csv[0])}= is for a CSV, and {corpus} has images")
    check_model(model)
    of_model = _read_yaml(MODELS / f"{model}.yaml", MODEL_KEYS)
    of_corpus_alone = values.keys() - of_model.keys()  # a seed may stand in either
    values |= of_model
    origins = {"": f"conf/corpora/{corpus}.yaml, conf/models/{model}.yaml"}
    origins |= dict.fromkeys(CORPUS_KEYS, f"conf/corpora/{corpus}.yaml")
    origins |= dict.fromkeys(MODEL_KEYS - of_corpus_alone, f"conf/models/{model}.yaml")
    settings = {key: (value, _flag_name(key)) for key, value in flags.items()}
    settings |= {key: (value, "SET") for key, value in _assignments(assignments).items()}
    for key, (value, origin) in settings.items():
        _assign(values, key, value)
        origins[key] = origin
    configuration = _validate(Configuration, values, origins, "")
    network = _validate(
        _network_options(configuration, origins), values.get("network", {}), origins, "network."
    )
    _check_input(corpus, model, configuration)
    return configuration.model_copy(update={"network": network.model_dump(mode="json")})


def resolved(corpus: str, model: str) -> tuple[str, str]:
    """The names of both, where either may be "": the built-in corpus that the model can be trained on, and
    the model that fits the corpus."""
    if not corpus:
        check_model(model or DEFAULT_MODEL["tokens"])
        corpus = DEFAULT_CORPUS[input_of_model(model) if model else "tokens"]
    return corpus, model or DEFAULT_MODEL[input_of_corpus(corpus)]


def input_of_model(model: str) -> InputKind:
    """What a model of conf/models takes."""
    values = _read_yaml(MODELS / f"{model}.yaml", MODEL_KEYS)
    kind: InputKind = models.architecture(str(values.get("architecture"))).INPUT
    return kind


def input_of_corpus(corpus: str) -> InputKind:
    """What the rows of a corpus are; a path says it by its name, whether or not it is still there."""
    path = CORPORA / f"{corpus}.yaml"
    source = _read_yaml(path, CORPUS_KEYS).get("source") if path.is_file() else {"format": _format(corpus)}
    of_images = isinstance(source, dict) and source.get("format") in IMAGE_FORMATS
    return "images" if of_images else "tokens"


def run_folder(corpus: str, model: str) -> Path:
    """data/build/<corpus>/<model>; a CSV's folder carries a hash of its whole path, so that two files of
    one name in different folders do not collide."""
    if (CORPORA / f"{corpus}.yaml").is_file():
        name = corpus
    else:
        path = Path(corpus).resolve()
        stem = re.sub(r"[^a-z0-9]+", "-", path.name.partition(".")[0].lower()).strip("-") or "corpus"
        name = f"{stem}-{hashlib.sha256(os.fsencode(path)).hexdigest()[:8]}"
    return build_folder() / name / model


def check_model(model: str) -> None:
    """Raise InputError for a model that conf/models does not have."""
    if model not in names(MODELS):
        raise InputError(f"no model {model!r} in conf/models; {_known(model, names(MODELS))}")


def check_corpus(corpus: str) -> None:
    """Raise InputError for a corpus that is neither in conf/corpora nor a file."""
    if corpus not in names(CORPORA):
        _corpus_file(corpus)


def of_corpus(assignments: str) -> str:
    """What in SET is about the corpus, and so in no model's file."""
    words = shlex.split(assignments)
    return shlex.join(word for word in words if re.split(r"[.=]", word)[0] in CORPUS_KEYS - MODEL_KEYS)


def without_seed(assignments: str) -> str:
    """What in SET makes another model, or another corpus, of the one that was named."""
    return shlex.join(word for word in shlex.split(assignments) if word.partition("=")[0] != "seed")


def names(folder: Path) -> list[str]:
    """What conf/corpora or conf/models offers."""
    return sorted(path.stem for path in folder.glob("[!.]*.yaml"))  # what begins with a point is half written


def identify(path: str) -> Input:
    """A file, or a folder with all that is in it, as it stands now. Raises InputError where there is none."""
    try:
        found = [Path(path), *Path(path).rglob("*")]
        status = [one.stat() for one in found]
    except OSError as error:
        raise InputError(f"{path}: {error.strerror.lower() if error.strerror else error}") from error
    return Input(
        path=str(Path(path).resolve()),
        bytes=sum(one.st_size for one in status),
        modified=max(one.st_mtime_ns for one in status),
    )


def read_stage(path: Path, options: type[S]) -> S:
    """The options that `configure` wrote for one stage."""
    try:
        return options.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise InputError(
            f"{path} is missing or not as `make` writes it: remove it and run `make` as before"
        ) from error


def _check_input(corpus: str, model: str, configuration: Configuration) -> None:
    """Raise InputError for a model of texts on a corpus of images, and the other way round."""
    takes: InputKind = models.architecture(configuration.architecture).INPUT
    has = configuration.source.input
    if takes != has:
        fitting = [name for name in names(MODELS) if input_of_model(name) == has]
        raise InputError(
            f"MODEL={model} takes {TAKEN[takes]}, and CORPUS={corpus} has {TAKEN[has]}: "
            f"name one of {', '.join(fitting)}"
        )
    if configuration.ensemble.ngrams and has == "images":
        raise InputError(f"ensemble.ngrams weighs in a model of texts, and CORPUS={corpus} has images")


def _format(corpus: str) -> str:
    """How the corpus at a path is read."""
    if corpus.endswith("/") or Path(corpus).is_dir():
        return "folder"
    return "npz" if Path(corpus).suffix.lower() == ".npz" else "csv"


def _corpus_file(corpus: str) -> Path:
    path = Path(corpus)
    if path.is_file() or any(one.suffix.lower() in SUFFIXES for one in path.glob("*/**/*")):
        if not corpus.isprintable():  # such as bytes that are not UTF-8, which no option can hold
            raise InputError(f"{corpus!r}: the file's name is not plain text: rename it")
        return path
    if path.suffix or "/" in corpus:
        what = "no such file"
        if path.exists():
            what = "not a CSV file, and no folder of png or jpg images in subfolders, one for each class"
        raise InputError(f"{corpus}: {what}")
    raise InputError(
        f"no corpus {corpus!r} in conf/corpora, and no such file; {_known(corpus, names(CORPORA))}; "
        "a CSV, an npz or a folder of images is named by its path"
    )


def _read_yaml(path: Path, allowed: frozenset[str]) -> dict[str, Any]:
    file = shown(path)
    if not NAME.fullmatch(path.stem):
        raise InputError(f"{file}: rename it: {NAMES}")
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
            raise InputError(f"{file}: no option {str(key)!r}; {_known(str(key), sorted(allowed))}")
    return values


def shown(path: Path) -> Path:
    """A file of the project, from its root on."""
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path


def _assignments(text: str) -> dict[str, Any]:
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise InputError(f"SET={text}: {_lower_first(str(error))}: expected key=value pairs") from error
    values: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise InputError(f'SET: {word!r} is not key=value, as in SET="train.epochs=3 seed=7"')
        if any(given == key or given.startswith(f"{key}.") for given in values):
            raise InputError(f"SET: {key} is given twice")
        try:
            values[key] = yaml_core.read(value)
        except yaml_core.NotYaml as error:
            raise InputError(f"SET: the value of {key} is not YAML: {_short(value)}: {error}") from error
    return values


def _assign(values: dict[str, Any], key: str, value: Any) -> None:
    *sections, last = key.split(".")
    for section in sections:
        inner = values.setdefault(section, {})
        values[section] = values = dict(inner) if isinstance(inner, dict) else {}
    values[last] = value


def _network_options(configuration: Configuration, origins: dict[str, str]) -> type[Section]:
    known = [module.name for module in pkgutil.iter_modules(models.__path__)]
    if configuration.architecture not in known:
        raise InputError(
            f"{_origin(origins, 'architecture')}: no architecture {configuration.architecture!r} in "
            f"pipeline/models; {_known(configuration.architecture, known)}"
        )
    options: type[Section] = models.architecture(configuration.architecture).Options
    return options


def _validate(options: type[S], values: Any, origins: dict[str, str], prefix: str) -> S:
    """Pydantic's first complaint as one line that names the file, the key and what is allowed."""
    try:
        return options.model_validate(values)
    except ValidationError as error:
        first, *others = _complaints(error, values)
        path = _path(first, values)
        key = prefix + ".".join(path)
        where = _origin(origins, key)
        if first["type"] == "extra_forbidden":
            allowed = _keys(options, prefix)
            raise InputError(f"{where}: no option {key!r}; {_known(key, allowed)}") from error
        if first["type"] == "value_error":
            message = first["msg"].removeprefix("Value error, ")
            raise InputError(f"{_origin_of_check(origins, message, key)}: {message}") from error
        also = [f" or {one['msg'].removeprefix('Input should be ')}" for one in others]
        expected = _lower_first(first["msg"]) + "".join(also)
        found = "" if first["type"] == "missing" else f", found {_short(first['input'])}"
        raise InputError(f"{where}: {key}: {expected}{found}") from error


def _complaints(error: ValidationError, values: Any) -> list[ErrorDetails]:
    """The first one, and where an option may be of several types, that of the type that got furthest, or
    all of those that got as far."""
    errors = error.errors()
    top = _path(errors[0], values)[:1]
    of_first = [one for one in errors if _path(one, values)[:1] == top]
    furthest = max(of_first, key=lambda one: len(_path(one, values)))
    return [one for one in of_first if _path(one, values) == _path(furthest, values)]


def _path(error: ErrorDetails, values: Any) -> list[str]:
    """The keys and places that lead to what is wrong. Pydantic also names the type that was tried."""
    path: list[str] = []
    for part in error["loc"]:
        there = part in values if isinstance(values, dict) else isinstance(part, int)
        if there:
            values = values[part]
        if there or error["type"] == "missing":
            path.append(str(part))
    return path


def _origin_of_check(origins: dict[str, str], message: str, section: str) -> str:
    """Of a check over several keys, which its message names: who set one of them by hand, else the file."""
    named = [_origin(origins, key) for key in re.findall(r"[a-z_]+(?:\.[a-z_]+)+", message)]
    by_hand = [origin for origin in named if not origin.startswith("conf/")]
    return [*by_hand, *named, _origin(origins, section.rstrip("."))][0]


def _origin(origins: dict[str, str], key: str) -> str:
    """Where a key, or a key below it, was set: by its full name, else by its section's file."""
    below = next((known for known in origins if known.startswith(f"{key}.")), None)
    if below:
        return origins[below]
    while key and key not in origins:
        key = key.rpartition(".")[0]
    return origins[key]


def _keys(options: type[BaseModel], prefix: str) -> list[str]:
    keys: list[str] = []
    for name, field in options.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            keys += _keys(inner, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys


def _known(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1) or difflib.get_close_matches(
        name, sorted({key.partition(".")[0] for key in known}), n=1
    )
    suggestion = f"did you mean {near[0]!r}? " if near else ""
    section = name.partition(".")[0] + "."
    shown = [key for key in known if key.startswith(section)]
    shown = shown or list(dict.fromkeys(key.partition(".")[0] for key in known))
    return f"{suggestion}there are: {', '.join(shown)}"


def _flag_name(key: str) -> str:
    return {"source.text": "TEXT", "source.label": "LABEL", "source.test": "TEST"}.get(key, "ENCODING")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
