from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.config import loading
from pipeline.config.conf_folders import ConfFolder
from pipeline.errors import InputError

CORPORA, MODELS = loading.CORPORA.names(), loading.MODELS.names()


def load(assignments: str = "", corpus: str = "docstrings", model: str = "kim-rand", **flags: str):
    return loading.load(corpus, model, assignments, {f"source.{key}": value for key, value in flags.items()})


@pytest.mark.parametrize("corpus", CORPORA)
def test_every_corpus_of_conf_is_valid_and_can_be_downloaded_or_is_built_in(corpus: str) -> None:
    source = load(corpus=corpus, model=loading.resolved(corpus, "")[1]).source
    built_in = source.format in ("docstrings", "digits", "keras")
    assert built_in or source.address or source.train
    for file in source.files.values():
        assert not source.address or len(file.sha256 or "") == 64


@pytest.mark.parametrize("model", MODELS)
def test_every_model_of_conf_is_valid_and_says_how_to_train_it(model: str) -> None:
    configuration = load(corpus=loading.resolved("", model)[0], model=model)
    assert configuration.network
    text = loading.model_file(model).read_text("utf-8")
    assert text.startswith("# ") and f"# make train MODEL={model}" in text


def test_the_four_variants_differ_in_channels_and_start_alone() -> None:
    variants = {name: load(model=name) for name in MODELS if name.startswith("kim-")}
    channels = {name: tuple(variant.network["channels"]) for name, variant in variants.items()}
    assert channels == {
        "kim-rand": ("tuned",),
        "kim-static": ("static",),
        "kim-nonstatic": ("tuned",),
        "kim-multichannel": ("static", "tuned"),
    }
    assert len({json.dumps(variant.train.model_dump()) for variant in variants.values()}) == 1


def test_set_overrides_the_files_with_typed_values() -> None:
    configuration = load(
        "train.epochs=3 seed=7 train.learning_rate=1e-3 network.windows=[2,3] tokenize.lowercase=false"
    )
    assert configuration.train.epochs == 3
    assert configuration.seed == 7
    assert configuration.train.learning_rate == 0.001
    assert configuration.network["windows"] == [2, 3]
    assert configuration.tokenize.lowercase is False


def test_vectors_whose_name_is_not_utf_8_stand_behind_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path / "data"))
    file = tmp_path / os.fsdecode(b"caf\xe9.txt")
    file.write_text("a 1 2")
    given = {"embed.vectors": f"corpus, {file},{tmp_path / 'plain.txt'}"}
    vectors = loading.load("docstrings", "kim-rand", "", given).embed.vectors
    assert vectors[::2] == ["corpus", str(tmp_path / "plain.txt")]
    assert vectors[1].encode() and Path(vectors[1]).read_text() == "a 1 2"


@pytest.mark.parametrize("key", ["text", "label", "group"])
def test_a_column_that_is_not_utf_8_is_an_error(key: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("review,stars\n")
    with pytest.raises(InputError, match=f"{key.upper()}=.*: not UTF-8"):
        load(corpus=str(tmp_path / "a.csv"), **{key: os.fsdecode(b"caf\xe9")})


def test_a_wrong_yaml_file_is_named_with_the_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "CORPORA", ConfFolder(tmp_path, new_files=tmp_path))
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
        ("title: a\nseed: 1\ntitle: b", "mine.yaml: line 3: not YAML: the key 'title' is there twice"),
        ("seed: 1" + "0" * 5000, "mine.yaml: not YAML: .*too long for a number"),
        ("title: !!timestamp x", "mine.yaml: line 1: not YAML"),
        ("seed: !!int abc", "mine.yaml: not YAML: a value is not what its tag says"),
        ("title: " + "[" * 3000, "mine.yaml: not YAML: nested too deeply"),
        ("seed: 1:30\nsource: {train: a.csv}", "mine.yaml: seed: .*valid integer, found '1:30'"),
        ("source: {format: digits, size: 3, train: 1}", "mine.yaml: source.train: "),
        ("source: {train: a.csv, size: 3}", "mine.yaml: source.size is for images"),
    ]:
        path.write_text(text + "\n")
        with pytest.raises(InputError, match=message):
            load(corpus="mine")
    path.write_bytes(b"title: caf\xe9\n")
    with pytest.raises(InputError, match="mine.yaml: byte 10 is not UTF-8"):
        load(corpus="mine")


@pytest.mark.parametrize("name", ["my best", "a:b", "a$b", "-a", "é"])
def test_a_file_of_conf_may_have_any_name(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{name}.yaml").write_text("architecture: kim_cnn\n")
    monkeypatch.setattr(loading, "MODELS", ConfFolder(tmp_path, new_files=tmp_path))
    assert load(model=name).architecture == "kim_cnn"


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
    folders = {loading.run_folder(str(tmp_path / name / "Re views.csv"), "kim-rand") for name in "ab"}
    assert len(folders) == 2
    assert all(folder.parent.name.startswith("re-views-") for folder in folders)
    assert loading.run_folder("mr", "kim-rand").parts[-3:] == ("build", "mr", "kim-rand")


def test_what_is_not_named_is_what_fits_the_other(tmp_path: Path) -> None:
    assert loading.resolved("", "") == ("docstrings", "convtext")
    assert loading.resolved("digits", "") == ("digits", "image_cnn")
    assert loading.resolved("", "alexnet") == ("digits", "alexnet")
    assert loading.resolved("", "kim-rand") == ("docstrings", "kim-rand")
    assert loading.resolved("some.npz", "")[1] == loading.resolved(f"{tmp_path}", "")[1] == "image_cnn"
    assert loading.resolved("gone.csv", "")[1] == "convtext"
    with pytest.raises(InputError, match="no model 'alexnett'"):
        loading.resolved("", "alexnett")


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
    with pytest.raises(InputError, match="no folder of images in subfolders, one for each class"):
        load(corpus=str(tmp_path / "images" / "cat"), model="dense")


def test_links_in_a_folder_are_what_they_lead_to_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "1.png").write_bytes(b"1")
    folder = tmp_path / "images\xa0of\u3000mine"
    folder.mkdir()
    (folder / "cat").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (folder / "broken.png").symlink_to(tmp_path / "none.png")
    assert load(corpus=str(folder), model="dense").source.format == "folder"
    first = loading.identify(str(folder))
    assert loading.identify(str(folder)) == first
    (tmp_path / "elsewhere" / "1.png").write_bytes(b"12")
    second = loading.identify(str(folder))
    assert second != first
    (folder / "broken.png").unlink()
    assert loading.identify(str(folder)) != second


def test_a_folder_is_another_one_when_anything_in_it_changed(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "0.png").write_bytes(b"1")
    first = loading.identify(str(tmp_path))
    assert loading.identify(str(tmp_path)) == first
    (tmp_path / "a" / "0.png").write_bytes(b"12")
    assert loading.identify(str(tmp_path)) != first


def test_out_of_scope_rows_are_for_any_corpus_of_texts() -> None:
    assert load(other="numpy").source.other == "numpy"  # built in, where other words are refused
    with pytest.raises(InputError, match="source.other is for texts, and this corpus has images"):
        load(corpus="digits", model="image_cnn", other="9")
