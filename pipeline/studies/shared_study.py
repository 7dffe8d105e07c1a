"""A search's study in a database, which several machines share.

Who searches is a member: a trial under way of a second study, which gives signs of life as do the trials that
are trained. What gave none for GRACE_SECONDS, by the database's clock, is lost; a lost trial is tried again,
and a lost member that is alive after all, as after a pause, joins again.
"""

from __future__ import annotations

import os
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from threading import Thread
from typing import Any, TypeVar

import optuna
from optuna.exceptions import DuplicatedStudyError, StorageInternalError, UpdateFinishedTrialError
from optuna.storages import RDBStorage, RetryHeartbeatStaleTrialCallback, fail_stale_trials
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import event, make_url, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError, SQLAlchemyError

from ..errors import InputError, StoreUnreachable
from ..terminal import say, without_password

HEARTBEAT_SECONDS = 10
GRACE_SECONDS = 120  # more than an outage, the time until it is noticed, and a heartbeat before and after it
MAX_RETRIES = 2  # of a trial that was lost
OUTAGE_SECONDS = 60.0  # of the database's server that a search sits out
# What libpq does where nothing comes back at all, not even that a connection is refused or over.
DRIVERS_OF_LIBPQ = ("postgresql", "postgresql+psycopg", "postgresql+psycopg2")
SILENCE = {
    "connect_timeout": 10,  # seconds
    "tcp_user_timeout": 20_000,  # milliseconds, of what was sent
    "keepalives_idle": 10,  # seconds, while an answer is waited for
    "keepalives_interval": 5,
    "keepalives_count": 2,
}
POLL_SECONDS = 1.0
# Trials under way without a sign of life: Optuna passes over them, and nobody would try them again.
_MUTE = text(
    "select trial_id from trials join studies using (study_id) where study_name = :study "
    "and state = 'RUNNING' and trial_id not in (select trial_id from trial_heartbeats)"
)
ATTEMPTS = 3
EXPECTED = "expected an address such as postgresql://user@host/database, with a database that exists"
_DATABASE_ERRORS = (SQLAlchemyError, StorageInternalError)

T = TypeVar("T")


class SharedStudy:
    """A study under a name in the database at an address, of which this process is a member until it leaves.

    All raise StoreUnreachable once the database has been out of reach for OUTAGE_SECONDS.
    """

    def __init__(self, address: str, name: str) -> None:
        """Open the database, where the tables are made if need be. Raises InputError if it cannot be used."""
        optuna.logging.set_verbosity(optuna.logging.ERROR)  # it tells of each study that is created
        self.name = name
        self._address = without_password(address)
        self._is_lost = False  # the database: it is not waited for once more
        self._storage = self._open(address)
        event.listen(self._storage.engine, "do_connect", _connect)
        self._members = self.call(
            optuna.create_study, study_name=f"{name} members", storage=self._storage, load_if_exists=True
        )
        self._alive: set[int] = set()  # the ids of trials under way here, and of the member
        self._member = self.call(self._join)
        Thread(target=self._beat, daemon=True).start()

    @property
    def member(self) -> int:
        """The number of this member among all that the study has had."""
        return self.call(self._storage.get_trial, self._member).number

    def study(self, start: Mapping[str, Any], **options: Any) -> optuna.Study:
        """Return the study, which is created with the start as its first trial if there is none."""
        try:
            study = self.call(optuna.create_study, study_name=self.name, storage=self._storage, **options)
        except DuplicatedStudyError:
            options.pop("direction")
            study = self.call(optuna.load_study, study_name=self.name, storage=self._storage, **options)
            if self.call(study.get_trials, deepcopy=False):
                return study
            time.sleep(POLL_SECONDS)  # who has created it is about to add the start, unless it was killed
        self.call(study.enqueue_trial, dict(start), skip_if_exists=True)
        return study

    def call(self, function: Callable[..., T], *arguments: Any, **named: Any) -> T:
        """Call a function of Optuna's, again and again where the database fails meanwhile."""
        deadline = time.monotonic() + OUTAGE_SECONDS
        while True:
            try:
                with warnings.catch_warnings():  # of heartbeats, which are experimental, and made here
                    warnings.simplefilter("ignore")
                    return function(*arguments, **named)
            except _DATABASE_ERRORS as error:
                if self._is_lost or time.monotonic() > deadline:
                    self._is_lost = True
                    message = f"the study in {self._address} cannot be used: {_reason(error)}"
                    raise StoreUnreachable(message) from error
                time.sleep(POLL_SECONDS)

    def ask(self, study: optuna.Study, distributions: dict[str, Any]) -> optuna.Trial:
        """Return the next trial: one that another machine has lost, or a new one."""
        self.call(self._join_again)
        self.call(self._give_first_signs)
        self.call(fail_stale_trials, study)
        return self.call(study.ask, distributions)

    @contextmanager
    def alive(self, trial: optuna.Trial) -> Iterator[None]:
        """Give signs of life of a trial while the block lasts."""
        study = self._storage.get_study_id_from_name
        number = self._storage.get_trial_id_from_study_id_trial_number
        identifier = self.call(lambda: number(study(self.name), trial.number))
        self.call(self._storage.record_heartbeat, identifier)
        self._alive.add(identifier)
        try:
            yield
        finally:
            self._alive.discard(identifier)

    def leave(self) -> None:
        """End the membership, so that nobody waits for this process."""
        self._alive.discard(self._member)
        if self._is_lost:
            return
        with suppress(UpdateFinishedTrialError, StoreUnreachable):  # counted as lost, or soon to be
            self.call(self._storage.set_trial_state_values, self._member, TrialState.COMPLETE, [0.0])

    def wait_for_others(self) -> None:
        """Wait until nobody is a member: then the best trial is the same for all that were."""
        told: list[str] = []
        while others := self._others():
            if others != told:
                say(f"waiting for the search of {', '.join(others)}", sys.stderr)
                told = others
            time.sleep(POLL_SECONDS)

    def _others(self) -> list[str]:
        self.call(fail_stale_trials, self._members)
        members = self.call(self._members.get_trials, deepcopy=False, states=(TrialState.RUNNING,))
        return [f"{member.user_attrs['host']} (pid {member.user_attrs['pid']})" for member in members]

    def _open(self, address: str) -> RDBStorage:
        if "://" not in address:  # and may hold a password
            raise InputError(f"STORAGE is no address: {EXPECTED}")
        for attempt in range(ATTEMPTS):
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    return RDBStorage(
                        address,
                        {"pool_pre_ping": True, "connect_args": _patience(address)},
                        heartbeat_interval=HEARTBEAT_SECONDS,
                        grace_period=GRACE_SECONDS,
                        heartbeat_stale_trial_callback=self._retry,
                    )
            except ImportError as error:
                raise InputError(
                    f"STORAGE={self._address}: {error.__cause__ or error}; PostgreSQL's driver comes with "
                    "the extra `postgresql` (pip install '.[postgresql]')"
                ) from error
            except (ValueError, ArgumentError, NoSuchModuleError, OperationalError) as error:
                raise InputError(f"STORAGE={self._address}: {_reason(error)}; {EXPECTED}") from error
            except RuntimeError as error:  # tables of another version of Optuna
                raise InputError(f"STORAGE={self._address}: {_reason(error)}") from error
            except _DATABASE_ERRORS as error:
                if attempt == ATTEMPTS - 1:
                    raise InputError(f"STORAGE={self._address}: {_reason(error)}") from error
                time.sleep(POLL_SECONDS)  # another machine has just made the tables
        raise AssertionError

    def _join(self) -> int:
        """Return the id of a new member. Under way it always has a sign of life, or it could not get lost."""
        study = self._storage.get_study_id_from_name(self._members.study_name)
        who = {"host": socket.gethostname(), "pid": os.getpid()}
        waiting = create_trial(state=TrialState.WAITING, user_attrs=who)
        member = self._storage.create_new_trial(study, waiting)
        self._storage.record_heartbeat(member)
        self._storage.set_trial_state_values(member, TrialState.RUNNING)
        self._alive.add(member)
        return member

    def _join_again(self) -> None:
        """Become a member anew if this process was paused for so long that it counted as lost."""
        if self._storage.get_trial(self._member).state.is_finished():
            self._alive.discard(self._member)
            self._member = self._join()

    def _give_first_signs(self) -> None:
        """Give a sign of life of each trial that had none: its machine may have died before it could."""
        with self._storage.engine.connect() as connection:
            mute = connection.scalars(_MUTE, {"study": self.name}).all()
        for trial in mute:
            self._storage.record_heartbeat(trial)

    def _retry(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Have a lost trial tried again, unless it was often enough; a lost member is gone."""
        if study.study_name == self.name:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                RetryHeartbeatStaleTrialCallback(MAX_RETRIES)(study, trial)

    def _beat(self) -> None:
        while True:
            time.sleep(HEARTBEAT_SECONDS)
            for trial in list(self._alive):
                with suppress(*_DATABASE_ERRORS):
                    self._storage.record_heartbeat(trial)


def _patience(address: str) -> dict[str, int]:
    """Return what the driver is to be told of silence, as far as the address says nothing else."""
    url = make_url(address)
    if url.drivername not in DRIVERS_OF_LIBPQ:
        return {}
    return {name: value for name, value in SILENCE.items() if name not in url.query}


def _connect(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
    """Connect to the database, and wait for its server to come back if it went away."""
    deadline = time.monotonic() + OUTAGE_SECONDS
    while True:
        try:
            return dialect.connect(*arguments, **named)
        except dialect.loaded_dbapi.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_SECONDS)


def _reason(error: BaseException) -> str:
    """Return the database's own words on one line, without a password."""
    if isinstance(error, StorageInternalError) and error.__cause__:
        error = error.__cause__
    words = str(getattr(error, "orig", None) or error).strip()
    return without_password(words.partition("\n")[0]) or type(error).__name__
