"""What is collected and what is found while modules are imported, and after."""

from __future__ import annotations

import gc
import sys

import pytest

from pipeline.environment.imports import absent, uncollected


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


def test_a_library_is_not_found_in_the_block_unless_it_is_imported_already() -> None:
    assert "this" not in sys.modules and "gc" in sys.modules
    with absent("this", "gc"):
        import gc  # noqa: F401

        with pytest.raises(ImportError):
            import this  # noqa: F401
    assert "this" not in sys.modules and "gc" in sys.modules


def test_after_a_failure_in_the_block_the_library_is_found_again() -> None:
    with pytest.raises(ValueError, match="broken"), absent("colorsys"):
        raise ValueError("broken")
    import colorsys

    assert colorsys
