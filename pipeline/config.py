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

import yaml
from pydantic import BaseModel, ValidationError

from pipeline import models
from pipeline.artifacts import build_folder, whole
from pipeline.errors import InputError
from pipeline.images import SUFFIXES
from pipeline.options import IMAGE_FORMATS, Configuration, Input, InputKind, Section

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ROOT / "conf" / "corpora"
MODELS = ROOT / "conf" / "models"
CORPUS_KEYS = frozenset({"title", "seed", "source", "split", "tokenize"})
MODEL_KEYS = frozenset({"seed", "embed", "architecture", "network", "train", "ensemble", "published"})
WRITTEN = "# Written by `make tune`"
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
    values |= _read_yaml(MODELS / f"{model}.yaml", MODEL_KEYS)
    origins = {"": f"conf/corpora/{corpus}.yaml, conf/models/{model}.yaml"}
    origins |= dict.fromkeys(CORPUS_KEYS, f"conf/corpora/{corpus}.yaml")
    origins |= dict.fromkeys(MODEL_KEYS, f"conf/models/{model}.yaml")
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
    words = [word for word in shlex.split(assignments) if word.split(".")[0] in CORPUS_KEYS - MODEL_KEYS]
    return shlex.join(words)


def without_seed(assignments: str) -> str:
    """What in SET makes another model, or another corpus, of the one that was named."""
    return shlex.join(word for word in shlex.split(assignments) if word.partition("=")[0] != "seed")


def check_replaceable(path: Path) -> None:
    """Raise InputError for a model's file that `write_model` did not write."""
    if path.exists() and not path.read_bytes().startswith(WRITTEN.encode()):
        raise InputError(
            f"{_shown(path)} was not written by `make tune`: give the winner another name by NAME="
        )


def write_model(path: Path, values: dict[str, Any], header: str) -> None:
    """A model's YAML below a header of comments; nothing is written over that was written by hand."""
    check_replaceable(path)
    comments = "".join(f"# {line}\n" for line in header.splitlines())
    text = yaml.dump(values, Dumper=_ListsOnOneLine, sort_keys=False, allow_unicode=True, width=100)
    with whole(path) as partial:
        partial.write_text(f"{WRITTEN}; the next one may write over it.\n{comments}{text}", "utf-8")


class _ListsOnOneLine(yaml.SafeDumper):
    def represent_sequence(
        self, tag: str, sequence: Any, flow_style: bool | None = None
    ) -> yaml.SequenceNode:
        return super().represent_sequence(tag, sequence, flow_style=True)


def names(folder: Path) -> list[str]:
    """What conf/corpora or conf/models offers."""
    return sorted(path.stem for path in folder.glob("*.yaml"))


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
    shown = _shown(path)
    try:
        values = yaml.safe_load(path.read_text("utf-8"))
    except UnicodeDecodeError as error:
        raise InputError(f"{shown}: byte {error.start} is not UTF-8: save the file as UTF-8") from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark else ""
        raise InputError(f"{shown}: {line}not YAML: {getattr(error, 'problem', error)}") from error
    if not isinstance(values, dict):
        raise InputError(f"{shown}: expected `key: value` lines; the keys are {', '.join(sorted(allowed))}")
    for key in values:
        if key not in allowed:
            raise InputError(f"{shown}: no option {str(key)!r}; {_known(str(key), sorted(allowed))}")
    return values


def _shown(path: Path) -> Path:
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
        try:
            values[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"SET: the value of {key} is not YAML: {value!r}") from error
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
        first = error.errors()[0]
        key = prefix + ".".join(str(part) for part in first["loc"])
        where = _origin(origins, key)
        if first["type"] == "extra_forbidden":
            allowed = _keys(options, prefix)
            raise InputError(f"{where}: no option {key!r}; {_known(key, allowed)}") from error
        if first["type"] == "value_error":
            raise InputError(f"{where}: {first['msg'].removeprefix('Value error, ')}") from error
        found = "" if first["type"] == "missing" else f", found {first['input']!r}"
        raise InputError(f"{where}: {key}: {_lower_first(first['msg'])}{found}") from error


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


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:]
