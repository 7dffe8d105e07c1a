from __future__ import annotations

from pipeline.terminal import shorten, shorten_middle


def test_a_text_is_shortened_to_the_columns_that_there_are() -> None:
    assert shorten("as it\n is", 8) == "as it is"
    assert shorten("a longer text", 8) == "a longe…"
    assert shorten(12345, 4) == "123…"


def test_a_name_loses_its_middle_and_keeps_both_ends() -> None:
    assert shorten_middle("comp.os  x", 9) == "comp.os x"
    assert shorten_middle("comp.sys.ibm.hardware", 9) == "comp…ware"
    assert shorten_middle("comp.sys.mac.hardware", 10) == "comp.…ware"
