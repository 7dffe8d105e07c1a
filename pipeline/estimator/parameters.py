"""The parameters of the estimator, which are the options of the YAML files without their sections."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np

from ..config.complaints import Origins, validate
from ..errors import InputError
from ..models import kim_cnn
from ..options import Embed, Ensemble, Positive, Section, Seed, Split, Tokenize, Train

NAME = "ConvtextClassifier"
_SECTIONED = re.compile(r"\b(source|split|tokenize|embed|network|train|ensemble)\.(?=[a-z])")


class General(Section):
    """What is in no section of the YAML files."""

    seed: Seed = 1
    memory: Positive | None = None
    mlflow: bool = False


class Parameters(NamedTuple):
    """All parameters, checked, by the section of the YAML files that they are in."""

    general: General
    split: Split
    tokenize: Tokenize
    embed: Embed
    network: kim_cnn.Options
    train: Train
    ensemble: Ensemble

    @classmethod
    def of_values(cls, values: Mapping[str, Any]) -> Parameters:
        """Check flat parameters. Raises InputError that names the parameter and what is allowed."""
        with flat_names():
            return cls._of_values(values)

    @classmethod
    def _of_values(cls, values: Mapping[str, Any]) -> Parameters:
        sections = cls.__annotations__
        types: dict[str, type[Section]] = {
            "general": General,
            "split": Split,
            "tokenize": Tokenize,
            "embed": Embed,
            "network": kim_cnn.Options,
            "train": Train,
            "ensemble": Ensemble,
        }
        origins = Origins({"": NAME})
        checked = {
            section: validate(
                types[section],
                {name: plain(values[name]) for name in types[section].model_fields if name in values},
                origins,
            )
            for section in sections
        }
        known = {name for section in types.values() for name in section.model_fields}
        if unknown := sorted(values.keys() - known):
            raise InputError(f"{NAME}: no parameter {unknown[0]!r}; there are: {', '.join(sorted(known))}")
        return cls(**checked)  # type: ignore[arg-type]


@contextmanager
def flat_names() -> Iterator[None]:
    """Have an InputError name options as the estimator does: `filters`, where YAML has `network.filters`."""
    try:
        yield
    except InputError as error:
        raise InputError(_SECTIONED.sub("", str(error))) from error


def plain(value: Any) -> Any:
    """Return a value as YAML has it: searches draw NumPy's numbers, and defaults are tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {name: plain(entry) for name, entry in value.items()}
    if isinstance(value, (tuple, list, np.ndarray)):
        return [plain(entry) for entry in value]
    return value
