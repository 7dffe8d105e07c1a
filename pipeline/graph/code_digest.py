"""Digests of the code that each stage runs, so that Make redoes a stage where its code changed in effect.

A digest is over the syntax trees, docstrings left out, of the stage's module and of all that it imports,
however indirectly: another wording, comment or layout changes none.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import json
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

from ..files import sha256, sha256_of, write_changed_text, write_json

ROOT = Path(__file__).parents[1]
# The stages of the graph. Those of the line are followed by each other through their files.
STAGES = (
    "stages.prepare",
    "stages.tokenize",
    "stages.baseline",
    "stages.embed",
    "stages.train",
    "stages.evaluate",
    "study_stages.assign_folds",
    "study_stages.make_fold",
    "study_stages.compare_folds",
    "study_stages.make_subset",
    "study_stages.compare_sizes",
)
# What no import statement shows: a process that packs the model, and a file that is no Python. The process
# runs beside `train` as well, but nothing that is trained depends on it. `train` runs one architecture.
UNSEEN_IMPORTS = {"stages.evaluate": ["tracking.writer_process"]}
OTHER_FILES = {"review.page": ["report.html.j2"], "card.model_card": ["model_card.md.j2"]}


@dataclass(frozen=True)
class Module:
    """The digest of a module's syntax tree, and the names that it may import from its package."""

    digest: str
    imports: list[str]


class CodeDigests:
    """The modules of a package as they are when first asked for, parsed unless a cache knows them so."""

    def __init__(self, root: Path, cache: dict[str, tuple[int, int, str, list[str]]] | None = None) -> None:
        self.root = root
        self.cache = cache if cache is not None else {}
        self._modules: dict[str, Module | None] = {}

    def of_stage(self, *stages: str) -> str:
        """Return one digest of all code that modules run, by their names from the package on."""
        modules = sorted(self.closure(*stages))
        digests = [f"{name} {module.digest}" for name in modules if (module := self._module(name))]
        files = [self._path(name).with_name(file) for name in modules for file in OTHER_FILES.get(name, [])]
        return sha256_of([*digests, *map(sha256, files)])

    def closure(self, *names: str) -> set[str]:
        """Return the names of modules and of all modules of the package that they import."""
        reached, waiting = set[str](), [*names]
        while waiting:
            name = waiting.pop()
            if name and name not in reached and (module := self._module(name)):
                reached.add(name)
                waiting += [*module.imports, *UNSEEN_IMPORTS.get(name, [])]
        return reached

    def _path(self, name: str) -> Path:
        path = self.root.joinpath(*name.split("."))
        return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")

    def _module(self, name: str) -> Module | None:
        """Return what a name stands for, None if it is no module; most names are asked for many times."""
        if name not in self._modules:
            path = self._path(name)
            self._modules[name] = self._read(name, path) if path.exists() else None
        return self._modules[name]

    def _read(self, name: str, path: Path) -> Module:
        status = path.stat()
        stamp = status.st_mtime_ns, status.st_size
        known = self.cache.get(name)
        if known is None or tuple(known[:2]) != stamp:
            package = name if path.name == "__init__.py" else name.rpartition(".")[0]
            parsed = _parse(path, stamp, f"{self.root.name}.{package}".rstrip("."))
            known = self.cache[name] = (*stamp, parsed.digest, parsed.imports)
        return Module(known[2], known[3])


@cache  # a process may have several data folders, each with a cache of its own
def _parse(path: Path, stamp: tuple[int, int], package: str) -> Module:
    """Return what a file of a package holds, which was changed last at that time and has that size."""
    tree = ast.parse(path.read_text("utf-8"))
    return Module(_digest(tree), sorted(set(_imports(tree, package))))


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield what may be modules of the package, relative to its root, wherever they are imported."""
    root = package.partition(".")[0]
    for node in _running(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package)
            names = [source, *(f"{source}.{alias.name}" for alias in node.names)]
        yield from (name.removeprefix(f"{root}.") for name in names if name.startswith(f"{root}."))


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield the nodes of a tree but for those that only a type checker sees."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _running(node)


def _digest(tree: ast.Module) -> str:
    """Return a digest of a syntax tree without its docstrings."""
    return hashlib.sha256(ast.dump(_WithoutDocstrings().visit(tree)).encode()).hexdigest()


class _WithoutDocstrings(ast.NodeTransformer):
    """Drop the statements that are a string and nothing else."""

    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else node


def write_code_digests(folder: Path) -> None:
    """Write a file for each stage, `train-<architecture>` for training, and `requirements`."""
    cache = folder / "cache.json"
    version = [sys.version, sha256(Path(__file__))]
    digests = CodeDigests(ROOT, _read_cache(cache, version))
    before = json.dumps(digests.cache)
    for stage in STAGES:
        name = stage.rpartition(".")[2]
        architectures = [path.stem for path in (ROOT / "models").glob("[!_]*.py")] if name == "train" else []
        for architecture in architectures:
            digest = digests.of_stage(stage, f"models.{architecture}")
            write_changed_text(folder / f"{name}-{architecture}", digest)
        if not architectures:
            write_changed_text(folder / name, digests.of_stage(stage))
    write_changed_text(folder / "requirements", _requirements())
    if json.dumps(digests.cache) != before:
        write_json(cache, {"version": version, "modules": digests.cache})


def _read_cache(path: Path, version: list[str]) -> dict[str, tuple[int, int, str, list[str]]]:
    try:
        cache = json.loads(path.read_text("utf-8"))
        return dict(cache["modules"]) if cache["version"] == version else {}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return {}


def _requirements() -> str:
    """Return the digest of the lock that was installed; without one, the versions of what is required."""
    locks = sorted(Path(sys.prefix).glob("requirements*.lock"))
    if locks:
        return sha256(locks[0])
    versions = []
    for requirement in importlib.metadata.requires("convtext") or []:
        name = re.split(r"[^\w.-]", requirement, maxsplit=1)[0]
        with suppress(importlib.metadata.PackageNotFoundError):  # of another platform, or an extra
            versions.append(f"{name} {importlib.metadata.version(name)}")
    return "\n".join(versions)
