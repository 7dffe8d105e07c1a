"""Nothing from the data becomes markup in Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.card.markdown import fenced, inline


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain, C# and 3-4 (a)", "plain, C# and 3-4 (a)"),
        ("a|b", r"a\|b"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
        ("[a](javascript:x) ![b](c)", r"\[a\](javascript:x) !\[b\](c)"),
        ("`code` *bold* _it_ ~no~ $x$", r"\`code\` \*bold\* \_it\_ \~no\~ \$x\$"),
        ("&lt; \\|", r"&amp;lt; \\\|"),
        ("http://a.b www.c.d", r"http\://a.b www\.c.d"),
        (" two\n| lines\r\n", r"two \| lines"),
        ("\x1b[31m\u202ered", r"\\x1b\[31m\\u202ered"),
    ],
)
def test_what_markdown_would_obey_is_shown(text: str, expected: str) -> None:
    assert inline(text) == expected


def test_a_long_text_is_cut() -> None:
    assert inline("abcdef", 4) == "abc…"


@given(st.text())
def test_a_cell_is_one_line_without_a_bar_a_tag_or_a_control_character(text: str) -> None:
    cell = inline(text)
    assert "\n" not in cell and "<" not in cell and ">" not in cell
    assert not re.search(r"(?<!\\)(?:\\\\)*[|`\[]", cell)
    assert all(character.isprintable() or not character.isascii() for character in cell)


def test_a_block_of_code_ends_where_its_text_ends() -> None:
    assert fenced("a b", "bash") == "```bash\na b\n```"
    assert fenced("SET='```'") == "````\nSET='```'\n````"
    assert fenced("a\x1b") == "```\na\\x1b\n```"
