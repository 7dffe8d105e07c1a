"""Settings of a network and its training: dotted keys with values, {"network.windows": [3, 4, 5]}."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import getitem
from typing import Any

from pydantic import ValidationError

from ..config.stage_options import TrainOptions
from ..errors import InputError
from ..models import architecture
from ..networks import search_space as spaces
from ..networks.search_space import Space

Settings = Mapping[str, Any]


def search_space(options: TrainOptions, random_vectors: bool) -> Space:
    """Return the space of the architecture, if it has one, and that of the training."""
    module = architecture(options.architecture)
    network: Space = {}
    if hasattr(module, "search_space"):
        network = module.search_space(module.Options(**options.network), random_vectors)
    training = spaces.training_space(options.train)
    return {f"network.{key}": values for key, values in network.items()} | {
        f"train.{key}": values for key, values in training.items()
    }


def current_settings(options: TrainOptions, space: Space) -> Settings:
    """Return the values that the options have at the keys of a space."""
    values = options.model_dump()
    return {key: reduce(getitem, key.split("."), values) for key in space}


def with_settings(options: TrainOptions, settings: Settings) -> TrainOptions:
    """Return the options with other values at some keys, checked as a YAML's are.

    Raises InputError for a value that the options do not allow.
    """
    values = options.model_dump()
    for key, value in settings.items():
        *sections, last = key.split(".")
        reduce(getitem, sections, values)[last] = value
    try:
        architecture(options.architecture).Options.model_validate(values["network"])
        return TrainOptions.model_validate(values)
    except ValidationError as error:
        raise InputError(str(error.errors()[0]["msg"])) from error
