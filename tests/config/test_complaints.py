"""The wording of errors in options, as `load` raises them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import loading
from pipeline.config.complaints import Origins, show_value, suggest, validate
from pipeline.config.conf_folders import ConfFolder
from pipeline.errors import InputError
from pipeline.options import Configuration, InconsistentOptions, Section


def load(assignments: str = "", corpus: str = "docstrings", model: str = "kim-rand") -> Configuration:
    return loading.load(corpus, model, assignments, {})


@pytest.mark.parametrize(
    ("assignments", "message"),
    [
        (
            "train.epoch=3",
            "SET: no option 'train.epoch'; did you mean 'train.epochs'",
        ),
        ("train.epochs=three", "SET: train.epochs: input should be a valid integer, found 'three'"),
        ("train.epochs=3.5", "SET: train.epochs: .*found 3.5"),
        ("train.epochs=true", "SET: train.epochs: .*found True"),
        ("train.epochs=0", "SET: train.epochs: .*greater than or equal to 1"),
        ("train.optimizer=sgd", "SET: train.optimizer: input should be 'adadelta' or 'adam', found 'sgd'"),
        ("network.filter=5", "SET: no option 'network.filter'; did you mean 'network.filters'"),
        ("network.dropout=high", "SET: network.dropout: .*found 'high'"),
        ("split.test=1", "SET: split.test: "),
        ("train=3", "SET: train: "),
        ("nonsense", "SET: 'nonsense' is not key=value"),
        ("a='b", "SET=a='b: no closing quotation"),
        ("train.epochs=[", "SET: the value of train.epochs is not YAML"),
        ("architecture=resnet", "SET: no architecture 'resnet' in pipeline/models; .*there are: .*kim_cnn"),
        ("trian.epochs=3", "SET: no option 'trian'; did you mean 'train"),
        ("network.filters=[0,1,1]", "SET: network.filters.0: .*greater than or equal to 1, found 0$"),
        ("network.filters=many", "SET: network.filters: .* valid integer or a valid list, found 'many'$"),
        ("network.filters=0", "SET: network.filters: .*greater than or equal to 1.*, found 0$"),
        ("network.filters=[1,2]", "SET: network.filters must be one number, or as many"),
        ("network='{filters: [1,2]}'", "SET: network.filters must be one number, or as many"),
        ("network.channels=[static,static]", "SET: network.channels names a channel twice"),
        ("split.test=0.95", "SET: split.validation and split.test must be"),
        ("source.labels='{1: x}'", "SET: source.labels.1: input should be a valid string, found 1$"),
        ("seed=0b_", "SET: seed: input should be a valid integer, found '0b_'"),
        ("seed=0x_", "SET: seed: input should be a valid integer, found '0x_'"),
        ("seed=" + "1" * 5000, "SET: the value of seed is not YAML: '1{79}…: .*too long for a number$"),
        ("seed=" + "1" * 4000, "SET: seed: input should be less than 4294967296, found 1{80}…$"),
        ("seed='!!int abc'", "SET: the value of seed is not YAML: '!!int abc': "),
        ("title='!!timestamp x'", "SET: the value of title is not YAML: '!!timestamp x': "),
        ("title=" + "[" * 3000, "SET: the value of title is not YAML: .*nested too deeply$"),
        (
            "title='&a [*a]'",
            "SET: the value of title is not YAML: .*more than 100,000 values",
        ),
        ("train.batch_size=1:30", "SET: train.batch_size: .*valid integer, found '1:30'"),
        ("tokenize.lowercase=no", "SET: tokenize.lowercase: .*valid boolean, found 'no'"),
        ("seed=1 train.epochs=2 seed=1", "SET: seed is given twice"),
        ("train.epochs=2 train='{patience: 2}'", "SET: train is given twice"),
        ("train='{epochs: 3, epochs: 4}'", "SET: the value of train is not YAML: .*'epochs' is there twice"),
    ],
)
def test_a_wrong_option_is_one_line_that_names_it_and_what_is_allowed(assignments: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(assignments)
    assert "\n" not in str(caught.value)


def test_a_check_over_several_keys_blames_who_set_one_of_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(InputError, match="^SET: network.start: filter_bank needs"):
        load("network.start=filter_bank network.kernel=1", "digits", "image_cnn")
    with pytest.raises(InputError, match="^SET: source.size is for images"):
        load("source.size=3")
    monkeypatch.setattr(loading, "MODELS", ConfFolder(tmp_path, new_files=tmp_path))
    path = tmp_path / "mine.yaml"
    path.write_text("architecture: kim_cnn\nnetwork: {windows: [2, 3], filters: [8, 8, 8]}\n")
    with pytest.raises(InputError, match="^conf/models/mine.yaml: network.filters must be one number"):
        load("network.dropout=0.1", model="mine")
    with pytest.raises(InputError, match="^SET: network.filters must be one number"):
        load("network.filters=[8]", model="mine")


def test_an_inconsistency_that_names_no_option_is_of_its_section() -> None:
    class Options(Section):
        size: int = 0

        def model_post_init(self, context: object) -> None:
            raise ValueError("no size fits")

    origins = Origins({"": "conf/models/mine.yaml", "network.size": "SET"})
    with pytest.raises(InputError, match="^SET: no size fits$"):
        validate(Options, {}, origins, "network.")


def test_the_keys_of_an_inconsistency_say_who_set_one_by_hand() -> None:
    error = InconsistentOptions("they differ", "train.epochs", "seed")
    assert isinstance(error, ValueError)
    origins = Origins({"": "conf/corpora/a.yaml", "train": "conf/models/b.yaml", "seed": "SET"})
    assert origins.of_any(list(error.keys)) == "SET"
    assert origins.of_any(["train.epochs", "source.text"]) == "conf/models/b.yaml"
    assert origins.of("source.text") == "conf/corpora/a.yaml"


def test_the_nearest_name_is_suggested_and_those_of_its_section_listed() -> None:
    known = ["seed", "train.epochs", "train.patience"]
    assert (
        suggest("train.epoch", known)
        == "did you mean 'train.epochs'? there are: train.epochs, train.patience"
    )
    assert suggest("nothing", known) == "there are: seed, train"


def test_a_long_value_is_cut() -> None:
    assert show_value("a" * 90) == "'" + "a" * 79 + "…"
    assert show_value([1]) == "[1]"
