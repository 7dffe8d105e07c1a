"""Registered models in MLflow: the versions of a corpus's classifier, and its champion.

The alias `champion` is on one version. Each version that was promoted names in a tag the one that it
replaced, so that `previous` finds the way back, step by step. Each run that was compared on a test part is
a tag of the registered model, and of the version that it challenged, so that all users of the store count
together.

A registered model with the tag `convtext.approval` = `required` has a run that passed as a version under the
alias `challenger`, until somebody gives that version the tag `convtext.approved_by` with their name.
"""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import mlflow
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from ..errors import InputError
from ..files import atomic_folder
from ..tracking import location, store
from ..tracking.store import store_errors
from .champion_note import CHAMPION
from .champion_page import with_event

LOOK_TAG = "look"  # .<digest of the test rows>.<run>
CHALLENGER_TAG = "challenger"  # .<digest of the test rows>.<run>
CHALLENGER = "challenger"  # the alias in MLflow of a version that awaits approval
APPROVAL_TAG, REQUIRED = "convtext.approval", "required"
APPROVER_TAG = "convtext.approved_by"
MODEL_ID = re.compile(r"m-[0-9a-f]{32}")
NUMBER = re.compile("[1-9][0-9]{0,5}")
REGISTERED = re.compile(f"models:/([^/@]+)(?:@([^/@]+)|/({NUMBER.pattern}))")  # a name; an alias or a number
REPLACED_TAG = "replaced"


class Candidate(NamedTuple):
    """A run's MLflow model that may become the champion of the registered model `name`."""

    name: str
    run_id: str
    model_id: str
    title: str


@dataclass(frozen=True)
class Version:
    """A registered version of a run's MLflow model; `replaced` is the version before it, or empty."""

    number: str
    run_id: str
    model_id: str
    title: str
    replaced: str


def champion(name: str) -> Version | None:
    """Return the champion of a registered model, or None."""
    client = store.connect().client
    with store_errors():
        number = _champion_number(client, name)
        return _version(client.get_model_version(name, number)) if number else None


def registered(address: str) -> Version:
    """Return the version of an address of MLflow's, as in models:/reviews@champion or models:/reviews/3.

    Raises InputError for another address, and where there is no such version.
    """
    parts = REGISTERED.fullmatch(address)
    if not parts:
        raise InputError(
            f"{address}: expected models:/<name>@<alias> or models:/<name>/<version>", option="model"
        )
    client, (name, alias, number) = store.connect().client, parts.groups()
    with store_errors():
        try:
            if alias:
                return _version(client.get_model_version_by_alias(name, alias))
            return _version(client.get_model_version(name, number))
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
            raise InputError(f"there is no {address} in {location.redacted_uri()}", option="model") from error


def promote(candidate: Candidate, tags: dict[str, str], replaced: str, page: str) -> Version:
    """Make a candidate the champion in place of version `replaced`, which is empty for a first champion.

    `page` is the version's description in Markdown. Raises InputError, with nothing promoted, if the champion
    is another one by now.
    """
    client, name = store.connect().client, candidate.name
    with store_errors():
        waited = _waiting(client, candidate)
        number = _register(client, candidate, tags | {REPLACED_TAG: replaced}, page)
        try:
            _move_alias(client, name, number, replaced)
        except InputError:
            if waited:  # with the approval that somebody gave it
                client.delete_model_version_tag(name, number, REPLACED_TAG)
            else:
                client.delete_model_version(name, number)
            raise
        if str(client.get_registered_model(name).aliases.get(CHALLENGER)) == number:
            client.delete_registered_model_alias(name, CHALLENGER)
        return _version(client.get_model_version(name, number))


def needs_approval(name: str) -> bool:
    """Return whether nothing is promoted without somebody's approval."""
    client = store.connect().client
    with store_errors():
        _create(client, name)
        return str(client.get_registered_model(name).tags.get(APPROVAL_TAG)).strip() == REQUIRED


def approver(candidate: Candidate) -> str:
    """Return who has approved the candidate's version that awaits it; "" if nobody has."""
    client = store.connect().client
    with store_errors():
        waiting = _waiting(client, candidate)
        return str(waiting.tags.get(APPROVER_TAG, "")).strip() if waiting else ""


def propose(candidate: Candidate, tags: dict[str, str], page: str) -> str:
    """Register a candidate as the version that awaits approval; return its number."""
    client = store.connect().client
    with store_errors():
        number = _register(client, candidate, tags, page)
        client.set_registered_model_alias(candidate.name, CHALLENGER, number)
        return number


def count_challenger(name: str, version: str, test_rows: str, run_id: str) -> int:
    """Note that a run challenges a version on the test rows of this digest; return its number among them.

    A run that challenges it again keeps its number: it would show the same again. Of two at the same moment
    both count the other, so that none has a number that is too low.
    """
    client = store.connect().client
    of_rows = f"{CHALLENGER_TAG}.{test_rows}."
    with store_errors():
        tags = client.get_model_version(name, version).tags
        noted = str(tags.get(of_rows + run_id, ""))
        if NUMBER.fullmatch(noted):
            return int(noted)
        client.set_model_version_tag(name, version, of_rows + run_id, "")
        tags = client.get_model_version(name, version).tags
        number = sum(str(tag).startswith(of_rows) for tag in tags)
        client.set_model_version_tag(name, version, of_rows + run_id, str(number))
        return number


def tell(name: str, event: str, version: str = "") -> None:
    """Add an event, a line of Markdown, to the description of the registered model, and of a version."""
    client = store.connect().client
    with store_errors():
        told = client.get_registered_model(name).description or ""
        client.update_registered_model(name, with_event(told, event))
        if version:
            told = client.get_model_version(name, version).description or ""
            client.update_model_version(name, version, with_event(told, event))


def count_look(name: str, test_rows: str, run_id: str, title: str) -> int:
    """Note that a run is compared on the test rows of this digest; return how many runs have been.

    A run counts once, however often it is compared: it would show the same again. Each has a tag of its own,
    so that two users who compare at once both count.
    """
    client = store.connect().client
    of_rows = f"{LOOK_TAG}.{test_rows}."
    with store_errors():
        _create(client, name)
        client.set_registered_model_tag(name, of_rows + run_id, title)
        return sum(tag.startswith(of_rows) for tag in client.get_registered_model(name).tags)


def previous(name: str) -> tuple[Version, Version]:
    """Return the version that the champion replaced, and the champion.

    Raises InputError if there is none.
    """
    now = champion(name)
    if now is None:
        raise InputError(f"{name} has no champion in {location.redacted_uri()}: register a run first")
    if not now.replaced:
        raise InputError(f"version {now.number} of {name} is the first champion: there is none before it")
    client = store.connect().client
    with store_errors():
        return _version(client.get_model_version(name, now.replaced)), now


def set_champion(name: str, version: Version, replaced: str) -> None:
    """Make a version the champion in place of version `replaced`.

    Raises InputError, with nothing changed, if the champion is another one by now.
    """
    client = store.connect().client
    with store_errors():
        _move_alias(client, name, version.number, replaced)


def model_of(run_id: str) -> str:
    """Return the id of the last MLflow model that `evaluate` logged for a run.

    Raises InputError if there is none.
    """
    client = store.connect().client
    with store_errors():
        outputs = client.get_run(run_id).outputs
        if outputs is None or not outputs.model_outputs:
            raise InputError(
                f"run {run_id} has no model in {location.redacted_uri()}: finish its training first"
            )
        models = [client.get_logged_model(output.model_id) for output in outputs.model_outputs]
        return store.answered_id(max(models, key=lambda model: model.creation_timestamp).model_id)


def fetch(model_id: str, folder: Path) -> None:
    """Copy an MLflow model into a folder, as a whole or not at all."""
    with atomic_folder(folder) as partial, TemporaryDirectory() as scratch:
        with store_errors():
            model = mlflow.artifacts.download_artifacts(
                _address(model_id), dst_path=scratch, tracking_uri=location.store_uri()
            )
        shutil.copytree(model, partial, dirs_exist_ok=True)


def attach(run_id: str, folder: Path, outcome: str, tags: dict[str, str]) -> None:
    """Log a folder's files to a run that has ended, the outcome as a tag of its name, and tags below that."""
    client = store.connect().client
    with store_errors():
        client.log_artifacts(run_id, str(folder), folder.name)
        client.set_tag(run_id, folder.name, outcome)
        for tag, value in tags.items():
            client.set_tag(run_id, f"{folder.name}.{tag}", value)


def _register(client: mlflow.MlflowClient, candidate: Candidate, tags: dict[str, str], page: str) -> str:
    """Return the number of the candidate's version that awaits approval, or of a new one, with these tags."""
    name, tags = candidate.name, tags | {"title": candidate.title}
    _create(client, name)
    if waiting := _waiting(client, candidate):
        number = store.answered_id(str(waiting.version))
        for tag, value in tags.items():
            client.set_model_version_tag(name, number, tag, value)
        client.update_model_version(name, number, page)
        return number
    created = client.create_model_version(
        name,
        _address(candidate.model_id),
        candidate.run_id,
        model_id=candidate.model_id,
        tags=tags,
        description=page,
    )
    return store.answered_id(str(created.version))


def _waiting(client: mlflow.MlflowClient, candidate: Candidate) -> ModelVersion | None:
    """Return the candidate's version that has never been the champion, or None."""
    for version in client.search_model_versions(f"run_id='{candidate.run_id}'"):
        is_of = version.name == candidate.name and candidate.model_id in str(version.source)
        if is_of and REPLACED_TAG not in version.tags:
            return version
    return None


def _create(client: mlflow.MlflowClient, name: str) -> None:
    """Create the registered model unless it is there already."""
    with suppress(MlflowException):
        client.create_registered_model(name)


def _champion_number(client: mlflow.MlflowClient, name: str) -> str:
    """Return the version that the alias is on, or "" if there is none."""
    try:
        return str(client.get_registered_model(name).aliases.get(CHAMPION, ""))
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise
        return ""


def _move_alias(client: mlflow.MlflowClient, name: str, number: str, replaced: str) -> None:
    """Move the alias unless another machine has moved it, which `register`'s lock does not keep from it.

    MLflow has no call that does both at once: a move in the moment between is not noticed.
    """
    now = _champion_number(client, name)
    if now != replaced:
        found = f"it is version {now} now" if now else "there is none now"
        raise InputError(
            f"another user has changed the champion of {name} meanwhile ({found}): nothing was changed; look "
            "at it, and then run the command again"
        )
    client.set_registered_model_alias(name, CHAMPION, number)


def _address(model_id: str) -> str:
    """Return where the model's files are.

    MLflow would look up `models:/...` in the store of its own settings.
    """
    client = store.connect().client
    return str(client.get_logged_model(model_id).artifact_location)


def _version(version: ModelVersion) -> Version:
    source = MODEL_ID.search(str(version.source))
    if source is None:
        raise InputError(
            f"version {version.version} of {version.name} in {location.redacted_uri()} is not a model that "
            "was logged here: take the alias from it"
        )
    return Version(
        number=store.answered_id(str(version.version)),
        run_id=str(version.run_id),
        model_id=source[0],
        title=version.tags.get("title", f"run {version.run_id}"),
        replaced=version.tags.get(REPLACED_TAG, ""),
    )
