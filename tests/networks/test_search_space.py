"""The spaces that networks and their training leave to a search."""

from __future__ import annotations

import importlib

from pipeline.networks import search_space as spaces
from pipeline.networks.search_space import Choice, Range
from pipeline.options import Train


def test_values_are_as_a_person_would_write_them() -> None:
    assert Range(0.0, 0.7).rounded(0.123456) == 0.12
    assert Range(1e-4, 1e-2, log=True).rounded(0.00123456) == 0.0012
    rounded = Range(50, 400, log=True).rounded(137)
    assert rounded == 140
    assert isinstance(rounded, int)


def test_a_space_is_widened_by_what_it_does_not_have() -> None:
    assert Range(50, 400).including(8) == Range(8, 400)
    assert Range(50, 400).including(100) == Range(50, 400)
    assert Choice(([1], [2])).including([2]) == Choice(([1], [2]))
    assert Choice((None, 3.0)).including(1.5) == Choice((None, 3.0, 1.5))


def network_space(architecture: str, random_vectors: bool = False, **network: object) -> spaces.Space:
    module = importlib.import_module(f"pipeline.models.{architecture}")
    found: spaces.Space = module.search_space(module.Options(**network), random_vectors)
    return found


def test_the_space_of_kims_network_is_that_of_its_docstring() -> None:
    ranges = {
        "windows": Choice(
            (
                *([1], [2], [3], [4], [5], [6], [7]),
                *([1, 2, 3], [2, 3, 4], [3, 4, 5], [4, 5, 6], [5, 6, 7]),
            )
        ),
        "filters": Range(50, 400, log=True),
        "dropout": Range(0.0, 0.7),
        "embedding_dropout": Range(0.0, 0.5),
        "max_norm": Choice((None, 1.5, 3.0, 6.0)),
    }
    channels = {
        "channels": Choice((["static"], ["tuned"], ["static", "tuned"])),
        "combination": Choice(("shared", "separate", "concatenated")),
    }
    assert network_space("kim_cnn", random_vectors=True) == ranges
    assert network_space("kim_cnn", random_vectors=False) == ranges | channels
    fixed = network_space("kim_cnn", random_vectors=True, windows=[3, 4, 5], filters=[50, 100, 50])
    assert fixed == {key: one for key, one in ranges.items() if key not in ("windows", "filters")}


def test_the_spaces_of_image_networks_are_their_sizes_dropout_and_augmentation() -> None:
    common = {
        "dropout": Range(0.0, 0.7),
        "augmentation.shift": Range(0.0, 0.2),
        "augmentation.flip": Choice((False, True)),
    }
    assert network_space("image_cnn") == common | {"convolutions": Choice((1, 2))}
    assert network_space("alexnet") == common | {"response_normalization": Choice((False, True))}
    sizes = Choice(([256], [512], [1024], [512, 512], [1024, 1024]))
    assert network_space("dense") == common | {"hidden": sizes}


def test_batch_sizes_and_learning_rates_are_searched_whatever_the_network() -> None:
    assert spaces.training_space(Train()) == {
        "batch_size": Choice((25, 50, 100)),
        "learning_rate": Range(0.1, 3.0, log=True),
    }
    assert spaces.training_space(Train(optimizer="adam"))["learning_rate"] == Range(1e-4, 1e-2, log=True)
