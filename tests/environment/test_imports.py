"""What is collected while modules are imported, and after."""

from __future__ import annotations

import gc

import pytest

from pipeline.environment.imports import uncollected


def test_nothing_is_collected_in_the_block_and_all_is_as_before_after_it() -> None:
    assert gc.isenabled()
    with pytest.raises(ImportError), uncollected():
        assert not gc.isenabled()
        raise ImportError("no such module")
    assert gc.isenabled()


def test_who_has_switched_collection_off_keeps_it_off() -> None:
    gc.disable()
    try:
        with uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
