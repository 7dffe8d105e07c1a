"""What MLflow's pages say of the champion."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.release.champion_page import (
    HEADING,
    MAX_CHARACTERS,
    Act,
    candidate_page,
    champion_page,
    promoted_event,
    rolled_back_event,
    with_event,
)
from tests.release.test_gate_report import CHAMPION, report_of

ACT = Act("ann", datetime(2026, 5, 4, 13, 5, tzinfo=UTC))
NEW = CHAMPION.model_copy(update={"title": "a|b <script>"})


def test_a_version_says_since_when_by_whom_against_what_and_on_which_rows() -> None:
    page = champion_page(report_of(NEW), ACT, "bob")
    assert r"**a\|b &lt;script&gt;**, a classifier of the corpus reviews" in page
    assert "- **Champion since** 2026-05-04 13:05 UTC by ann\n- **Approved by:** bob\n" in page
    assert "- **In place of:** version 3 (old)\n" in page
    rows = "10,000 test rows of reviews, 7 more left out (digest of the test part `0123456789abcdef`)"
    assert f"- **Compared on:** {rows}\n" in page
    assert "- **Decided by:** accuracy +0.1 points, 95 % interval +0.0 to +0.0\n" in page
    assert "- **Luck:** 5 runs, this one included," in page and "number 2 to challenge version 3" in page
    event = promoted_event(report_of(NEW), "4", ACT, "bob")
    assert event == (
        r"2026-05-04 13:05 UTC by ann, approved by bob: version 4 (a\|b &lt;script&gt;) in place of version "
        f"3 (old): accuracy +0.1 points, 95 % interval +0.0 to +0.0 on {rows}"
    )
    assert rolled_back_event("3", "4", ACT) == (
        "2026-05-04 13:05 UTC by ann: version 3 again, by a rollback from version 4"
    )


def test_a_version_promoted_by_force_says_so_with_what_failed() -> None:
    page = champion_page(report_of(NEW, forced="the others [leak]"), ACT, "")
    assert r"- **In spite of failed checks** (accuracy, slices): the others \[leak\]" in page
    assert "Approved" not in page


def test_a_first_champion_has_no_luck_and_replaces_none() -> None:
    page = champion_page(report_of(NEW, old=None, champion=None), Act("", ACT.time), "")
    assert "- **Champion since** 2026-05-04 13:05 UTC\n" in page
    assert "- **In place of:** none, compared with the majority class\n" in page and "Luck" not in page
    uncompared = champion_page(report_of(NEW, old=None), ACT, "")
    assert "version 3, which could not be compared" in uncompared


def test_a_version_that_awaits_approval_says_what_to_do() -> None:
    page = candidate_page(report_of(NEW), "tag.name")
    assert "awaits approval: give this version the tag `tag.name` with your name" in page
    assert "Champion since" not in page and "- **Decided by:**" in page


def test_the_newest_event_is_first_and_what_somebody_wrote_stays_above() -> None:
    page = with_event(with_event("Our model.\n\n* a list", "one"), "two")
    assert page == f"Our model.\n\n* a list\n\n{HEADING}\n\n- two\n- one\n"
    assert with_event("", "one") == f"{HEADING}\n\n- one\n"


def test_the_oldest_events_make_room_and_a_full_page_is_left_alone() -> None:
    page = "own"
    for number in range(60):
        page = with_event(page, f"{number} " + "x" * 150)
        assert len(page) <= MAX_CHARACTERS
    assert page.startswith(f"own\n\n{HEADING}\n\n- 59 ") and "- 0 " not in page
    assert with_event("x" * MAX_CHARACTERS, "one") == "x" * MAX_CHARACTERS
