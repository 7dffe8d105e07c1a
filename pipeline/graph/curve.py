"""The options of a learning curve: subsets of the labelled rows, each drawn several times, and their runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..artifacts import CorpusFolder, CurveFolder, RunFolder
from ..config.stage_options import CurveOptions, Subset
from ..files import short_hash
from ..options import Configuration
from . import study_runs
from .facts import write_comparison_facts, write_corpus_facts, write_run_facts
from .options_writer import write, write_corpus, write_run
from .request import TrainingRequest

DRAWS = 3  # of each size: subsets and networks by as many seeds


@dataclass(frozen=True)
class CurvePlan:
    """A learning curve as it was asked for, its folder, and that of all rows."""

    request: TrainingRequest
    configuration: Configuration
    curve: CurveFolder
    all_rows: CorpusFolder


def configure_curve(request: TrainingRequest) -> CurvePlan:
    """Write the options of all rows, whose number decides which sizes there are."""
    configuration, corpus = request.load(), request.folder.corpus
    seed = configuration.seed
    model = f"{request.model}{short_hash(request.settings)}"
    plan = CurvePlan(
        request,
        configuration,
        corpus.curve(f"{model}-seed{seed}{short_hash(request.source_settings)}"),
        corpus.subset("all", request.corpus_settings, seed),
    )
    write_corpus(plan.all_rows, corpus.path.name, configuration)
    write_corpus_facts(plan.all_rows, configuration)
    return plan


def configure_sizes(plan: CurvePlan, shares: Sequence[float]) -> list[RunFolder]:
    """Write the options of the runs at these shares of the labelled rows, and of their comparison.

    Returns the runs, draw after draw. Raises InputError where there are not as many seeds.
    """
    request, configuration = plan.request, plan.configuration
    baselines, missing = study_runs.opponents(configuration)
    draws = []
    for seed in study_runs.seeds(configuration.seed, DRAWS):
        seeded = configuration.model_copy(update={"seed": seed})
        runs = [_run(plan, seeded, share) for share in shares]
        for run, share in zip(runs, shares, strict=True):
            name = run.corpus.path.name
            write_corpus(run.corpus, name, seeded, subset=Subset(share=share, seed=seed))
            write_corpus_facts(run.corpus, seeded)
            described = request.described(run, request.command("curve"))
            write_run(run, seeded, described, request.model, baselines)
            write_run_facts(run, seeded)
        draws.append(runs)
    write(
        plan.curve.options,
        CurveOptions(
            corpus=request.folder.corpus.path.name,
            model=f"{request.model} {request.settings}".strip(),
            seed=configuration.seed,
            shares=list(shares),
            runs=[[str(run.path) for run in runs] for runs in draws],
            left_out=missing,
        ),
    )
    every_run = [run for runs in draws for run in runs]
    write_comparison_facts(plan.curve, every_run)
    return every_run


def _run(plan: CurvePlan, seeded: Configuration, share: float) -> RunFolder:
    request = plan.request
    name = f"{request.folder.corpus.path.name}-{100 * share:.0f}percent-seed{seeded.seed}"
    return RunFolder(plan.all_rows.path.with_name(name) / f"{request.model}{short_hash(request.settings)}")
