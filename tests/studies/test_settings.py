"""Settings that a search may change, and the options that they make."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

from pipeline import models
from pipeline.config.stage_options import TrainOptions
from pipeline.errors import InputError
from pipeline.networks.search_space import Choice
from pipeline.options import Ensemble, Train
from pipeline.studies.settings import current_settings, search_space, with_settings


def options(**network: object) -> TrainOptions:
    return TrainOptions(
        model="one",
        architecture="kim_cnn",
        network=network,
        train=Train(),
        ensemble=Ensemble(),
        seed=1,
    )


@pytest.mark.parametrize("architecture", [module.name for module in pkgutil.iter_modules(models.__path__)])
@pytest.mark.parametrize("random_vectors", [True, False])
def test_all_that_an_architecture_leaves_to_a_search_is_valid(
    architecture: str, random_vectors: bool
) -> None:
    network = importlib.import_module(f"pipeline.models.{architecture}").Options().model_dump(mode="json")
    start = options().model_copy(update={"architecture": architecture, "network": network})
    found = search_space(start, random_vectors)
    assert {"train.batch_size", "train.learning_rate"} <= set(found)
    assert with_settings(start, current_settings(start, found)) == start
    for key, one in found.items():
        for value in one.values if isinstance(one, Choice) else (one.low, one.high):
            assert current_settings(with_settings(start, {key: value}), found)[key] == value


def test_a_setting_of_a_section_within_the_network_leaves_the_rest_and_the_start_as_they_were() -> None:
    module = importlib.import_module("pipeline.models.image_cnn")
    network = module.Options(augmentation={"rotation": 5.0}).model_dump(mode="json")
    start = options().model_copy(update={"architecture": "image_cnn", "network": network})
    changed = with_settings(start, {"network.augmentation.shift": 0.1, "network.dropout": 0.2})
    assert changed.network["augmentation"] == {"shift": 0.1, "flip": False, "rotation": 5.0}
    assert changed.network["dropout"] == 0.2
    assert start.network["augmentation"] == {"shift": 0.0, "flip": False, "rotation": 5.0}


def test_channels_are_searched_unless_the_vectors_are_random() -> None:
    start = options(filters=100)
    channels = {"network.channels", "network.combination"}
    assert (
        search_space(start, random_vectors=False).keys() - search_space(start, random_vectors=True)
        == channels
    )


def test_filters_that_were_chosen_window_by_window_stay() -> None:
    found = search_space(options(filters=[50, 100, 50]), random_vectors=True)
    assert not {"network.windows", "network.filters"} & set(found)


def test_a_setting_that_the_options_refuse_is_an_input_error() -> None:
    with pytest.raises(InputError, match="greater than or equal to 1"):
        with_settings(options(), {"train.batch_size": 0})
    with pytest.raises(InputError, match="less than 1"):
        with_settings(options(), {"network.dropout": 1.0})
