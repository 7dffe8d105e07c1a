"""Registered models in MLflow: the versions of a corpus's classifier, and which of them is its champion.

The alias `champion` is on one version. Each version that became it names in a tag the one that it replaced,
so that `before` finds the way back, however often it is gone.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from ..errors import InputError
from ..files import atomic_folder
from ..tracking import location, store
from ..tracking.find import in_use

CHAMPION = "champion"
MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
REPLACED = "replaced"  # the tag: the version before, or "" of the first


@dataclass(frozen=True)
class Version:
    """A registered version: of a run, whose MLflow model has an id of its own."""

    number: str
    run_id: str
    model_id: str
    title: str
    replaced: str  # the version before; "" if there is none


def champion(name: str) -> Version | None:
    """That of the registered model; None where there is none."""
    api, _ = store.client()
    with in_use():
        try:
            number = api.get_registered_model(name).aliases.get(CHAMPION)
        except MlflowException as error:
            if error.error_code != "RESOURCE_DOES_NOT_EXIST":
                raise
            return None
        return _version(api.get_model_version(name, str(number))) if number else None


def promote(name: str, run_id: str, model_id: str, title: str, tags: dict[str, str]) -> Version:
    """Register a run's model as the next version, and make it the champion."""
    api, _ = store.client()
    before = champion(name)
    with in_use():
        with suppress(MlflowException):  # it is there already
            api.create_registered_model(name)
        version = api.create_model_version(
            name,
            _address(model_id),
            run_id,
            model_id=model_id,
            tags=tags | {"title": title, REPLACED: before.number if before else ""},
        )
        api.set_registered_model_alias(name, CHAMPION, version.version)
        return _version(api.get_model_version(name, version.version))


def before(name: str) -> tuple[Version, Version]:
    """The version before the champion, and the champion. Raises InputError where there is none before."""
    now = champion(name)
    if now is None:
        raise InputError(f"{name} has no champion in {location.shown()}: `make register` makes one")
    if not now.replaced:
        raise InputError(f"version {now.number} of {name} is the first champion: there is none before it")
    api, _ = store.client()
    with in_use():
        return _version(api.get_model_version(name, now.replaced)), now


def set_champion(name: str, version: Version) -> None:
    api, _ = store.client()
    with in_use():
        api.set_registered_model_alias(name, CHAMPION, version.number)


def model_of(run_id: str) -> str:
    """The id of the MLflow model that `evaluate` logged for a run, the last one if there are several. Raises
    InputError where there is none."""
    api, _ = store.client()
    with in_use():
        outputs = api.get_run(run_id).outputs
        if outputs is None or not outputs.model_outputs:
            raise InputError(
                f"run {run_id} has no model in {location.shown()}: finish it by `make train` as before"
            )
        models = [api.get_logged_model(one.model_id) for one in outputs.model_outputs]
    return str(max(models, key=lambda one: one.creation_timestamp).model_id)


def fetch(model_id: str, place: Path) -> None:
    """A copy of an MLflow model, as a whole or not at all."""
    with in_use(), atomic_folder(place) as partial, TemporaryDirectory() as scratch:
        files = _address(model_id)
        found = mlflow.artifacts.download_artifacts(files, dst_path=scratch, tracking_uri=location.store())
        shutil.copytree(found, partial, dirs_exist_ok=True)


def attach(run_id: str, folder: Path, outcome: str) -> None:
    """The files of a folder as artifacts of a run that has ended, and the outcome as a tag, both under the
    folder's name."""
    api, _ = store.client()
    with in_use():
        api.log_artifacts(run_id, str(folder), folder.name)
        api.set_tag(run_id, folder.name, outcome)


def _address(model_id: str) -> str:
    """Where the model's files are: `models:/...` is looked up in the store of MLflow's own settings."""
    api, _ = store.client()
    return str(api.get_logged_model(model_id).artifact_location)


def _version(found: ModelVersion) -> Version:
    source = MODEL_ID.search(str(found.source))
    if source is None:
        raise InputError(
            f"version {found.version} of {found.name} in {location.shown()} is no model that `make train` "
            "logged: take the alias from it"
        )
    return Version(
        number=str(found.version),
        run_id=str(found.run_id),
        model_id=source[0],
        title=found.tags.get("title", f"run {found.run_id}"),
        replaced=found.tags.get(REPLACED, ""),
    )
