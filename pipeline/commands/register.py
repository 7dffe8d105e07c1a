"""Compare a run with the champion of its corpus, and let it take the champion's place if it is better.

Reads the run's model from MLflow, the champion's, and the corpus's rows.parquet (of images, images.npy);
writes registration/, and logs it to the run; registers the version and moves the alias. Ends with code 1
where the run is refused, and says why. With FORCE it is promoted whatever is found, also where the two cannot
be compared: it is then beside the majority class, as a first champion is, and the comparison says why.
"""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from ..artifacts import MlflowModelFolder, RunFolder, read_inputs
from ..config import loading
from ..corpus.equality import contents, digests
from ..errors import InputError, Refused
from ..files import atomic_write, read_arrays, read_json, read_table, write_csv, write_json
from ..prediction.classifier import Classifier
from ..release import champions, contest, gate, registry
from ..release.champions import Champion
from ..release.contest import Contestant, Test
from ..tracking import find


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--corpus", required=True, help="what the model was trained on")
    parser.add_argument("--model", required=True, help="a name in conf/models; empty: one that fits")
    parser.add_argument("--force", default="", help="the reason to promote it whatever is found")


def run(arguments: argparse.Namespace) -> None:
    if arguments.force and not any(one.isalpha() for one in arguments.force):
        raise InputError('FORCE= takes the reason, as in FORCE="the champion has seen the test rows"')
    corpus, model = loading.resolved(arguments.corpus, arguments.model)
    folder = RunFolder(loading.run_folder(corpus, model))
    if not folder.metrics.exists():
        command = f"make train CORPUS={shlex.quote(corpus)} MODEL={model}"
        raise InputError(f"there is no finished run in {folder.path}: run `{command}` first")
    name, run_id = folder.corpus.path.name, find.in_store(read_json(folder.run)["mlflow_run"])
    model_id = registry.model_of(run_id)
    champion = champions.remember(name)
    if champion and champion.model_id == model_id:
        print(f"register: {name}, {model}: this run is the champion already, as version {champion.version}")
        return
    with TemporaryDirectory() as scratch:
        files = MlflowModelFolder(Path(scratch, model_id))
        registry.fetch(model_id, files.path)
        test, old, apart = _test_rows(folder, files), None, ""
        if champion:
            try:
                test, old = _beside(champion, test)
            except InputError as error:
                if not arguments.force:
                    raise InputError(f'{error}; FORCE="the reason" promotes it uncompared') from error
                apart = str(error)
        outcome = contest.compared(_contestant(model, files), old, test)
    result = gate.Comparison(
        corpus=name,
        run=run_id,
        champion=champion.version if champion else None,
        left_out=test.left_out,
        new=outcome.new,
        old=outcome.old,
        paired=outcome.paired,
        slices=outcome.slices,
        checks=[gate.not_compared(apart), *outcome.checks] if apart else outcome.checks,
        forced="",
    )
    if not result.passed:
        result = result.model_copy(update={"forced": arguments.force})
    rows = outcome.changed
    write_csv(folder.registration.rows, rows.columns.tolist(), rows.itertuples(index=False))
    write_json(folder.registration.result, result.model_dump())
    with atomic_write(folder.registration.page) as partial:
        partial.write_text(gate.markdown(result), "utf-8")
    print(f"{gate.summary(result)}\n  which rows changed: {folder.registration.rows}")
    if not (result.passed or result.forced):
        registry.attach(run_id, folder.registration.path, "refused")
        kept = f"version {champion.version} stays the champion" if champion else "there is no champion yet"
        raise Refused(f"{name}, {model} is not promoted: {kept}")
    tags = {"forced": result.forced} if result.forced else {}
    version = registry.promote(name, run_id, model_id, model, tags)
    registry.attach(run_id, folder.registration.path, "promoted")
    champions.remember(name)
    print(f"  {name} version {version.number} is the champion:\n  `make predict` without MODEL= labels by it")


def _test_rows(folder: RunFolder, files: MlflowModelFolder) -> Test:
    """`files` are the run's own. Raises InputError where the corpus is no more as it was when the run was
    evaluated."""
    rows = read_table(folder.corpus.rows)
    test = rows[rows["part"] == "test"]
    found = digests(contents(test))
    if not np.array_equal(found, read_arrays(files.row_keys)["test"]):
        raise InputError(
            f"{folder.corpus.path} was prepared anew since this run, and has other test rows: "
            "run `make train` as before, which trains on the rows as they are"
        )
    names = np.array(read_json(folder.corpus.labels), object)
    all_rows = Test(
        read_inputs(folder.corpus).select(test.index.to_numpy()),
        found,
        names[test["label"]],
        test[[name for name in ("file", "line", "text") if name in test]],
    )
    return all_rows.unseen(_learned(files), "the run itself")


def _beside(champion: Champion, test: Test) -> tuple[Test, Contestant]:
    """The test rows that the champion has not seen either, and the champion. Raises InputError where the two
    cannot be compared: it has seen them all, takes no such rows, or its files are of a format before."""
    old = _contestant(champion.title, champion.files)
    contest.takes(old.classifier, test)
    return test.unseen(_learned(champion.files), "the champion"), old


def _learned(files: MlflowModelFolder) -> NDArray[np.uint64]:
    """The keys of the rows that it was trained on, or chosen by."""
    parts = read_arrays(files.row_keys)
    return np.concatenate([parts["train"], parts["validation"]])


def _contestant(title: str, files: MlflowModelFolder) -> Contestant:
    size = sum(path.stat().st_size for path in files.classifier.iterdir())
    return Contestant(title, Classifier.load(files.classifier), size)
