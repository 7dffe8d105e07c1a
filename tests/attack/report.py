"""A line for each case of the battery, for `make attack`: the plugin that its pytest is given."""

from __future__ import annotations

import re

import pytest

from pipeline.terminal import TERMINAL_WIDTH, shorten, visible


def pytest_report_teststatus(report: pytest.TestReport) -> tuple[str, str, str] | None:
    """Let pytest count a test and print nothing of its own for it."""
    return (report.outcome, "", report.outcome.upper()) if report.when == "call" else None


@pytest.hookimpl(wrapper=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> object:
    """Print the case, and whether the program held."""
    result = yield
    if report.when == "call" or report.failed:
        word = {"passed": "held", "failed": "FELL", "skipped": "skipped"}[report.outcome]
        print(shorten(f"{word:8}{_case(report.nodeid)}", TERMINAL_WIDTH), flush=True)
    return result


def _case(node: str) -> str:
    """Return `bombs: a gzip bomb is read in constant memory: 4 GB` for the id of a test."""
    path, _, name = node.partition("::")
    test, _, parameters = name.partition("[")
    area = re.sub(r".*/test_(.*)\.py", r"\1", path)
    case = f"{area}: {test.removeprefix('test_')}".replace("_", " ")
    return visible(f"{case}: {parameters.removesuffix(']')}" if parameters else case)
