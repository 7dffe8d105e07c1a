"""What changes the digest of a stage's code, on a package of toys and on the project itself."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline.graph import code_digest
from pipeline.graph.code_digest import OTHER_FILES, ROOT, STAGES, CodeDigests, _read_cache, write_code_digests

TOY = {
    "__init__.py": "from .loose import nothing",
    "loose.py": "",
    "stages/__init__.py": "",
    "stages/cut.py": """
from typing import TYPE_CHECKING
from .. import tools
from ..tools.saw import blade
if TYPE_CHECKING:
    from ..loose import Nothing
def run():
    from ..paint import brush
    import json
""",
    "tools/__init__.py": "",
    "tools/saw.py": "from . import oil\nfrom .metal import steel\nblade = 1",
    "tools/oil.py": "",
    "tools/metal.py": "import toy.forge",
    "forge.py": "from .stages import cut  # a circle",
    "paint/__init__.py": "brush = 2",
    "paint/never.py": "",
}


@pytest.fixture
def toy(tmp_path: Path) -> Path:
    for name, text in TOY.items():
        (tmp_path / "toy" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "toy" / name).write_text(text)
    return tmp_path / "toy"


def test_a_closure_follows_every_import_that_runs_and_no_other(toy: Path) -> None:
    assert CodeDigests(toy).closure("stages.cut") == {
        "stages.cut", "stages", "tools", "tools.saw", "tools.oil", "tools.metal", "forge", "paint",
    }  # fmt: skip


def edit(path: Path, change: Callable[[str], str]) -> None:
    """With another time, however coarse the file system's is."""
    path.write_text(change(path.read_text()))
    later = path.stat().st_mtime_ns + 10**9
    os.utime(path, ns=(later, later))


def test_wording_and_layout_change_no_digest_and_code_does(toy: Path) -> None:
    before = CodeDigests(toy).of_stage("stages.cut")
    docstring = '"""Saw, first of all."""\n\n'
    edit(
        toy / "tools" / "saw.py", lambda text: docstring + text.replace("blade = 1", "# sharp\nblade  = (1)")
    )
    edit(toy / "loose.py", lambda text: "nothing = None")
    assert CodeDigests(toy).of_stage("stages.cut") == before
    edit(toy / "tools" / "saw.py", lambda text: text.replace("(1)", "(3)"))
    assert CodeDigests(toy).of_stage("stages.cut") != before


def test_a_module_is_parsed_again_only_when_its_file_changed(toy: Path) -> None:
    digests = CodeDigests(toy)
    before = digests.of_stage("stages.cut")
    cached = {name: (entry[0], entry[1], "known", entry[3]) for name, entry in digests.cache.items()}
    assert CodeDigests(toy, dict(cached)).of_stage("stages.cut") != before
    edit(toy / "forge.py", lambda text: text + "\nfire = 1")
    again = CodeDigests(toy, dict(cached))
    again.of_stage("stages.cut")
    assert [name for name, entry in again.cache.items() if entry[2] != "known"] == ["forge"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of this package."""
    copy = tmp_path / "pipeline"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(code_digest, "ROOT", copy)
    return copy


def changed(project: Path, name: str, change: Callable[[str], str]) -> set[str]:
    """The digests that a change of one file changes."""

    def digests() -> dict[str, str]:
        write_code_digests(project.parent / "code")
        files = [path for path in (project.parent / "code").iterdir() if path.name != "cache.json"]
        return {path.name: path.read_text() for path in files}

    before = digests()
    edit(project / name, change)
    after = digests()
    return {name for name in before | after if before.get(name) != after.get(name)}


def add_line(text: str) -> str:
    return text + "\nADDED = 1\n"


def test_an_architecture_is_the_code_of_its_own_models_alone(project: Path) -> None:
    assert changed(project, "models/alexnet.py", add_line) == {"train-alexnet"}


def test_the_text_encoder_is_the_code_of_tokenize_and_of_what_follows(project: Path) -> None:
    stages = changed(project, "text/encoder.py", add_line)
    assert {"tokenize", "train-kim_cnn", "evaluate"} <= stages
    assert not stages & {"prepare", "make_fold", "assign_folds", "requirements"}


def test_the_report_s_template_is_code_of_evaluate(project: Path) -> None:
    assert changed(project, "review/report.html.j2", add_line) == {"evaluate"}


def test_words_of_the_command_line_are_code_of_no_stage(project: Path) -> None:
    for name in ("config/words.py", "config/command_line.py", "__main__.py", "__init__.py"):
        assert changed(project, name, add_line) == set()


def test_a_comment_in_any_module_and_a_docstring_change_nothing_and_write_nothing(project: Path) -> None:
    write_code_digests(project.parent / "code")
    before = {path: path.stat().st_mtime_ns for path in (project.parent / "code").iterdir()}
    for path in project.rglob("*.py"):
        edit(path, lambda text: text + "\n# a comment\n")
    assert changed(project, "networks/layers.py", lambda text: text.replace('"""', '"""Well: ', 1)) == set()
    after = {path: path.stat().st_mtime_ns for path in before}
    assert {path.name for path in before if before[path] != after[path]} == {"cache.json"}


def test_digests_that_are_cached_take_no_time(project: Path) -> None:
    write_code_digests(project.parent / "code")
    began = time.process_time()
    write_code_digests(project.parent / "code")
    assert time.process_time() - began < 0.5  # a tenth of it, on a machine that has nothing else to do


def test_no_import_and_no_file_is_hidden_from_the_digests() -> None:
    modules = {path.relative_to(ROOT): path.read_text() for path in ROOT.rglob("*.py")}
    dynamic = {
        str(path) for path, text in modules.items() if re.search(r"import_module\(|__import__\(", text)
    }
    # The package itself imports, for its callers, what no module of its own asks it for.
    own = {"__init__.py", "__main__.py", "compilation/build_kernels.py", "models/__init__.py"}
    # So do those of Spark, which runs no stage; and a store's library is none of the package's.
    own |= {"spark/__init__.py", "spark/convtext_label.py", "stores/filesystems.py"}
    assert dynamic == own
    processes = {str(path) for path, text in modules.items() if '"-m"' in text}
    assert processes == {
        "commands/dashboard.py",
        "compilation/build_kernels.py",
        "compilation/compile_kernels.py",
        "compilation/wheel.py",
        "graph/inner_make.py",
        "graph/stage_servers.py",
        "tracking/writer_client.py",
    }
    files = {
        path
        for path in ROOT.rglob("*")
        if path.is_file() and path.parent.name not in ("__pycache__", "prebuilt")
    }
    declared = {
        ROOT.joinpath(*module.split(".")).with_name(name)
        for module, names in OTHER_FILES.items()
        for name in names
    }
    assert {path for path in files if path.suffix != ".py"} == declared | {
        ROOT / "graph.mk",
        ROOT / "py.typed",
        ROOT / "serving" / "Dockerfile",  # which `pack` copies, and no stage
        ROOT / "serving" / "dockerignore",
    }


def test_each_stage_of_the_graph_has_a_digest_and_depends_on_it() -> None:
    rules = (ROOT / "graph.mk").read_text()
    called = set(re.findall(r"\(call STAGE,(\w+),", rules))
    assert called == {stage.rpartition(".")[2] for stage in STAGES}
    for targets in re.findall(
        r"^(\S.*:.*(?:\\\n.*)*)\n\t(?:export \w+=1; )?\$\(call STAGE,(\w+),", rules, re.M
    ):
        prerequisites, stage = targets
        assert f"$(CODE)/{stage}" in prerequisites


@pytest.mark.parametrize("damage", ["", "[]", "{}", "[" * 200_000, '{"version": [], "modules": 3}'])
def test_a_cache_that_is_damaged_is_made_anew(tmp_path: Path, damage: str) -> None:
    (tmp_path / "cache.json").write_text(damage)
    assert _read_cache(tmp_path / "cache.json", []) == {}
