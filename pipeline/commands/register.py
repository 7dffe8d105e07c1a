"""Compare a run with the champion of its corpus, and promote it to champion if it is better.

Reads the run's model and the champion's from MLflow, and the corpus's rows.parquet (of images, images.npy).
Writes registration/ and logs it to the run; registers the version and moves the alias. If the run is
refused, it says why and exits with code 1. With FORCE the run is promoted in any case; where the two cannot
be compared, it is compared with the majority class, like a first champion, and the report says why. Every run
that is compared, refused ones too, is counted for these test rows in MLflow, and each asks more of the next
one. Where the registered model asks for approval, what passed waits for it, and the exit code is 1.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from ..artifacts import (
    ChampionFiles,
    MlflowModelFolder,
    RegistrationFolder,
    RunFolder,
    read_all_labels,
    read_inputs,
    tracked_run,
)
from ..config import loading, words
from ..config.command_line import Words
from ..config.stage_options import TrainOptions, read_stage
from ..corpus.equality import contents, digest_of_all, digests
from ..environment.program import command_text
from ..errors import InputError, Refused
from ..files import exclusive, write_csv, write_json, write_text
from ..options import Criterion
from ..prediction.classifier import Classifier
from ..reading import read_arrays, read_table
from ..release import champion_page, champions, contest, gate, gate_report, registry
from ..release.champion_note import Champion
from ..release.champion_page import Act
from ..release.contest import HeldOutRows, LoadedClassifier
from ..release.find import artifact, stored_id
from ..release.gate_report import GateReport
from ..release.registry import Candidate
from ..release.row_keys import check_form, check_groups, group_keys, learned_keys
from ..review.row_tables import identified
from ..terminal import say
from ..tracking.provenance import user


def run(given: Words) -> None:
    corpus, model = loading.resolved(given[words.CORPUS], given[words.MODEL])
    folder = RunFolder(loading.run_folder(corpus, model))
    if not folder.metrics.exists():
        command = command_text("train", {"CORPUS": corpus, "MODEL": model})
        raise InputError(f"there is no finished run in {folder.path}: run `{command}` first")
    with exclusive(ChampionFiles(folder.corpus.path.name).lock):
        _judge(folder, model, given[words.FORCE])


def _judge(folder: RunFolder, model: str, force: str) -> None:
    """Compare the run with the champion and promote it if it is better: one command at a time."""
    name, run_id = folder.corpus.path.name, stored_id(tracked_run(folder))
    model_id = registry.model_of(run_id)
    champion = champions.refresh(name)
    if champion and champion.model_id == model_id:
        say(f"register: {name}, {model}: this run is the champion already, as version {champion.version}")
        return
    report, changed = _compare(folder, run_id, model_id, champion, force)
    _write(folder.registration, report, changed)
    say(f"{gate_report.summary(report)}\n  which rows changed: {folder.registration.rows}")
    if not (report.passed or report.forced):
        registry.attach(run_id, folder.registration.path, "refused", report.tags())
        kept = f"version {champion.version} stays the champion" if champion else "there is no champion yet"
        raise Refused(f"{name}, {model} is not promoted: {kept}")
    candidate = registry.Candidate(name, run_id, model_id, model)
    approved_by = registry.approver(candidate)
    if registry.needs_approval(name) and not approved_by:
        _propose(folder, candidate, report)
    _promote(folder, candidate, report, approved_by)


def _propose(folder: RunFolder, candidate: Candidate, report: GateReport) -> None:
    """Register the version that awaits approval. Raises Refused, which says what is missing."""
    page = champion_page.candidate_page(report, registry.APPROVER_TAG)
    number = registry.propose(candidate, _tags(report), page)
    registry.attach(candidate.run_id, folder.registration.path, "awaits approval", report.tags())
    raise Refused(
        f"{candidate.name} version {number} ({candidate.title}) awaits approval: give it the tag "
        f"{registry.APPROVER_TAG} with your name in MLflow, and run the command again"
    )


def _promote(folder: RunFolder, candidate: Candidate, report: GateReport, approved_by: str) -> None:
    name, act = candidate.name, Act.of(user())
    page = champion_page.champion_page(report, act, approved_by)
    version = registry.promote(candidate, _tags(report), report.champion or "", page)
    registry.tell(name, champion_page.promoted_event(report, version.number, act, approved_by))
    registry.attach(candidate.run_id, folder.registration.path, "promoted", report.tags())
    champions.refresh(name)
    predict = command_text("predict", {})
    say(f"  {name} version {version.number} is the champion:\n  `{predict}` without MODEL= labels by it")


def _tags(report: GateReport) -> dict[str, str]:
    """Return the tags of a version."""
    return report.tags() | ({"forced": report.forced} if report.forced else {}) | {"registered_by": user()}


def _compare(
    folder: RunFolder, run_id: str, model_id: str, champion: Champion | None, force: str
) -> tuple[GateReport, pd.DataFrame]:
    """Return the gate's report and the rows that change sides. Counts the run for its test rows.

    Raises InputError if the champion cannot be compared and `force` gives no reason to do without.
    """
    corpus = folder.corpus.path.name
    with TemporaryDirectory() as scratch:
        criterion = _criterion(run_id, Path(scratch))
        files = MlflowModelFolder(Path(scratch, model_id))
        registry.fetch(model_id, files.path)
        test, loaded_champion, obstacle = _test_rows(folder, files), None, ""
        if champion:
            try:
                test, loaded_champion = _load_champion(champion, test)
            except InputError as error:
                if not force:
                    raise InputError(f'{error}; FORCE="the reason" promotes it uncompared') from error
                obstacle = str(error)
        new, rows = _load(folder.path.name, files), digest_of_all(read_arrays(files.row_keys)["test"])
        looks, challenger = registry.count_look(corpus, rows, run_id, new.title), 1
        if champion and loaded_champion:
            challenger = registry.count_challenger(corpus, champion.version, rows, run_id)
        result = contest.compare(new, loaded_champion, test, criterion, looks, challenger)
    report = GateReport(
        corpus=corpus,
        run=run_id,
        champion=champion.version if champion else None,
        test_digest=rows,
        left_out=test.left_out,
        new=result.new,
        old=result.champion,
        decision=result.decision,
        paired=result.paired,
        slices=result.slices,
        checks=[gate.check_not_compared(obstacle), *result.checks] if obstacle else result.checks,
        forced="",
    )
    return (report if report.passed else report.model_copy(update={"forced": force})), result.changed


def _criterion(run_id: str, scratch: Path) -> Criterion:
    """Return the score that the run was chosen by, from the options that it logged.

    Raises InputError for options of an earlier version.
    """
    logged = artifact(run_id, f"options/{RunFolder(Path()).train_options.name}", scratch)
    try:
        return read_stage(logged, TrainOptions).train.criterion
    except InputError as error:
        raise InputError(f"run {run_id} has options of another version: train it again") from error


def _write(files: RegistrationFolder, report: GateReport, changed: pd.DataFrame) -> None:
    write_csv(files.rows, changed.columns.tolist(), changed.itertuples(index=False))
    write_json(files.result, report.model_dump() | {"luck": report.luck})
    write_text(files.page, gate_report.markdown(report))


def _test_rows(folder: RunFolder, files: MlflowModelFolder) -> HeldOutRows:
    """Return the test rows of the run whose MLflow model is in `files`.

    Raises InputError if the corpus has changed since the run was evaluated.
    """
    rows = read_table(folder.corpus.rows)
    test = rows[rows["part"] == "test"]
    test_keys = digests(contents(test))
    noted = read_arrays(files.row_keys)
    if "text" in rows:
        check_form(noted, "the run's", "run `make train` as before, which notes them anew")
    if not np.array_equal(test_keys, noted["test"]):
        raise InputError(
            f"{folder.corpus.path} was prepared anew since this run, and has other test rows: "
            "run `make train` as before, which trains on the rows as they are"
        )
    labels = np.array(read_all_labels(folder.corpus), object)
    held_out = HeldOutRows(
        read_inputs(folder.corpus).select(test.index.to_numpy()),
        test_keys,
        labels[test["label"]],
        identified(test),
        groups=group_keys(test) if "group" in test else None,
    )
    return held_out.without(learned_keys(noted), "the run itself")


def _load_champion(champion: Champion, test: HeldOutRows) -> tuple[HeldOutRows, LoadedClassifier]:
    """Return the test rows that the champion has not seen either, and the champion.

    Raises InputError if the two cannot be compared: the champion has seen all rows, takes rows of another
    kind, was split by group where this run was not, or the other way round, or its files are of an earlier
    format.
    """
    loaded = _load(champion.title, champion.files)
    contest.check_accepts(loaded.classifier, test)
    noted = read_arrays(champion.files.row_keys)
    if test.inputs.kind == "text":
        check_form(noted, "the champion's", "train it again")
    check_groups(noted, test.groups is not None)
    return test.without(learned_keys(noted), "the champion"), loaded


def _load(title: str, files: MlflowModelFolder) -> LoadedClassifier:
    size = sum(path.stat().st_size for path in files.classifier.iterdir())
    return LoadedClassifier(title, Classifier.load(files.classifier), size)
