from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import loading, yaml_core
from pipeline.config.conf_folders import ConfFolder
from pipeline.options import Configuration

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9)
)


def load(assignments: str = "", corpus: str = "docstrings", model: str = "kim-rand") -> Configuration:
    return loading.load(corpus, model, assignments, {})


def test_numbers_and_words_are_what_they_look_like(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By YAML 1.1 these would be 8, 90, true, false, a date and 1.
    assert load("train.epochs=010 seed=+7 title=2026-13-45").train.epochs == 10
    assert [load(f"title={word}").title for word in ("1:30", "2026-13-45", "0x1F")] == [
        "1:30", "2026-13-45", "0x1F",
    ]  # fmt: skip
    assert [load(f"train.learning_rate={rate}").train.learning_rate for rate in ("1e-3", "2E1", ".5")] == [
        0.001, 20.0, 0.5,
    ]  # fmt: skip
    monkeypatch.setattr(loading, "CORPORA", ConfFolder(tmp_path, new_files=tmp_path))
    (tmp_path / "mine.yaml").write_text("source: {train: a.csv, labels: {yes: positive, off: no}}\n")
    assert load(corpus="mine").source.labels == {"yes": "positive", "off": "no"}


def test_scalars_are_those_of_the_core_schema_of_yaml_1_2() -> None:
    text = "[~, null, '', True, 1, -01, +.5, 1e3, 0x1F, 1_000, yes, .inf, 2026-11-27, 12:30:45]"
    expected = [None, None, "", True, 1, -1, 0.5, 1000.0]
    assert yaml_core.read(text) == [*expected, "0x1F", "1_000", "yes", ".inf", "2026-11-27", "12:30:45"]
    assert yaml_core.read("") is None


@pytest.mark.parametrize(
    ("text", "problem", "line"),
    [
        ("a: 1\na: 2", "the key 'a' is there twice", 2),
        ("a: {", "expected the node content", 1),
        ("a: !!python/object:os.system 1", "could not determine a constructor", 1),
        ("[" * 3000, "nested too deeply", None),
        (BOMB, "more than 100,000 values, where an alias stands for all", None),
        ("a: &a {b: *a}", "more than 100,000 values", None),
        ("a: &a [*a]", "more than 100,000 values", None),
    ],
)
def test_anything_else_is_refused_with_its_line(text: str, problem: str, line: int | None) -> None:
    with pytest.raises(yaml_core.NotYaml, match=problem) as caught:
        yaml_core.read(text)
    assert caught.value.line == line


def test_what_is_written_reads_back_equal_and_lists_are_on_one_line() -> None:
    values = {"b": [1, 2.5, None], "a": {"no": "no", "1": "010", "float": "1e5"}, "text": "a: b # c"}
    text = yaml_core.write(values)
    assert yaml_core.read(text) == values
    assert text.startswith("b: [1, 2.5, null]\na:\n")


def test_ordinary_anchors_and_aliases_stand_for_their_values() -> None:
    text = "names: &names [a, b]\nothers: *names\nmore: {inner: *names}\n"
    assert yaml_core.read(text) == {"names": ["a", "b"], "others": ["a", "b"], "more": {"inner": ["a", "b"]}}
