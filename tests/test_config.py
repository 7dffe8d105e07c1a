from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline import config
from pipeline.errors import InputError

CORPORA, MODELS = config.names(config.CORPORA), config.names(config.MODELS)


def load(assignments: str = "", corpus: str = "docstrings", model: str = "kim-rand", **flags: str):
    return config.load(corpus, model, assignments, {f"source.{key}": value for key, value in flags.items()})


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_corpus_of_conf_is_valid_and_can_be_downloaded_or_is_built_in(corpus: str) -> None:
    source = load(corpus=corpus, model=config.resolved(corpus, "")[1]).source
    built_in = source.format in ("docstrings", "digits", "keras")
    assert built_in or source.address or source.train
    for file in source.files.values():
        assert not source.address or len(file.sha256 or "") == 64


@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_conf_is_valid_and_says_how_to_train_it(model: str) -> None:
    configuration = load(corpus=config.resolved("", model)[0], model=model)
    assert configuration.network
    text = (config.MODELS / f"{model}.yaml").read_text("utf-8")
    assert text.startswith("# ") and f"# make train MODEL={model}" in text


def test_the_four_variants_differ_in_channels_and_start_alone() -> None:
    variants = {name: load(model=name) for name in MODELS if name.startswith("kim-")}
    channels = {name: tuple(one.network["channels"]) for name, one in variants.items()}
    assert channels == {
        "kim-rand": ("tuned",),
        "kim-static": ("static",),
        "kim-nonstatic": ("tuned",),
        "kim-multichannel": ("static", "tuned"),
    }
    assert len({json.dumps(one.train.model_dump()) for one in variants.values()}) == 1


def test_set_overrides_the_files_with_typed_values() -> None:
    configuration = load(
        "train.epochs=3 seed=7 train.learning_rate=1e-3 network.windows=[2,3] tokenize.lowercase=false"
    )
    assert configuration.train.epochs == 3
    assert configuration.seed == 7
    assert configuration.train.learning_rate == 0.001
    assert configuration.network["windows"] == [2, 3]
    assert configuration.tokenize.lowercase is False


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
    ],
)
def test_a_wrong_option_is_one_line_that_names_it_and_what_is_allowed(assignments: str, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        load(assignments)
    assert "\n" not in str(caught.value)


def test_a_wrong_yaml_file_is_named_with_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "CORPORA", tmp_path)
    path = tmp_path / "mine.yaml"
    for text, message in [
        (
            "source: {train: a.csv, colour: red}",
            "mine.yaml: no option 'source.colour'; .*there are: .*source.text",
        ),
        ("sauce: 1", "mine.yaml: no option 'sauce'; did you mean 'source'"),
        (
            "source: {encoding: 3, train: a.csv}",
            "mine.yaml: source.encoding: input should be a valid string, found 3",
        ),
        ("source: {format: csv}", "mine.yaml: source.train is missing"),
        ("source: {", "mine.yaml: line 2: not YAML"),
        ("- a", "mine.yaml: expected `key: value` lines"),
    ]:
        path.write_text(text + "\n")
        with pytest.raises(InputError, match=message):
            load(corpus="mine")
    path.write_bytes(b"title: caf\xe9\n")
    with pytest.raises(InputError, match="mine.yaml: byte 10 is not UTF-8"):
        load(corpus="mine")


def test_an_unknown_corpus_or_model_suggests_the_nearest() -> None:
    with pytest.raises(InputError, match="no corpus 'trek' in conf/corpora.*did you mean 'trec'"):
        load(corpus="trek")
    with pytest.raises(InputError, match="no model 'kim-random' in conf/models; did you mean 'kim-rand'"):
        load(model="kim-random")
    with pytest.raises(InputError, match="reviews.csv: no such file"):
        load(corpus="reviews.csv")
    with pytest.raises(InputError, match="not a CSV file"):
        load(corpus="./tests")


def test_the_columns_and_the_test_file_of_a_csv_come_from_the_command(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("review,stars\ngood,5\n")
    source = load(corpus=str(path), text="review", label="stars", test="held.csv", encoding="latin-1").source
    assert (source.text, source.label, source.encoding) == ("review", "stars", "latin-1")
    assert source.train and source.train.path == str(path)
    assert source.test and source.test.path == "held.csv"


def test_two_files_of_one_name_in_different_folders_have_folders_of_their_own(tmp_path: Path) -> None:
    folders = {config.run_folder(str(tmp_path / name / "Re views.csv"), "kim-rand") for name in "ab"}
    assert len(folders) == 2
    assert all(folder.parent.name.startswith("re-views-") for folder in folders)
    assert config.run_folder("mr", "kim-rand").parts[-3:] == ("build", "mr", "kim-rand")


@given(st.text(max_size=40))
def test_no_assignment_ends_in_anything_but_options_or_one_line(text: str) -> None:
    try:
        load(text)
    except InputError as error:
        assert "\n" not in str(error)


def test_what_is_not_named_is_what_fits_the_other(tmp_path: Path) -> None:
    assert config.resolved("", "") == ("docstrings", "convtext")
    assert config.resolved("digits", "") == ("digits", "image_cnn")
    assert config.resolved("", "alexnet") == ("digits", "alexnet")
    assert config.resolved("", "kim-rand") == ("docstrings", "kim-rand")
    assert config.resolved("some.npz", "")[1] == config.resolved(f"{tmp_path}", "")[1] == "image_cnn"
    assert config.resolved("gone.csv", "")[1] == "convtext"
    with pytest.raises(InputError, match="no model 'alexnett'"):
        config.resolved("", "alexnett")


def test_a_path_says_how_it_is_read(tmp_path: Path) -> None:
    (tmp_path / "some.npz").write_bytes(b"")
    (tmp_path / "images" / "cat").mkdir(parents=True)
    (tmp_path / "images" / "cat" / "1.JPG").write_bytes(b"")
    for name, form in (("some.npz", "npz"), ("images", "folder"), ("images/", "folder")):
        source = load(corpus=f"{tmp_path}/{name}", model="dense").source
        assert (source.format, source.input, source.text) == (form, "images", "path")
    assert load(corpus=str(tmp_path / "some.npz"), model="dense", test="held.npz").source.official == {"test"}
    with pytest.raises(InputError, match="LABEL= is for a CSV, and .*images has images"):
        load(corpus=str(tmp_path / "images"), model="dense", label="stars")
    with pytest.raises(InputError, match="takes texts, and .*: name one of alexnet, .*, image_cnn"):
        load(corpus=str(tmp_path / "images"))
    with pytest.raises(InputError, match="no folder of png or jpg images in subfolders, one for each class"):
        load(corpus=str(tmp_path / "images" / "cat"), model="dense")


def test_a_folder_is_another_one_when_anything_in_it_changed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_bytes(b"1")
    first = config.identify(str(tmp_path))
    assert config.identify(str(tmp_path)) == first
    (tmp_path / "a" / "0.png").write_bytes(b"12")
    assert config.identify(str(tmp_path)) != first
