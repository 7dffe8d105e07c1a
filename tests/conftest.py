"""Fixtures that the tests of several rooms share."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.browser import CHROMIUM, Browser
from tests.postgresql import PostgreSQL, find_programs
from tests.project import Project
from tests.tracking_server import Server

# No test asserts a time, and that of an example is the machine's.
settings.register_profile("without deadline", deadline=None)
settings.load_profile("without deadline")


def pytest_configure() -> None:
    """Let the programs that tests start receive signals.

    A shell starts background jobs with SIGINT ignored, and nohup programs with SIGHUP, which every child
    inherits and Python respects, as it should; a handler is reset to the default where a program is started.
    """
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses a browser or a server as slow, as files with whole lines mark themselves."""
    for item in items:
        if {"browser", "tracking_server", "postgresql"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def project() -> Project:
    """The checkout, its commands, and data for them."""
    return Project(Path(__file__).resolve().parents[1])


@pytest.fixture(scope="session")
def browser() -> Browser:
    """A browser to look at pages with."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on PATH to look with")
    return Browser(CHROMIUM)


@pytest.fixture(scope="session")
def tracking_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An MLflow tracking server; a test that ends it starts it again."""
    server = Server(tmp_path_factory.mktemp("tracking_server"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A PostgreSQL server; a test that stops it starts it again."""
    programs = find_programs()
    if not programs:
        pytest.skip("PostgreSQL is not installed: no initdb on PATH, by pg_config or in /usr/lib/postgresql")
    with tempfile.TemporaryDirectory() as folder:  # of a path that its own user can reach
        server = PostgreSQL(programs, Path(folder))
        yield server
        server.stop()
