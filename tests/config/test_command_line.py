"""The words of the command line, and what is said of them."""

from __future__ import annotations

import pytest

from pipeline import __version__
from pipeline.__main__ import main
from pipeline.config import words
from pipeline.config.command_line import command_help, overview, parse_words
from pipeline.config.words import COMMANDS
from pipeline.errors import InputError


def test_a_word_is_the_checked_value_or_its_default() -> None:
    given = parse_words("predict", ["INPUT=new.csv", "TOP=3", "ABSTAIN=0.8", "EVIDENCE=1", "SHARES=0"])
    assert (given[words.TOP], given[words.ABSTAIN], given[words.INPUT]) == (3, (0.8, "abstain"), "new.csv")
    assert (given[words.EVIDENCE], given[words.SHARES], given[words.HARMLESS]) == (True, False, False)
    assert (given[words.THREADS], given[words.FORM], given[words.MODEL]) == (None, "int16", "")
    assert given.texts == {"INPUT": "new.csv", "TOP": "3", "ABSTAIN": "0.8", "EVIDENCE": "1", "SHARES": "0"}


@pytest.mark.parametrize(
    "value", ["a=b", "two words", "new\nline", "-x", "--help=1", "it's", "$HOME", "\udcff"]
)
def test_a_value_may_hold_anything(value: str) -> None:
    assert parse_words("train", [f"LABEL={value}"])[words.LABEL] == value


def test_an_empty_word_is_as_none_but_for_lists_and_numbers_that_a_study_is_of() -> None:
    assert parse_words("predict", ["TOP=", "THREADS=", "MODEL="])[words.TOP] == 1
    assert parse_words("table", [])[words.CORPORA] is None
    assert parse_words("table", ["CORPORA="])[words.CORPORA] == []
    with pytest.raises(InputError, match="^FOLDS=: expected a whole number from 2 to 1000$"):
        parse_words("crossval", ["FOLDS="])


def test_of_a_word_that_is_given_twice_the_last_counts_as_for_make() -> None:
    assert parse_words("predict", ["TOP=2", "TOP=3"])[words.TOP] == 3


@pytest.mark.parametrize(
    ("command", "argument", "message"),
    [
        ("rollback", "CROPUS=mr", "rollback has no word 'CROPUS'; did you mean CORPUS? it takes CORPUS"),
        ("rollback", "corpus=mr", "rollback has no word 'corpus'; did you mean CORPUS? it takes CORPUS"),
        ("rollback", "--corpus", "rollback has no word '--corpus'; did you mean CORPUS? it takes CORPUS"),
        ("rollback", "CORPUS", "rollback: CORPUS has no value; expected CORPUS=..."),
        ("rollback", "mr", "rollback: 'mr' is no word; it takes CORPUS"),
        ("rollback", "TOP=3", "rollback has no word 'TOP'; it takes CORPUS"),
        ("send", "TOP=3", "send has no word 'TOP'; it takes none"),
        ("predict", "TOP=3.0", "TOP=3.0: expected a whole number from 1"),
        ("predict", "TOP=1_0", "TOP=1_0: expected a whole number from 1"),
        ("predict", "THREADS=1025", "THREADS=1025: expected a whole number from 1 to 1024"),
        ("tune", "BUDGET=10", "BUDGET=10: expected a time such as 90s, 10m or 1h30m"),
    ],
)
def test_what_a_command_does_not_take_is_one_line_with_what_it_takes(
    command: str, argument: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, argument]) == 2
    assert capsys.readouterr().err == f"convtext: {message}\n"


def test_a_command_that_there_is_not_is_one_line_with_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["trian"]) == 2
    assert capsys.readouterr().err.startswith(
        "convtext: no command 'trian'; did you mean 'train'? there are: "
    )


def test_what_an_environment_may_give_counts_where_the_command_line_gives_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("JOBS", "3")
    monkeypatch.setenv("MODEL", "others")
    assert parse_words("crossval", [])[words.JOBS] == 3
    assert parse_words("crossval", ["JOBS=2"])[words.JOBS] == 2
    assert parse_words("crossval", [])[words.MODEL] == ""
    monkeypatch.setenv("JOBS", "many")
    with pytest.raises(InputError, match="JOBS=many: expected a whole number from 1"):
        parse_words("crossval", [])


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_a_command_lists_its_words_within_80_columns(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ([name, "--help"], [name, "help"]):
        assert main(arguments) == 0
        assert capsys.readouterr().out == command_help(name) + "\n"
    lines = command_help(name).splitlines()
    assert max(map(len, lines)) <= 79
    assert all(any(line.startswith(f"  {word.name}=") for line in lines) for word in COMMANDS[name].words)


def test_the_overview_explains_each_word_once_within_80_columns() -> None:
    lines = overview().splitlines()
    assert max(map(len, lines)) <= 79
    assert len([line for line in lines if line.startswith("  CORPUS=")]) == 1


def test_the_version_is_printed_without_anything_else(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"convtext {__version__}\n"
