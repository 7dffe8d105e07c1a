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

from pipeline.__main__ import NOT_FOR_KERAS, STAGES, TRACKED
from pipeline.config.words import COMMANDS

ROOT = Path(__file__).resolve().parents[1]
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "pipeline").rglob("*.py"))
}
# MLflow's rooms: the store in use, runs as they are recorded, and sent later, and found again, models as they
# are packed, what is run where they are served, and which of them is the champion; its servers.
MLFLOW = {
    "pipeline.tracking.store",
    "pipeline.tracking.writer_process",
    "pipeline.tracking.mlflow_calls",
    "pipeline.release.find",
    "pipeline.tracking.package",
    "pipeline.tracking.mlflow_model",
    "pipeline.tracking.served_model",
    "pipeline.release.registry",
    "pipeline.commands.dashboard",
    "pipeline.estimator.mlflow_run",
    "pipeline.serving.server",
}
# A room imports only rooms on floors below its own. The ground floor is the modules in pipeline/ itself.
FLOORS: tuple[set[str], ...] = (
    {"ground"},
    {"environment"},
    {"compilation", "stores"},
    {"delimited", "labels", "measures", "text", "vectors"},
    {"tables"},
    {"linear"},
    {"baselines", "corpus"},
    {"networks"},
    {"folding", "images"},
    {"models", "prediction"},
    {"config", "plain", "serving", "tracking"},
    {"exports", "graph", "review"},
    {"card", "estimator", "sharing"},
    {"release"},
    {"spark", "stages", "studies"},
    {"commands", "study_commands", "study_stages"},
)
STAGE_MODULES = {stage: f"pipeline.{room}.{stage}" for stage, room in STAGES.items()}
COMMAND_MODULES = {name: f"pipeline.{command.room}.{name}" for name, command in COMMANDS.items()}
VERB_MODULES = {*STAGE_MODULES.values(), *COMMAND_MODULES.values()}


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


@pytest.mark.parametrize("module", sorted(VERB_MODULES))
def test_every_verb_is_a_module_that_says_what_it_reads_and_runs(module: str) -> None:
    body = tree(module)
    assert "run" in {node.name for node in body.body if isinstance(node, ast.FunctionDef)}
    assert ast.get_docstring(body)


def test_the_rooms_of_verbs_hold_nothing_else() -> None:
    rooms = ("stages", "commands", "study_commands", "study_stages")
    verbs = {module for module in MODULES if module.split(".")[1:2] and module.split(".")[1] in rooms}
    assert {module for module in verbs if module.count(".") == 2} == VERB_MODULES


def test_no_module_imports_a_verb() -> None:
    imported = {module: own_imports(module) & VERB_MODULES for module in MODULES}
    assert {module: verbs for module, verbs in imported.items() if verbs} == {}


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_downward_without_a_circle(module: str) -> None:
    reached = set().union(*(closure(below) for below in own_imports(module)))
    assert module not in reached


def room(module: str) -> str:
    parts = package(module).split(".")
    return parts[1] if len(parts) > 1 else "ground"


def test_a_room_imports_only_rooms_on_floors_below_it() -> None:
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    assert {room(module) for module in MODULES} == set(floor)
    upward = {
        (module, imported)
        for module in set(MODULES) - {"pipeline.__main__"}  # which starts the verbs
        for imported in own_imports(module)
        if room(module) != room(imported) and floor[room(imported)] >= floor[room(module)]
    }
    assert upward == set()


@pytest.mark.parametrize(
    ("library", "home"),
    [
        ("yaml", {"pipeline.config.yaml_core"}),
        ("tensorflow", {"pipeline.networks.backend"}),
        ("keras", {"pipeline.networks.backend"}),
        (
            "numba",
            {
                "pipeline.compilation.build_kernels",
                "pipeline.compilation.kernel_cache",
                "pipeline.compilation.kernel",
                "pipeline.folding.llvm_maximum",
                "pipeline.linear.llvm_descent",
            },
        ),
        ("mlflow", MLFLOW),
        ("gensim", {"pipeline.vectors.learned_vectors"}),
        ("pooch", {"pipeline.corpus.download"}),
        ("matplotlib", {"pipeline.review.style"}),
        ("fasttext", {"pipeline.baselines.fasttext"}),
        ("onnxruntime", {"pipeline.vectors.sentence_encoder", "pipeline.plain.onnx_graph"}),
        ("onnx", {"pipeline.plain.onnx_graph"}),
        ("ai_edge_litert", {"pipeline.exports.tflite"}),
        ("tokenizers", {"pipeline.vectors.sentence_encoder"}),
        ("openpyxl", {"pipeline.tables.xlsx"}),
        ("optuna", {"pipeline.studies.search", "pipeline.studies.shared_study"}),
        ("PIL", {"pipeline.images.file"}),
        ("jinja2", {"pipeline.review.page", "pipeline.card.model_card"}),
        ("tqdm", {"pipeline.progress"}),
        ("pyspark", {f"pipeline.spark.{module}" for module in ("archives", "job", "labelling", "report")}),
        ("fsspec", {"pipeline.stores.filesystems"}),
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


def test_whatever_is_printed_is_made_visible_by_the_one_function() -> None:
    """The writer process answers in JSON, through a pipe."""

    def prints(module: str) -> bool:
        names = {node.id for node in ast.walk(tree(module)) if isinstance(node, ast.Name)}
        written = re.search(
            r"sys\.std(out|err)\.write\(|tqdm\.write\(|print_exc", MODULES[module].read_text("utf-8")
        )
        return "print" in names or bool(written)

    assert {module for module in MODULES if prints(module)} == {
        "pipeline.terminal",
        "pipeline.tracking.writer_process",
    }


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


@cache
def imported_by(module: str) -> set[str]:
    """Return the names of all modules that a process has once it has imported that one."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "module",
    [
        *(STAGE_MODULES[stage] for stage in ("prepare", "tokenize", "baseline", "embed", "evaluate")),
        *(
            "pipeline.review.run_figures",
            "pipeline.review.page",
            "pipeline.card.model_card",
        ),  # evaluate's, late
        *(
            COMMAND_MODULES[name]
            for name in ("configure", "predict", "say", "export", "train", "crossval", "curve", "tune", "why")
        ),
    ],
)
def test_a_verb_that_needs_neither_tensorflow_nor_mlflow_starts_without_them(module: str) -> None:
    assert not imported_by(module) & {"tensorflow", "keras", "mlflow", "gensim"}


def test_train_does_without_what_is_kept_from_keras_which_would_import_it() -> None:
    slow = {*NOT_FOR_KERAS, "scipy.stats"}
    using = {
        module
        for module in closure(STAGE_MODULES["train"])
        if any(
            name == library or name.startswith(f"{library}.") for name in imports(module) for library in slow
        )
    }
    assert using == {"pipeline.corpus.folds"}  # for folds of a cross-validation
    assert {*NOT_FOR_KERAS} <= imported_by("keras")


@pytest.mark.parametrize("module", [COMMAND_MODULES["train"], COMMAND_MODULES["configure"]])
def test_what_leaves_the_work_to_stages_starts_without_their_libraries(module: str) -> None:
    """They take a second to import, in which no stage is under way."""
    assert not imported_by(module) & {"pandas", "pyarrow", "scipy", "sklearn", "numba"}


def test_the_process_that_records_is_started_for_the_stages_that_record_runs() -> None:
    recording = {
        stage for stage, module in STAGE_MODULES.items() if "pipeline.tracking.run" in closure(module)
    }
    assert recording == set(TRACKED)
    assert not any("pipeline.tracking.run" in closure(module) for module in COMMAND_MODULES.values())


@pytest.mark.parametrize("stage", TRACKED)
def test_a_stage_that_is_tracked_leaves_mlflow_to_the_process_that_records(stage: str) -> None:
    assert not closure(STAGE_MODULES[stage]) & MLFLOW


def test_help_imports_nothing_but_the_standard_library() -> None:
    code = (
        "import sys\nfrom pipeline.__main__ import main\n"
        "main(['--help'])\nmain(['predict', '--help'])\n"
        "print([name for name in ('numpy', 'pandas', 'pydantic') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"  {name} " in done.stdout for name in COMMANDS)


def test_make_help_tells_of_every_command_within_80_columns() -> None:
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 79
    listed = {match[1] for line in lines if (match := re.match(r"  ([a-z-]+)(?: |$)", line))}
    makefile = (ROOT / "Makefile").read_text("utf-8")
    commands = re.search(r"^COMMANDS := (.*)$", makefile, re.M)
    assert commands and commands[1].split() == [*COMMANDS]
    own = set(re.findall(r"^([a-z-]+):.*\n\t", makefile, re.M)) - {"help", "check"}
    assert listed == {*COMMANDS} | own


def test_the_makefile_and_the_graph_are_short_and_leave_scripts_to_python() -> None:
    texts = [(ROOT / "Makefile").read_text("utf-8"), (ROOT / "pipeline" / "graph.mk").read_text("utf-8")]
    assert sum(text.count("\n") for text in texts) < 180
    graph = texts[1]
    assert not re.search(r"\$\((shell|wildcard)|\b(sed|awk|grep)\b", graph)


def test_a_room_has_at_most_a_dozen_modules_and_says_in_a_sentence_what_it_is_for() -> None:
    for name in {name for names in FLOORS for name in names} - {"ground"}:
        folder = ROOT / "pipeline" / name
        assert len([path for path in folder.glob("*.py") if path.name != "__init__.py"]) <= 12, name
        opening = ast.parse((folder / "__init__.py").read_text("utf-8"))
        assert "\n" not in (ast.get_docstring(opening) or "\n"), name
        # The first finds an architecture by its name, the other is imported as `convtext.spark`.
        assert len(opening.body) == 1 or name in ("models", "spark"), name
    ground = {path.stem for path in (ROOT / "pipeline").glob("*.py")} - {"__init__", "__main__"}
    assert len(ground) <= 12


# Modules without a test file of their own, and the file that tests each.
TESTED_BY = {
    "__main__": "test_errors.py",
    "baselines.candidate": "baselines/test_catalogue.py",
    "commands.compare": "release/test_registry.py",
    "commands.options": "config/test_options_reference.py",
    "commands.register": "release/test_registry.py",
    "commands.rollback": "release/test_registry.py",
    "commands.send": "tracking/test_mlflow_calls.py",
    "commands.train": "test_end_to_end.py",
    "labels.cautions": "labels/test_classes.py",
    "compilation.kernel": "networks/test_convolution_kernels.py",
    "graph.options_writer": "stages/test_configure.py",
    "config.words": "config/test_command_line.py",
    "encoder": "prediction/test_classifier.py",
    "environment.program": "config/test_command_line.py",
    "compilation.wheel": "test_installed.py",
    "exports.check": "exports/test_exporter.py",
    "exports.example": "exports/test_exporter.py",
    "exports.exported": "exports/test_exporter.py",
    "exports.formats": "exports/test_exporter.py",
    "exports.image_export": "exports/test_exporter.py",
    "exports.keras_format": "exports/test_exporter.py",
    "exports.saved_model": "exports/test_exporter.py",
    "exports.text_export": "exports/test_exporter.py",
    "exports.tflite": "exports/test_exporter.py",
    "exports.vocabulary": "exports/test_exporter.py",
    "graph.facts": "stages/test_configure.py",
    "graph.search": "study_commands/test_tune.py",
    "graph.single_run": "test_end_to_end.py",
    "graph.study_runs": "study_commands/test_crossval.py",
    "manifest": "prediction/test_classifier.py",
    "models.dense_tokens": "models/test_every_architecture.py",
    "networks.backend": "networks/test_trainer.py",
    "networks.checkpoint": "networks/test_trainer.py",
    "networks.keras_network": "prediction/test_classifier.py",
    "plain.keras_outputs": "plain/test_keras_text.py",
    "release.champion_note": "release/test_champions.py",
    "release.chosen_model": "commands/test_say.py",
    "spark.archives": "spark/test_labelling.py",
    "spark.convtext_label": "spark/test_job.py",
    "spark.report": "spark/test_labelling.py",
    "stages.evaluate": "test_end_to_end.py",
    "stages.tokenize": "test_no_leak.py",
    "stages.train": "test_end_to_end.py",
    "study_stages.assign_folds": "test_no_leak.py",
    "study_stages.compare_folds": "study_commands/test_crossval.py",
    "study_stages.compare_sizes": "study_commands/test_curve.py",
    "study_stages.compare_with_dense": "study_commands/test_why.py",
    "study_stages.make_fold": "test_no_leak.py",
    "study_stages.make_subset": "graph/test_curve.py",
    "study_stages.search_options": "study_commands/test_tune.py",
    "delimited.scan": "delimited/test_scanner.py",
    "estimator.in_memory": "estimator/test_convtext_classifier.py",
    "estimator.mlflow_run": "estimator/test_convtext_classifier.py",
    "vectors.start_vectors": "stages/test_embed.py",
    "tables.block_table": "tables/test_formats.py",
    "tables.parquet_table": "tables/test_formats.py",
    "tables.row_table": "tables/test_jsonl_table.py",
    "tables.table": "tables/test_formats.py",
    "tracking.mlflow_model": "tracking/test_served_model.py",
    "tracking.package": "tracking/test_served_model.py",
    "config.stage_options": "stages/test_configure.py",
}


@pytest.mark.parametrize("module", sorted(module for module in MODULES if module.count(".") > 0))
def test_a_module_has_its_test_file_or_this_one_says_which_file_tests_it(module: str) -> None:
    path = MODULES[module].relative_to(ROOT / "pipeline")
    if path.name == "__init__.py":
        return
    own = ROOT / "tests" / path.with_name(f"test_{path.name}")
    other = TESTED_BY.get(module.removeprefix("pipeline."))
    assert own.is_file() != (other is not None)
    assert other is None or (ROOT / "tests" / other).is_file()
