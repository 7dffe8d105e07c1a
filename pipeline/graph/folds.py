"""The options of a cross-validation: folds of a corpus, or as many seeds where its test part is official."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ..artifacts import CorpusFolder, CrossvalFolder, FoldAssignmentFiles, RunFolder
from ..config.stage_options import CrossvalOptions, Fold, FoldAssignmentOptions
from ..errors import InputError
from ..files import short_hash
from ..options import Configuration, Split
from . import study_runs
from .facts import write_comparison_facts, write_corpus_facts, write_run_facts
from .options_writer import write, write_corpus, write_run
from .request import TrainingRequest


@dataclass(frozen=True)
class FoldPlan:
    """The folders of a cross-validation: its own, all rows, what cuts them by seed, and the folds' runs."""

    crossval: CrossvalFolder
    all_rows: CorpusFolder
    cuts: list[FoldAssignmentFiles]
    runs: list[RunFolder]


def configure_folds(request: TrainingRequest, folds: int, repeats: int) -> FoldPlan:
    """Write the options of all folds and of their comparison.

    Folds that the words make otherwise lie in other folders, as two cross-validations may be under way.
    Raises InputError where there are not as many seeds, and for repeats of folds in time order.
    """
    configuration, command = (
        request.load(),
        request.command("crossval", FOLDS=str(folds), REPEATS=str(repeats)),
    )
    corpus, corpus_settings = request.folder.corpus, request.corpus_settings
    model = request.model + short_hash(request.settings)
    suffix = short_hash(request.source_settings)
    crossval = corpus.crossval(f"{model}-{folds}x{repeats}-seed{configuration.seed}{suffix}")
    if "test" in configuration.source.official:
        folds, repeats = 1, folds * repeats
    elif configuration.source.time and repeats > 1:
        raise InputError(
            f"folds in time order are the same by every seed: expected them once, not {repeats} times",
            option="repeats",
        )
    seeds = study_runs.seeds(configuration.seed, repeats)
    plan = FoldPlan(crossval, corpus.fold("all", corpus_settings), [], [])
    everything = configuration.model_copy(update={"seed": 0, "split": Split()})  # its parts are not used
    write_corpus(plan.all_rows, corpus.path.name, everything)
    write_corpus_facts(plan.all_rows, everything)
    baselines, missing = study_runs.opponents(configuration)
    for fold, seeded, cut in _folds(configuration, folds, seeds, plan):
        name = f"{corpus.path.name}-{fold.number:02d}of{folds:02d}-seed{seeded.seed}"
        run = RunFolder(corpus.fold(name, corpus_settings).path / model)
        write_corpus(run.corpus, name, seeded, fold)
        write_corpus_facts(run.corpus, seeded, cut)
        write_run(run, seeded, request.described(run, command), request.model, baselines)
        write_run_facts(run, seeded)
        plan.runs.append(run)
    write(
        crossval.options,
        CrossvalOptions(
            corpus=corpus.path.name,
            model=f"{request.model} {request.settings}".strip(),
            seed=configuration.seed,
            folds=folds,
            repeats=repeats,
            runs=[str(run.path) for run in plan.runs],
            published=None if request.settings else configuration.published.get(corpus.path.name),
            left_out=missing,
        ),
    )
    write_comparison_facts(crossval, plan.runs)
    return plan


def _folds(
    configuration: Configuration, folds: int, seeds: range, plan: FoldPlan
) -> Iterator[tuple[Fold, Configuration, FoldAssignmentFiles | None]]:
    """Yield each fold with the options by its seed, and what cuts it, which is added to the plan."""
    for seed in seeds:
        cut = plan.all_rows.fold_assignment(folds, seed) if folds > 1 else None
        if cut:
            write(cut.options, FoldAssignmentOptions(count=folds, seed=seed))
            plan.cuts.append(cut)
        seeded = configuration.model_copy(update={"seed": seed})
        for number in range(1, folds + 1):
            yield Fold(number=number, count=folds), seeded, cut
