"""The inner make, with rules of its own in place of the graph's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from pipeline.artifacts import CorpusFolder
from pipeline.errors import InputError, StageFailed
from pipeline.graph import inner_make
from pipeline.graph.inner_make import Goal, make, make_side_by_side

ROOT = Path(__file__).resolve().parents[2]
RULES = """
ok%:
\t@echo made $@; touch $(CORPUS_DIR)/$@
fails:
\t@echo "convtext: no such thing" >&3; exit 2
killed:
\t@kill -KILL $$$$
aborted:
\t@kill -ABRT $$$$
crashed:
\t@kill -SEGV $$$$
served:
\t@: -m pipeline stage train x, -m pipeline stage evaluate x
\t@"$$CONVTEXT_PYTHON" -c "$$CRASH"; exit 137
interrupted:
\t@exit 130
slow:
\t@trap 'echo cleared up >&3; exit 130' TERM; \\
\t  touch $(CORPUS_DIR)/began; for i in $$(seq 200); do sleep 0.05; done
variables:
\t@echo "$(RUN)|$(CROSSVAL)|$(PACKAGE)|$$GIVEN"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CorpusFolder:
    (tmp_path / "rules of mine.mk").write_text(RULES)
    monkeypatch.setattr(inner_make, "RULES", tmp_path / "rules of mine.mk")
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    return CorpusFolder(tmp_path)


def test_what_stages_print_is_shown_and_a_goal_that_is_reached_says_nothing(
    folder: CorpusFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    make(Goal(folder, ("ok1", "ok2")), jobs=2)
    shown = capfd.readouterr()
    assert sorted(shown.out.splitlines()) == ["made ok1", "made ok2"]
    assert shown.err == ""


def test_a_stage_that_failed_has_said_why_once_and_make_adds_nothing(
    folder: CorpusFolder, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(StageFailed) as failure:
        make(Goal(folder, ("fails", "slow")), jobs=1)
    assert failure.value.code == 2
    assert capfd.readouterr().err == "convtext: no such thing\n"


def test_what_make_itself_cannot_do_is_shown(folder: CorpusFolder, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(StageFailed):
        make(Goal(folder, ("nothing",)))
    assert "No rule to make target 'nothing'" in capfd.readouterr().err


@pytest.mark.parametrize("remedy", ["", "; JOBS=1 needs less"])
def test_a_stage_that_was_killed_is_one_line_with_the_remedy(
    folder: CorpusFolder, remedy: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="a stage was killed, most likely as memory ran out") as failure:
        list(make_side_by_side([Goal(folder, ("killed",))], remedy=remedy))
    assert str(failure.value).endswith(f"goes on where it was{remedy}")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("how", ["aborted", "crashed"])
def test_a_stage_that_a_library_ended_is_one_line(
    folder: CorpusFolder, how: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match="a stage crashed, perhaps as memory ran out"):
        make(Goal(folder, (how,)))
    assert capfd.readouterr().err == ""


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="finds the server by Linux's /proc")
def test_a_server_of_stages_that_crashes_has_its_stage_crash(folder: CorpusFolder) -> None:
    """As of a stage without a server, whose signal make sees; the stage's own process has an exit code."""
    crash = f"""
import os, signal, time
from pathlib import Path
def is_server(process):
    try:
        parent = process.joinpath("stat").read_text().rpartition(")")[2].split()[1]
        command = process.joinpath("cmdline").read_text()
    except OSError:  # it has ended meanwhile
        return False
    return parent == "{os.getpid()}" and "\\0serve\\0" in command and "\\0train\\0" in command
found = []
while not found:
    found = [process for process in Path("/proc").glob("[1-9]*") if is_server(process)]
os.kill(int(found[0].name), signal.SIGSEGV)
while found[0].joinpath("stat").read_text().rpartition(")")[2].split()[0] != "Z":
    time.sleep(0.01)
"""
    with pytest.raises(InputError, match="a stage crashed, perhaps as memory ran out"):
        make(Goal(folder, ("served",), {"CRASH": crash}))


def test_a_stage_that_was_interrupted_alone_ends_all_with_the_code_of_an_interrupt(
    folder: CorpusFolder,
) -> None:
    with pytest.raises(StageFailed) as failure:
        make(Goal(folder, ("interrupted",)))
    assert failure.value.code == 130


def test_goals_are_reached_side_by_side_and_after_a_failure_none_is_begun(folder: CorpusFolder) -> None:
    goals = [Goal(folder, (name,)) for name in ("ok1", "fails", "ok2", "ok3")]
    reached = []
    with pytest.raises(StageFailed):
        for goal in make_side_by_side(goals):
            reached += goal.targets
    assert reached == ["ok1"]
    assert not (folder.path / "ok3").exists()
    assert {goal.targets for goal in make_side_by_side([goals[0], *goals[2:]], at_once=3)} == {
        ("ok1",), ("ok2",), ("ok3",),
    }  # fmt: skip


def test_an_outer_make_and_the_environment_name_no_goal(
    folder: CorpusFolder, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("RUN", "CROSSVAL", "MAKEFLAGS", "MAKELEVEL"):
        monkeypatch.setenv(name, "n" if name == "MAKEFLAGS" else "7")
    make(Goal(folder, ("variables",), {"GIVEN": "1"}))
    assert capfd.readouterr().out == "||pipeline|1\n"


def test_a_stage_of_no_graph_ends_with_the_command_that_is_killed(folder: CorpusFolder) -> None:
    """The stage reads its options from a pipe that stays open."""
    os.mkfifo(folder.tokenize_options)
    program = textwrap.dedent(f"""
        from pathlib import Path
        from pipeline.graph.inner_make import run_stage
        run_stage("tokenize", Path({str(folder.path)!r}))
    """)
    command = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    with folder.tokenize_options.open("wb"):  # once the stage reads
        command.kill()
        _, errors = command.communicate(timeout=30)
    assert "convtext: tokenize was interrupted" in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_of_the_command_alone_reaches_the_stage_which_clears_up(
    folder: CorpusFolder, number: signal.Signals
) -> None:
    program = textwrap.dedent(f"""
        import signal, sys
        from pathlib import Path
        from pipeline.artifacts import CorpusFolder
        from pipeline.errors import StageFailed
        from pipeline.graph import inner_make
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        inner_make.RULES = Path({str(inner_make.RULES)!r})
        try:
            inner_make.make(inner_make.Goal(CorpusFolder(Path({str(folder.path)!r})), ("slow",)))
        except StageFailed as error:
            sys.exit(error.code)
    """)
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    deadline = time.monotonic() + 30
    while not (folder.path / "began").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "cleared up\n")
