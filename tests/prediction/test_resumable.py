"""Nothing under the final name until all is there, and a later pass goes on where an earlier one stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.files import atomic_write
from pipeline.prediction import resumable
from pipeline.prediction.resumable import Resumable

ROOT = Path(__file__).resolve().parents[2]
RECIPE = {"model": "a"}


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    return [tmp_path / "out.csv", tmp_path / "out.csv.rejects.csv"]


def names(paths: list[Path]) -> set[str]:
    return {path.name for path in paths[0].parent.iterdir()}


def interrupted(paths: list[Path], recipe: dict[str, str] | None = RECIPE) -> KeyboardInterrupt:
    """What comes of a pass that notes `one`, and `1` beside it, and breaks off behind some bytes more."""
    with pytest.raises(KeyboardInterrupt) as raised, Resumable(paths, recipe) as files:
        files.write([b"one", b"1"], None)
        files.save_checkpoint({"row": 1})
        files.write([b"two", b"2"], {"row": 2})
        raise KeyboardInterrupt
    return raised.value


def test_nothing_has_the_final_name_until_all_is_written(paths: list[Path]) -> None:
    paths[0].write_text("old")
    with Resumable(paths, RECIPE) as files:
        assert files.state is None
        files.write([b"one", b"1"], {"row": 1})
        files.save_checkpoint({"row": 1})
        assert paths[0].read_text() == "old" and not paths[1].exists()
        files.finish([True, True])
        assert [path.read_text() for path in paths] == ["one", "1"]
    assert names(paths) == {"out.csv", "out.csv.rejects.csv"}


def test_a_file_that_is_not_kept_is_removed_with_an_older_one_of_its_name(paths: list[Path]) -> None:
    paths[1].write_text("of an earlier pass")
    with Resumable(paths, RECIPE) as files:
        files.write([b"one", b"1"], {"row": 1})
        files.finish([True, False])
    assert names(paths) == {"out.csv"}


def test_the_next_pass_goes_on_behind_what_was_noted(paths: list[Path]) -> None:
    error = interrupted(paths)
    assert error.__notes__ == ["the same command goes on from there"]
    assert names(paths) == {"out.csv.partial", "out.csv.rejects.csv.partial", "out.csv.partial.json"}
    assert Path(f"{paths[0]}.partial").read_bytes() == b"onetwo"
    with Resumable(paths, RECIPE) as files:
        assert files.state == {"row": 1}
        files.write([b"2", b""], {"row": 2})
        files.finish([True, True])
    assert [path.read_text() for path in paths] == ["one2", "1"]
    assert names(paths) == {"out.csv", "out.csv.rejects.csv"}


def test_a_pass_that_is_interrupted_again_loses_nothing_of_the_first(paths: list[Path]) -> None:
    interrupted(paths)
    with pytest.raises(KeyboardInterrupt), Resumable(paths, RECIPE) as files:
        files.write([b"2", b""], {"row": 2})
        raise KeyboardInterrupt
    with Resumable(paths, RECIPE) as files:
        assert files.state == {"row": 1}
        files.finish([True, True])
    assert paths[0].read_text() == "one"


def test_an_interrupt_while_the_checkpoint_gets_its_name_loses_nothing(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def interrupted_behind_it(path: Path) -> Iterator[Path]:
        with atomic_write(path) as partial:
            yield partial
        raise KeyboardInterrupt

    monkeypatch.setattr(resumable, "atomic_write", interrupted_behind_it)
    error = interrupted(paths)
    assert error.__notes__ == ["the same command goes on from there"]
    with Resumable(paths, RECIPE) as files:
        assert files.state == {"row": 1}
        files.finish([True, True])
    assert [path.read_text() for path in paths] == ["one", "1"]


def test_another_recipe_starts_anew(paths: list[Path]) -> None:
    interrupted(paths)
    with Resumable(paths, {"model": "b"}) as files:
        assert files.state is None
        files.write([b"new", b"n"], {"row": 1})
        files.finish([True, True])
    assert [path.read_text() for path in paths] == ["new", "n"]


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"[]",
        b"[" * 200_000,
        b"null",
        b"\xff",
        b"{}",
        json.dumps({"recipe": RECIPE, "bytes": [3], "state": {"row": 1}}).encode(),
        json.dumps({"recipe": RECIPE, "bytes": [3, "x"], "state": {"row": 1}}).encode(),
        json.dumps({"recipe": RECIPE, "bytes": [3, -1], "state": {"row": 1}}).encode(),
        json.dumps({"recipe": RECIPE, "bytes": [3, 1], "state": None}).encode(),
        json.dumps({"recipe": RECIPE, "bytes": [3, 1]}).encode(),
    ],
)
def test_a_damaged_note_starts_anew(paths: list[Path], damage: bytes) -> None:
    interrupted(paths)
    Path(f"{paths[0]}.partial.json").write_bytes(damage)
    with Resumable(paths, RECIPE) as files:
        assert files.state is None
        files.write([b"new", b"n"], {"row": 1})
        files.finish([True, True])
    assert [path.read_text() for path in paths] == ["new", "n"]


def test_bytes_that_are_no_longer_there_start_anew(paths: list[Path]) -> None:
    interrupted(paths)
    Path(f"{paths[1]}.partial").write_bytes(b"")
    with Resumable(paths, RECIPE) as files:
        assert files.state is None
        files.finish([True, True])
    assert [path.read_text() for path in paths] == ["", ""]


def test_without_a_note_an_interruption_leaves_nothing(paths: list[Path]) -> None:
    with pytest.raises(KeyboardInterrupt) as raised, Resumable(paths, RECIPE) as files:
        files.write([b"one", b"1"], {"row": 1})
        raise KeyboardInterrupt
    assert not hasattr(raised.value, "__notes__")
    assert names(paths) == set()


def test_what_cannot_be_read_twice_is_not_noted(paths: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.prediction.resumable.CHECKPOINT_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt), Resumable(paths, None) as files:
        files.write([b"one", b"1"], {"row": 1})
        assert names(paths) == {"out.csv.partial", "out.csv.rejects.csv.partial"}
        raise KeyboardInterrupt
    assert names(paths) == set()


def test_notes_are_made_as_time_passes_and_never_of_what_nothing_goes_on_from(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.prediction.resumable.CHECKPOINT_SECONDS", 0)
    with pytest.raises(KeyboardInterrupt), Resumable(paths, RECIPE) as files:
        files.write([b"head", b""], None)
        assert not Path(f"{paths[0]}.partial.json").exists()
        files.write([b"one", b"1"], {"row": 1})
        note = json.loads(Path(f"{paths[0]}.partial.json").read_text())
        assert (note["bytes"], note["state"]) == ([7, 1], {"row": 1})
        raise KeyboardInterrupt


def test_an_interruption_behind_the_end_says_nothing_of_going_on(paths: list[Path]) -> None:
    interrupted(paths)
    with pytest.raises(KeyboardInterrupt) as raised, Resumable(paths, RECIPE) as files:
        files.finish([True, True])
        raise KeyboardInterrupt
    assert not hasattr(raised.value, "__notes__")
    assert names(paths) == {"out.csv", "out.csv.rejects.csv"}


def test_a_second_process_on_the_same_file_is_refused_and_harms_nothing(paths: list[Path]) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom pipeline.prediction.resumable import Resumable\n"
        "with Resumable([Path(path) for path in sys.argv[1:]], {}) as files:\n"
        "    files.write([b'theirs', b''], {})\n    print('open', flush=True)\n    sys.stdin.read()\n"
        "    files.finish([True, False])\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, *map(str, paths)], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as other:  # fmt: skip
        assert other.stdout and other.stdout.readline() == "open\n"
        before = names(paths)
        with pytest.raises(InputError, match=r"out.csv is being written by another process: wait for it"):
            Resumable(paths, RECIPE).__enter__()
        assert names(paths) == before
        other.communicate("")
        assert other.returncode == 0
    assert paths[0].read_text() == "theirs" and names(paths) == {"out.csv"}


@pytest.mark.parametrize("make_link", [Path.symlink_to, Path.hardlink_to])
@pytest.mark.parametrize("number", [0, 1])
def test_what_a_link_in_the_place_of_a_file_leads_to_is_not_written(
    paths: list[Path], make_link: Callable[[Path, Path], None], number: int
) -> None:
    victim = paths[0].with_name("victim.txt")
    victim.write_text("precious")
    make_link(Path(f"{paths[number]}.partial"), victim)
    before = names(paths)
    with pytest.raises(InputError, match=r"csv.partial is a link to another file, which would be lost"):
        Resumable(paths, RECIPE).__enter__()
    assert victim.read_text() == "precious" and names(paths) == before


def test_a_link_in_the_place_of_the_checkpoint_is_replaced(paths: list[Path]) -> None:
    victim = paths[0].with_name("victim.txt")
    victim.write_text("precious")
    Path(f"{paths[0]}.partial.json").symlink_to(victim)
    with Resumable(paths, RECIPE) as files:
        files.write([b"one", b"1"], None)
        files.save_checkpoint({"row": 1})
        files.finish([True, True])
    assert victim.read_text() == "precious"
    assert names(paths) == {"out.csv", "out.csv.rejects.csv", "victim.txt"}
