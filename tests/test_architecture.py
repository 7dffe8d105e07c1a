"""The rules of the house: what may import what, and what has one home."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from importlib.util import resolve_name
from pathlib import Path

import pytest

from pipeline.__main__ import STAGES, TRACKED, VERBS

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "pipeline").rglob("*.py"))
}
# MLflow's rooms: the store in use, runs as they are recorded, and sent later, and found again, models as they
# are packed, what is run where they are served, and which of them is the champion.
MLFLOW = {
    "pipeline.tracking.store",
    "pipeline.tracking.writer_process",
    "pipeline.tracking.mlflow_calls",
    "pipeline.release.find",
    "pipeline.tracking.package",
    "pipeline.tracking.mlflow_model",
    "pipeline.tracking.served_model",
    "pipeline.release.registry",
}
VERB_MODULES = {verb: f"pipeline.{'stages' if verb in STAGES else 'commands'}.{verb}" for verb in VERBS}


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text("utf-8"))


def package(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def imports(module: str) -> set[str]:
    """Every module that is imported anywhere in it, whole names."""
    found: set[str] = set()
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            source = resolve_name("." * node.level + (node.module or ""), package(module))
            found |= {source} | {f"{source}.{alias.name}" for alias in node.names}
    return found


def own_imports(module: str) -> set[str]:
    return (imports(module) & set(MODULES)) - {module}


def closure(module: str) -> set[str]:
    reached, waiting = set[str](), [module]
    while waiting:
        current = waiting.pop()
        if current not in reached:
            reached.add(current)
            waiting += own_imports(current)
    return reached


def importers(library: str) -> set[str]:
    return {
        module
        for module in MODULES
        if any(name == library or name.startswith(f"{library}.") for name in imports(module))
    }


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_a_module_that_says_what_it_reads_and_runs(verb: str) -> None:
    body = tree(VERB_MODULES[verb])
    functions = {node.name for node in body.body if isinstance(node, ast.FunctionDef)}
    assert {"add_arguments", "run"} <= functions
    assert ast.get_docstring(body)


def test_no_module_imports_a_verb() -> None:
    verbs = set(VERB_MODULES.values())
    assert {module: own_imports(module) & verbs for module in MODULES if own_imports(module) & verbs} == {}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward_without_a_circle(module: str) -> None:
    reached = set().union(*(closure(below) for below in own_imports(module)))
    assert module not in reached


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("yaml", {"pipeline.config.yaml_core"}),
        ("tensorflow", {"pipeline.networks.backend"}),
        ("keras", {"pipeline.networks.backend"}),
        ("numba", {"pipeline.compiled", "pipeline.prediction.llvm_maximum"}),
        ("mlflow", MLFLOW),
        ("gensim", {"pipeline.text.learned_vectors"}),
        ("pooch", {"pipeline.corpus.download"}),
        ("matplotlib", {"pipeline.review.style"}),
        ("fasttext", {"pipeline.baselines.fasttext"}),
        ("optuna", {"pipeline.studies.search"}),
        ("PIL", {"pipeline.images.file"}),
        ("jinja2", {"pipeline.review.page"}),
    ],
)
def test_a_library_is_imported_in_its_one_home(library: str, home: set[str]) -> None:
    assert importers(library) == home


def test_texts_and_images_differ_by_methods_and_not_by_checks_of_their_class() -> None:
    classes = {"TextEncoder", "ImageEncoder", "ByteEncoder", "Sequences", "Images"}

    def checks(module: str) -> list[str]:
        calls = [node for node in ast.walk(tree(module)) if isinstance(node, ast.Call)]
        names = {"isinstance", "issubclass", "type"}
        return [
            ast.unparse(call)
            for call in calls
            if isinstance(call.func, ast.Name)
            and call.func.id in names
            and classes & {node.id for node in ast.walk(call) if isinstance(node, ast.Name)}
        ]

    assert {module: found for module in MODULES if (found := checks(module))} == {}


def test_networks_are_compiled_and_fitted_by_the_trainer_alone() -> None:
    def trains(module: str) -> bool:
        return any(
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and (node.func.attr, keyword.arg) in {("compile", "optimizer"), ("fit", "epochs")}
            for node in ast.walk(tree(module))
            for keyword in getattr(node, "keywords", [])
        )

    assert {module for module in MODULES if trains(module)} == {"pipeline.networks.trainer"}


def test_artifacts_are_named_in_one_module() -> None:
    def file_names(module: str) -> set[str]:
        texts = [node.value for node in ast.walk(tree(module)) if isinstance(node, ast.Constant)]
        return {text for text in texts if isinstance(text, str) and re.fullmatch(r"[a-z_]+\.[a-z]+", text)}

    own = {
        name for name in file_names("pipeline.artifacts") if name.endswith(("json", "parquet", "npz", "csv"))
    }
    assert "rows.parquet" in own
    # The classifier's folder is one artifact; what lies in it is the classifier's own.
    others = {module: file_names(module) & own for module in MODULES if module != "pipeline.artifacts"}
    others["pipeline.prediction.classifier"] -= {"text_encoder.json"}
    assert {module: names for module, names in others.items() if names} == {}


@pytest.mark.parametrize("verb", ["configure", "prepare", "tokenize", "baseline", "embed", "predict"])
def test_a_stage_that_needs_neither_tensorflow_nor_mlflow_starts_without_them(verb: str) -> None:
    heavy = "{'tensorflow', 'keras', 'mlflow', 'gensim'}"
    code = f"import sys, {VERB_MODULES[verb]}; print(*{heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_the_process_that_records_is_started_for_the_stages_that_record_runs() -> None:
    assert {verb for verb in VERBS if "pipeline.tracking.run" in closure(VERB_MODULES[verb])} == set(TRACKED)


@pytest.mark.parametrize("verb", TRACKED)
def test_a_stage_that_is_tracked_leaves_mlflow_to_the_process_that_records(verb: str) -> None:
    assert not closure(VERB_MODULES[verb]) & MLFLOW


def test_help_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys\nfrom pipeline.__main__ import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "print([name for name in ('numpy', 'pandas', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(verb in done.stdout for verb in VERBS)


def makefile_rules() -> dict[str, tuple[set[str], set[str]]]:
    """Verb -> the verbs that make its prerequisites, and the modules that its rule names."""
    text = (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " ")
    # A prerequisite that images do without is a variable: with texts, what it stands for.
    for name, file in re.findall(r"^(\w+) := \$\(if \$\(wildcard [^,]*\),(.*)\)$", text, re.M):
        text = text.replace(f"$({name})", file)
    everywhere = re.search(r"^everywhere := (.*)$", text, re.M)
    assert everywhere
    found = re.findall(r"^(\S+): (.*)\n\t(?:\w+=\w+ )?\$\(call STAGE,(\w+) ", text, re.M)
    makers = {target: verb for target, _, verb in found}
    rules = {}
    for _, needs, verb in found:
        listed = " ".join(re.findall(r"\$\(call code,([^)]*\)?[^)]*)\)", needs))
        listed = listed.replace("$(everywhere)", everywhere[1])
        modules = {f"pipeline.{name.replace('/', '.')}" for name in listed.split()}
        modules |= {
            module for module in MODULES if module.startswith("pipeline.models.") and "wildcard" in needs
        }
        needs, _, _only_made_before = needs.partition(" | ")
        before = {makers[need] for need in needs.split() if need in makers}
        rules[verb] = (before, {module.removesuffix(".__init__") for module in modules})
    return rules


@pytest.mark.parametrize(
    "verb",
    [
        "prepare",
        "tokenize",
        "baseline",
        "embed",
        "train",
        "evaluate",
        "assign_folds",
        "make_fold",
        "crossval",
    ],
)
def test_make_redoes_a_stage_when_the_code_that_it_runs_changes(verb: str) -> None:
    rules = makefile_rules()

    def covered(verb: str) -> set[str]:
        before, modules = rules[verb]
        return modules.union(*(covered(earlier) for earlier in before))

    architectures = {module for module in MODULES if module.startswith("pipeline.models")}
    rooms = {module for module in MODULES if MODULES[module].name == "__init__.py"}  # docstrings alone
    runs = closure(VERB_MODULES[verb]) | {"pipeline", "pipeline.__main__"}
    if verb == "evaluate":
        runs |= closure("pipeline.tracking.writer_process")  # a process, which packs the model as well
    runs = runs.union(*(closure(module) for module in rules[verb][1] & architectures))  # imported by name
    assert runs - rooms - covered(verb) == set(), "missing in the Makefile"
    common = rules["prepare"][1] & rules["evaluate"][1]
    assert rules[verb][1] - common - architectures - runs == set(), "listed in the Makefile without need"


def test_make_help_tells_of_every_command_within_80_columns() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    told = re.findall(r"^##(.*)$", makefile, re.M)
    assert max(map(len, told)) <= 79
    commands = re.findall(r"^([a-z-]+):.*\n\t", makefile, re.M)
    assert {line.split()[1] for line in told if line.startswith("make ")} == {*commands} - {"help", "check"}
