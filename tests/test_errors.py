from __future__ import annotations

import errno

import pytest

from pipeline.__main__ import main
from pipeline.errors import InputError, is_interrupt, is_lack_of_memory, missing_package
from pipeline.stages import prepare


def test_an_input_error_is_a_value_error_of_one_line_that_keeps_its_blanks() -> None:
    error = InputError("'a  b.csv':\ttwo\nlines", option="source.text")
    assert isinstance(error, ValueError)
    assert str(error) == "'a  b.csv':\ttwo lines"
    assert error.option == "source.text"
    assert InputError("no option mends it").option == ""


def test_an_interrupt_is_found_below_the_errors_that_it_caused() -> None:
    wrapped, outer = SystemError(), SystemError()
    outer.__cause__ = wrapped
    assert not is_interrupt(outer)
    wrapped.__cause__ = KeyboardInterrupt()
    assert is_interrupt(outer)
    assert is_interrupt(KeyboardInterrupt())
    assert not is_interrupt(None)


@pytest.mark.parametrize(
    ("option", "printed"),
    [
        ("", "convtext: no column 'text'\n"),
        ("source.text", "convtext: no column 'text': name another with TEXT=\n"),
        ("source.encoding", "convtext: no column 'text': set it with ENCODING=\n"),
        ("source.size", "convtext: no column 'text': set it with SET=\"source.size=...\"\n"),
    ],
)
def test_the_command_line_adds_the_word_that_mends_an_error(
    option: str, printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise InputError("no column 'text'", option=option)

    monkeypatch.setattr(prepare, "run", fail)
    assert main(["stage", "prepare", "folder"]) == 2
    assert capsys.readouterr().err == printed


def test_an_interrupt_is_known_by_what_a_kernel_makes_of_it() -> None:
    chain: BaseException = KeyboardInterrupt()
    for _ in range(3):
        above = SystemError("returned a result with an exception set")
        above.__cause__, chain = chain, above
    assert is_interrupt(chain) and is_interrupt(KeyboardInterrupt())
    assert not is_interrupt(SystemError("of another kind"))


def raised(error: BaseException, cause: BaseException) -> BaseException:
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        ImportError("libllvmlite.so: failed to map segment from shared object"),
        RuntimeError("can't start new thread"),
        raised(ImportError("numpy's advice"), ImportError("x.so: cannot allocate memory")),
        raised(OSError("could not find/load"), OSError("y.so: failed to map segment from shared object")),
    ],
)
def test_a_lack_of_memory_is_one_line_however_it_is_told(
    error: Exception, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(arguments: object) -> None:
        raise error

    assert is_lack_of_memory(error)
    monkeypatch.setattr(prepare, "run", fail)
    assert main(["stage", "prepare", "folder"]) == 2
    assert capsys.readouterr().err == (
        "convtext: prepare: not enough memory: free some, or raise its limit (ulimit -v)\n"
    )


def test_another_error_is_no_lack_of_memory_and_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(arguments: object) -> None:
        raise RuntimeError("a fault of the program")

    assert not is_lack_of_memory(RuntimeError("a fault of the program"))
    monkeypatch.setattr(prepare, "run", fail)
    with pytest.raises(RuntimeError, match="a fault of the program"):
        main(["stage", "prepare", "folder"])


@pytest.mark.parametrize(
    ("module", "extra"),
    [("keras", "train"), ("sklearn.base", "train"), ("tokenizers", "encoder"), ("fasttext", "fasttext")],
)
def test_a_package_that_is_not_installed_is_named_with_its_extra(module: str, extra: str) -> None:
    package = module.partition(".")[0]
    expected = (
        f"{package} is not installed: install convtext with its extra `{extra}` (pip install '.[{extra}]')"
    )
    assert missing_package(ModuleNotFoundError("no", name=module)) == expected


def test_a_module_of_the_package_itself_is_in_no_extra() -> None:
    assert missing_package(ModuleNotFoundError("no", name="pipeline.stages.fry")) == ""
    assert missing_package(ImportError("cannot import name 'a' from 'keras'")) == ""
    assert missing_package(None) == ""
