"""What `make table` cross-validates and shows."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.errors import InputError
from pipeline.study_commands.table import pairs, write_tables
from tests.cross_validations import cross_validation
from tests.project import Project

LONG = "kim-multichannel-of-a-very-long-name"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    for model in (LONG, "kim-rand train.epochs=3 embed.dimensions=50"):
        save(tmp_path, "mr", model.split()[0], cross_validation(model, "mr", 0.7, 0.8).model_dump_json())
    return tmp_path


def save(data: Path, corpus: str, model: str, result: str) -> None:
    folder = data / "build" / corpus / "crossval" / f"{model}-10x1-seed1"
    folder.mkdir(parents=True)
    (folder / "options.json").touch()
    (folder / "crossval.json").write_text(result)


def test_a_model_is_chosen_by_its_name_however_long_and_whatever_set_made_of_it(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for chosen, other in (("kim-rand", LONG), (LONG, "kim-rand")):
        write_tables(None, [chosen])
        shown = capsys.readouterr().out
        assert f"| {chosen}" in shown
        assert other not in shown
    assert (data / "build" / "table.png").exists()


def test_a_result_of_an_earlier_version_is_left_out_and_named_where_it_was_asked_for(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(data, "mr", "kim-static", "{}")
    save(data, "cr", "kim-rand", "{}")
    for corpora, models, left_out in (
        (None, None, "cr/kim-rand-10x1-seed1, mr/kim-static-10x1-seed1"),
        (["mr"], None, "mr/kim-static-10x1-seed1"),
        (None, ["kim-rand"], "cr/kim-rand-10x1-seed1"),
        (["mr"], ["kim-rand"], ""),
    ):
        write_tables(corpora, models)
        shown = " ".join(capsys.readouterr().out.split())
        assert "| kim-rand train.epochs=3" in shown
        assert shown.partition("left out, as not written by this version: ")[2] == left_out
    with pytest.raises(InputError, match="no cross-validation .* left out, .*: cr/kim-rand-10x1-seed1$"):
        write_tables(["cr"], None)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["MODELS=kim-rnd"], "no model 'kim-rnd' in conf/models; did you mean 'kim-rand'?"),
        (["CORPORA=trecc"], "no corpus 'trecc' in conf/corpora, and no such file; did you mean 'trec'?"),
        (
            ["CORPORA=digits", "MODELS=kim-rand"],
            "no model fits a corpus: digits has images, and kim-rand takes texts",
        ),
    ],
)
def test_what_cannot_be_cross_validated_is_said_in_one_line(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["table", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"convtext: {said}")


def test_all_models_are_run_on_what_they_take_and_none_where_none_is_named() -> None:
    fitting = set(pairs(None, None))
    assert {("mr", "kim-rand"), ("digits", "image_cnn")} <= fitting
    assert not {("digits", "kim-rand"), ("docstrings", "kim-rand")} & fitting
    assert pairs([], ["kim-rand"]) == []


@pytest.mark.slow
def test_names_of_corpora_and_models_are_no_commands(project: Project, data: Path) -> None:
    for names in (
        "CORPORA=$(touch ran)",
        "MODELS=`touch ran`",
        'CORPORA="; touch ran; "',
        "MODELS='; touch ran; '",
    ):
        done = project.make(data, "table", names.replace("ran", str(data / "ran")))
        assert done.returncode == 2
        assert len(done.stderr.splitlines()[0]) > len("convtext: ")
        assert done.stderr.startswith("convtext: no ")
        assert not (data / "ran").exists()
