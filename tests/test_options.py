from __future__ import annotations

import pytest
from pydantic import ValidationError

from pipeline.options import Embed, InconsistentOptions, Source, Split, Train, derived_seed


def test_a_path_alone_is_a_file_without_a_checksum() -> None:
    source = Source.model_validate({"train": "a.csv", "test": {"path": "b.csv", "sha256": "0"}})
    assert [(part, file.path, file.sha256) for part, file in source.files.items()] == [
        ("train", "a.csv", None),
        ("test", "b.csv", "0"),
    ]
    assert source.official == {"test"}
    assert source.input == "tokens"


def test_images_are_predicted_by_the_column_of_their_paths() -> None:
    assert Source.model_validate({"format": "npz", "train": "a.npz"}).text == "path"
    assert Source.model_validate({"format": "npz", "train": "a.npz", "text": "file"}).text == "file"
    assert Source.model_validate({"format": "keras", "dataset": "mnist"}).official == {"test"}


@pytest.mark.parametrize(
    ("options", "values", "keys"),
    [
        (Source, {}, ("source.train",)),
        (Source, {"train": "a.csv", "dataset": "mnist"}, ("source.dataset", "source.format")),
        (Source, {"train": "a.csv", "size": 3}, ("source.size",)),
        (Split, {"validation": 0.5, "test": 0.5}, ("split.validation", "split.test")),
    ],
)
def test_values_that_do_not_fit_together_name_their_options(
    options: type[Source] | type[Split], values: dict[str, object], keys: tuple[str, ...]
) -> None:
    with pytest.raises(ValidationError) as caught:
        options.model_validate(values)
    cause = caught.value.errors()[0]["ctx"]["error"]
    assert isinstance(cause, InconsistentOptions)
    assert cause.keys == keys


def test_one_set_of_vectors_is_written_as_it_was_and_named_files_are_read() -> None:
    embed = Embed.model_validate({"vectors": "glove.txt"})
    assert embed.vectors == embed.pretrained == ["glove.txt"]
    assert embed.model_dump()["vectors"] == "glove.txt"
    assert Embed.model_validate({"vectors": ["corpus", "random"]}).model_dump()["vectors"] == [
        "corpus",
        "random",
    ]
    assert Embed.model_validate({"vectors": "glove.txt, corpus,a,"}).vectors == ["glove.txt", "corpus", "a"]
    assert Embed().pretrained == []


def test_class_weights_change_the_criterion() -> None:
    assert Train().criterion == "accuracy"
    assert Train(class_weights="balanced").criterion == "macro_f1"


def test_no_two_runs_share_a_seed_of_their_networks() -> None:
    seeds = [derived_seed(seed, number) for seed in range(1001) for number in range(10)]
    assert seeds[::10] == [*range(1001)]  # a run of one network is that of its seed
    assert len(set(seeds)) == len(seeds) and min(seeds) >= 0 and max(seeds) < 2**32
    assert 0 <= derived_seed(2**32 - 1, 9) < 2**32
