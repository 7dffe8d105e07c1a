from __future__ import annotations

import io
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.terminal import (
    has_secret,
    say,
    shorten,
    shorten_middle,
    visible,
    without_password,
    wrapped,
)


def test_what_a_terminal_would_obey_is_shown_and_all_else_stays() -> None:
    assert visible("\x1b[2Jclear \x07\x7f\x9b") == r"\x1b[2Jclear \x07\x7f\x9b"
    assert visible("a\nb\tc\rd") == r"a\nb\tc\rd"
    assert visible("txt.\u202efdp") == r"txt.\u202efdp"
    assert visible("a byte of a name \udcff") == r"a byte of a name \udcff"
    # Of other writing systems, and of emoji that are joined: none of them is obeyed.
    kept = "héllo, 你好, שלום\u200f, می\u200cخواهم, 👩\u200d💻"
    assert visible(kept) == kept


@given(st.text())
@example("\x1b")
def test_nothing_visible_is_a_control_character(text: str) -> None:
    assert not {unicodedata.category(character) for character in visible(text)} & {"Cc", "Cs", "Zl", "Zp"}


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8", "utf-16"])
@given(text=st.text())
def test_any_text_is_said_in_any_encoding_a_line_for_a_line(encoding: str, text: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding, newline="")
    say(text, stream)
    written = raw.getvalue().decode(encoding)
    assert written.endswith("\n")
    assert len(written.split("\n")) == len(text.split("\n")) + 1
    assert not [character for character in written if character != "\n" and visible(character) != character]


@pytest.mark.parametrize(
    ("text", "is_secret"),
    [
        ("abfs://box/a.csv?sv=1&sig=x", True),
        ("s3://bucket/a.csv?X-Amz-Signature=x", True),
        ("mssql://host/?odbc_connect=DRIVER%3Dx%3BPWD%3Dx", True),
        ("s3://bucket/a?b=1.csv", False),
        ("s3://bucket/key=1/secret.csv", False),  # as Hive names folders
    ],
)
def test_a_query_has_a_secret_if_a_key_sounds_like_one(text: str, is_secret: bool) -> None:
    assert has_secret(text) == is_secret


def test_a_paragraph_is_indented_and_fits_the_terminal() -> None:
    sentence = " ".join(["four"] * 30)
    assert [len(line) for line in wrapped(sentence).splitlines()] == [76, 76]  # 15 words of five columns
    assert wrapped(sentence, "").splitlines() == [" ".join(["four"] * 16), "  " + " ".join(["four"] * 14)]
    assert wrapped("x" * 70 + " kim-rand").splitlines() == ["  " + "x" * 70, "  kim-rand"]


def test_a_text_is_shortened_to_the_columns_that_there_are() -> None:
    assert shorten("as it\n is", 8) == "as it is"
    assert shorten("a longer text", 8) == "a longe…"
    assert shorten(12345, 4) == "123…"
    assert [shorten("你好吗", columns) for columns in (6, 5, 4)] == ["你好吗", "你好…", "你…"]


def test_a_name_loses_its_middle_and_keeps_both_ends() -> None:
    assert shorten_middle("comp.os  x", 9) == "comp.os x"
    assert shorten_middle("comp.sys.ibm.hardware", 9) == "comp…ware"
    assert shorten_middle("comp.sys.mac.hardware", 10) == "comp.…ware"


@pytest.mark.parametrize(
    ("address", "bare", "named"),
    [
        ("postgresql://host/db", "postgresql://host/db", "postgresql://host/db"),
        ("postgresql://me@host:5432/db", "postgresql://host:5432/db", "postgresql://me@host:5432/db"),
        ("postgresql://me:se/c:r@t@host/db", "postgresql://host/db", "postgresql://me@host/db"),
        ("postgresql://me@corp:secret@host/db", "postgresql://host/db", "postgresql://me@corp@host/db"),
        ("x://me@host/db?password=secret", "x://host/db?password=...", "x://me@host/db?password=..."),
    ],
)
def test_an_address_is_shown_without_its_password_and_with_its_user_on_request(
    address: str, bare: str, named: str
) -> None:
    assert without_password(address) == bare
    assert without_password(address, keeps_user=True) == named
