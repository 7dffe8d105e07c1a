from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.config import loading
from pipeline.config.conf_folders import ConfFolder
from pipeline.config.tuned_model import reserved, write_model
from pipeline.errors import InputError


def test_a_file_is_written_by_one_search_at_a_time(tmp_path: Path) -> None:
    path, other = tmp_path / "one.yaml", tmp_path / "other.yaml"
    with reserved(path), reserved(other):
        with (
            pytest.raises(InputError, match=r"another `make tune` is to write .*one.yaml: .*NAME="),
            reserved(path),
        ):
            pass
        write_model(path, {"architecture": "kim_cnn"}, "")
    with reserved(path):  # its own it may write over
        assert len(list(tmp_path.iterdir())) == 2  # that, and the mark
    assert list(tmp_path.iterdir()) == [path]


def test_a_model_that_was_written_by_hand_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text("# Mine.\narchitecture: kim_cnn\n")
    with (
        pytest.raises(InputError, match=r"mine.yaml was not written by `make tune`: .*NAME="),
        reserved(path),
    ):
        pass
    assert path.read_text() == "# Mine.\narchitecture: kim_cnn\n"


def test_a_place_that_cannot_be_written_to_is_named_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "one.yaml", tmp_path / f"{'a' * 250}.yaml"):
        with pytest.raises(InputError, match=r"yaml cannot be written: [a-z ]+$"), reserved(path):
            pass


def test_a_fault_within_is_no_fault_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="disk full"), reserved(tmp_path / "one.yaml"):
        assert ConfFolder(tmp_path, new_files=tmp_path).names() == []  # the mark is no model
        raise OSError("disk full")
    assert list(tmp_path.iterdir()) == []


def test_a_written_model_reads_back_equal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "MODELS", ConfFolder(tmp_path, new_files=tmp_path))
    values = {
        "seed": 3,
        "embed": {"vectors": ["corpus", "größe: [1].bin", "1e5", "no", "08"], "dimensions": 20},
        "architecture": "kim_cnn",
        "network": {"windows": [7], "max_norm": None, "channels": ["static"]},
        "train": {"learning_rate": 1e-05},
    }
    write_model(tmp_path / "one.yaml", values, "two\nlines: [")
    text = (tmp_path / "one.yaml").read_text("utf-8")
    assert text.startswith("# Written by `make tune`")
    assert "\n# two\n# lines: [\nseed: 3\n" in text
    assert "  windows: [7]\n  max_norm: null\n" in text
    loaded = loading.load("docstrings", "one", "", {})
    assert loaded.embed.vectors == values["embed"]["vectors"]
    assert (loaded.seed, loaded.network["max_norm"], loaded.train.learning_rate) == (3, None, 1e-05)
