"""The words of the command line, and the commands that take them: the one table that help is printed from.

A word is `NAME=value`, in the spelling that `make` has for variables, so that `make predict TOP=3` and
`convtext predict TOP=3` are the same. Adding an option is one line here and its use in the command.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from ..csv_line import check_separator
from ..environment.memory import parse_size
from . import arguments

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, eq=False)
class Word(Generic[T_co]):
    """An option: its name, an example of a value, a line of help, how a value is checked, and its default."""

    name: str
    example: str
    help: str
    check: Callable[[str], T_co]
    default: T_co
    blank_is_default: bool = True  # `TOP=` is as if TOP had not been given
    from_environment: bool = False  # where the command line gives none


def _text(name: str, example: str, help: str) -> Word[str]:
    return Word(name, example, help, str, "")


def _flag(name: str, help: str) -> Word[bool]:
    return Word(name, "1", help, arguments.flag, False)


CORPUS = _text(
    "CORPUS",
    "reviews.csv",
    "a name in conf/corpora; a CSV, .tsv, .jsonl, .parquet or .xlsx; a folder of images with one subfolder "
    "for each class; or an npz of `images` and `labels`",
)
MODEL = _text(
    "MODEL",
    "convtext",
    "a name in conf/models; by default one that fits the corpus; to label by, also a trained model's folder, "
    "or models:/reviews@champion in MLflow",
)
SET = _text("SET", '"train.epochs=3"', "any options of the files in conf/, separated by blanks")
VECTORS = _text(
    "VECTORS",
    "glove-wiki-gigaword-100",
    "pretrained vectors: a name of gensim's downloader, a file, or a folder of a sentence encoder with "
    "model.onnx and tokenizer.json; several with commas",
)
TEXT = _text("TEXT", "review", "the column of the text; several with commas, as in title,body")
LABEL = _text("LABEL", "stars", "the column of the label in the CSV")
TEST = _text("TEST", "held_out.csv", "a file that is the test part")
OTHER = _text(
    "OTHER", "oos", "the label of out-of-scope rows: not trained on, they only measure the classifier"
)
CASE = _text("CASE", "ignore", "labels that differ in case alone are one class; default: keep")
RARE = _text(
    "RARE", "keep", "classes with a single row: set aside (drop, the default), learned (keep), or an error"
)
GROUP = _text("GROUP", "customer", "a column: rows of the same value are kept in one part, or fold")
TIME = _text("TIME", "date", "a column: the newest rows test, those before them validate")
ENCODING = _text("ENCODING", "windows-1252", "of the CSV, if it is not UTF-8")
SEPARATOR = Word(
    "SEPARATOR",
    "tab",
    "of the columns, if not found: comma, semicolon, tab, pipe or a character",
    check_separator,
    "",
)
QUOTING = Word(
    "QUOTING", "none", "a quote is a character like others", arguments.one_of("csv", "none"), "csv"
)
SKIP: Word[int] = Word("SKIP", "3", "lines above the CSV's header", arguments.whole_number(0, 1000), 0)
SHEET = _text("SHEET", "2", "of an Excel workbook, by name or number; default: the first with a value")
UNREADABLE: Word[float | None] = Word(
    "UNREADABLE", "0.02",
    "the share of rows that may be set aside as they cannot be read; default 0.01",
    arguments.share, None,
)  # fmt: skip
BLANK: Word[float | None] = Word(
    "BLANK", "0.2", "the same of rows without text or label; default 0.05", arguments.share, None
)
MIRROR = Word("MIRROR", "folder", "where downloads are taken from instead", str, "", from_environment=True)
MEMORY: Word[int | None] = Word(
    "MEMORY",
    "8g",
    "by which samples of very large corpora are sized, for each training; default: the machine's",
    parse_size,
    None,
)
FOLDS: Word[int] = Word(
    "FOLDS", "10", "of a cross-validation", arguments.whole_number(2, 1000), 10, blank_is_default=False
)
REPEATS: Word[int] = Word(
    "REPEATS",
    "1",
    "of all folds, each with a seed of its own",
    arguments.whole_number(1, 1000),
    1,
    blank_is_default=False,
)
JOBS: Word[int | None] = Word(
    "JOBS",
    "2",
    "trainings that run side by side; default: one a core",
    arguments.whole_number(1),
    None,
    blank_is_default=False,
    from_environment=True,
)
CORPORA: Word[list[str] | None] = Word(
    "CORPORA", '"mr trec"', "only these; none if empty", arguments.names, None, blank_is_default=False
)
MODELS: Word[list[str] | None] = Word(
    "MODELS",
    '"kim-rand kim-static"',
    "only these; none if empty",
    arguments.names,
    None,
    blank_is_default=False,
)
BUDGET: Word[int] = Word(
    "BUDGET",
    "10m",
    "of a search, counted once the corpus is prepared",
    arguments.duration,
    600,
    blank_is_default=False,
)
STORAGE = _text(
    "STORAGE",
    "postgresql://user@host/db",
    "a database in which several machines share a search, each with a BUDGET of its own; the same command "
    "later goes on with it",
)
NAME = _text("NAME", "better", "of the winner in conf/models; default: <corpus>-tuned")
FORCE = Word("FORCE", '"the reason"', "to promote the run whatever is found", arguments.reason, "")
RUNS = _text("RUNS", '"3f2a 91bc"', "two runs, by id, its first digits, name or folder")
INPUT = _text(
    "INPUT",
    "new.csv",
    "a CSV, .tsv, .jsonl, .parquet or .xlsx, also at s3://, gs://, abfs:// or hdfs://; a folder of images; "
    "- is standard input",
)
OUTPUT = _text(
    "OUTPUT",
    "labelled.csv.gz",
    "its name, or address, says the form, as INPUT's does; - is standard output, CSV",
)
FORMAT = Word(
    "FORMAT",
    "onnx",
    "of the export: keras, saved_model, onnx or tflite; default: keras",
    arguments.one_of("keras", "saved_model", "onnx", "tflite"),
    "keras",
)
EXPORT_OUTPUT = _text("OUTPUT", "folder/", "of the export; default: export/<format>/ in the run's folder")
ROWS_OUTPUT = _text("OUTPUT", "rows.csv", "a CSV of all rows on which the runs differ")
PACKED = Word("OUTPUT", "service", "a new folder; default: service", str, "service")
TOP: Word[int] = Word("TOP", "3", "so many labels, each with its probability", arguments.whole_number(1), 1)
PROBABILITIES = _flag("PROBABILITIES", "a column with the probability of each class")
ABSTAIN: Word[arguments.Abstention] = Word(
    "ABSTAIN",
    "0.8",
    "no label below this probability; precision:0.95, below the one from which on the validation part shows "
    "that 95 % of labels are right, or precision-by-class:0.95",
    arguments.abstention,
    arguments.Abstention(0.0),
)
EVIDENCE = _flag("EVIDENCE", "a column of the n-grams and what each adds to the logit")
SHARES = _flag("SHARES", "columns with the shares of unknown words and of what was cut off")
HARMLESS = _flag("HARMLESS", "no cell begins as a spreadsheet's formula")
FORM = Word("FORM", "float32", "of the folded table: int16 (default) or float32; or keras", str, "int16")
THREADS: Word[int | None] = Word(
    "THREADS", "8", "that label side by side; default: one a core", arguments.whole_number(1, 1024), None
)
SAID: Word[str | None] = Word(
    "TEXT",
    '"a lovely film"',
    'the text to label; of several columns, with " | " between',
    str,
    None,
    blank_is_default=False,
)
PORT: Word[int] = Word(
    "PORT", "5000", "of the dashboard", arguments.whole_number(1, 65535), 5000, blank_is_default=False
)

OF_READING: dict[str, Word[Any]] = {  # how a file is read and prepared, by option
    "source.separator": SEPARATOR,
    "source.quoting": QUOTING,
    "source.skip": SKIP,
    "source.sheet": SHEET,
    "source.unreadable_rows": UNREADABLE,
    "source.blank_rows": BLANK,
    "source.memory": MEMORY,
}
SOURCE = (
    CORPUS, MODEL, SET, VECTORS, TEXT, LABEL, CASE, RARE, OTHER, TEST, GROUP, TIME, ENCODING,
    *OF_READING.values(), MIRROR
)  # fmt: skip


@dataclass(frozen=True)
class Command:
    """What a user can ask for: the room of its module, what it does, and the words it takes."""

    room: str
    purpose: str
    words: tuple[Word[object], ...] = ()


STUDIES = "study_commands"


def _command(purpose: str, *words: Word[object], room: str = "commands") -> Command:
    return Command(room, purpose, words)


COMMANDS = {
    "train": _command("train a classifier on a labelled corpus; ends with its folder", *SOURCE),
    "crossval": _command(
        "compare the model with its opponents on the same folds; goes on where it was interrupted",
        *SOURCE, FOLDS, REPEATS, JOBS, room=STUDIES,
    ),
    "curve": _command(
        "show whether more labels would help: the model and its opponents on growing shares of the rows",
        *SOURCE, JOBS, room=STUDIES,
    ),
    "table": _command(
        "cross-validate every corpus with every model, and print the results beside the published ones",
        CORPORA, MODELS, JOBS, MIRROR, room=STUDIES,
    ),
    "tune": _command(
        "search for better options of the model by its validation part; writes conf/models/<NAME>.yaml",
        *SOURCE, BUDGET, STORAGE, NAME, room=STUDIES,
    ),
    "why": _command(
        "show what convolutions are good for: the model beside dense networks, as the test rows are moved",
        *SOURCE, room=STUDIES,
    ),
    "register": _command(
        "compare the run with the corpus's champion on the same test rows; the better one is the champion",
        CORPUS, MODEL, FORCE,
    ),
    "rollback": _command("make the champion before the present one the champion again", CORPUS),
    "compare": _command(
        "set two runs side by side: options, metrics, rows on which they differ", RUNS, ROWS_OUTPUT
    ),
    # Before `predict`, whose TEXT is the one that the list of all words explains.
    "say": _command(
        "label TEXT, or without it each line of standard input, and show why; model as of predict",
        CORPUS, MODEL, SAID,
    ),
    "predict": _command(
        "label a file; by the champion if no MODEL is named and the corpus has one",
        INPUT, OUTPUT, CORPUS, MODEL, TEXT, ENCODING, SEPARATOR, QUOTING, SKIP, SHEET, UNREADABLE, TOP,
        PROBABILITIES, ABSTAIN, EVIDENCE, SHARES, HARMLESS, FORM, THREADS, room="stages",
    ),
    "options": _command(
        "list what can be set in YAML or with SET: what it is in CORPUS and MODEL, and what it means",
        CORPUS, MODEL, SET,
    ),
    "pack": _command(
        "write the model as a folder that MLflow serves and the Dockerfile takes; model as of predict",
        CORPUS, MODEL, PACKED,
    ),
    "export": _command(
        "write the classifier for Keras, TensorFlow, ONNX or TensorFlow Lite alone; model as of predict",
        FORMAT, CORPUS, MODEL, EXPORT_OUTPUT,
    ),
    "dashboard": _command("open the runs in MLflow, on 127.0.0.1", PORT),
    "send": _command("send the runs that no tracking server took to where MLFLOW_TRACKING_URI says now"),
    "configure": _command(
        "check the options and write those of each stage; ends with the run's folder", *SOURCE, room="stages"
    ),
}  # fmt: skip

WORD_OF_OPTION = {  # of the files in conf/; SET sets all others
    "source.text": "TEXT",
    "source.label": "LABEL",
    "source.case": "CASE",
    "source.rare": "RARE",
    "source.other": "OTHER",
    "source.test": "TEST",
    "source.group": "GROUP",
    "source.time": "TIME",
    "source.encoding": "ENCODING",
    **{option: word.name for option, word in OF_READING.items()},
    "embed.vectors": "VECTORS",
}
REMEDIES = {
    "TEXT": "name another with TEXT=",
    "LABEL": "name another with LABEL=",
    "GROUP": "name another with GROUP=",
    "TIME": "name another with TIME=",
    "SEPARATOR": "name it with SEPARATOR=",
    "QUOTING": "give QUOTING=none",
    "CASE": "make one class of each with CASE=ignore",
    "RARE": "set them aside with RARE=drop, or learn them with RARE=keep",
    "SHEET": "name another with SHEET=",
    "MODEL": "name a model with MODEL=",
}


def remedy(option: str) -> str:
    """Return what to type for another value of an option, such as "set it with ENCODING="."""
    # An option of no section is a word of the command line itself, such as `mirror`; the seed alone is both.
    word = WORD_OF_OPTION.get(option) or ("" if "." in option or option == "seed" else option.upper())
    return REMEDIES.get(word) or (f"set it with {word}=" if word else f'set it with SET="{option}=..."')
