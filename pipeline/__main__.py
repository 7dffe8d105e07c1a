"""`python -m pipeline <verb>`: one verb a stage; each imports only what it needs."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import time
from contextlib import suppress
from typing import NoReturn

from .config.arguments import remedy
from .errors import InputError, Refused, is_interrupt

STAGES = {
    "configure": "check the options and hand each stage its own; prints the run's folder",
    "prepare": "read, check and split the corpus",
    "tokenize": "learn the vocabulary and turn texts into ids",
    "baseline": "fit the baselines on the same split",
    "embed": "make the vectors that both channels start from",
    "train": "train the network",
    "evaluate": "score it on the test part, beside the baseline",
    "predict": "label a CSV",
}
COMMANDS = {
    "assign_folds": "say which fold of a cross-validation tests each row",
    "make_fold": "make one of the folds a corpus with parts of its own",
    "crossval": "compare the model with its opponents over the folds",
    "table": "put all cross-validations into one table",
    "tune": "search the model's options within a time budget",
    "why": "compare the convolution with networks that have none",
    "register": "let a run take the champion's place, if it is better",
    "rollback": "make the champion before the present one the champion again",
    "compare": "set two runs side by side",
    "send": "send the runs that no tracking server took",
    "dashboard": "open the runs in MLflow on 127.0.0.1",
}
VERBS = STAGES | COMMANDS
TRACKED = ("train", "evaluate", "crossval", "tune", "why")  # they record runs


def main(arguments: list[str]) -> int:
    began = time.monotonic()
    parser = argparse.ArgumentParser(
        prog="python -m pipeline",
        usage="python -m pipeline VERB [options]   (VERB --help shows a verb's own)",
        epilog="`make help` shows the commands that put these together.",
    )
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, purpose in VERBS.items():
        verbs.add_parser(verb, help=purpose, add_help=False)
    verb = parser.parse_args(arguments[:1]).verb
    # Being killed politely is an interrupt too, as is the end of the terminal, unless nohup has it ignored.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.default_int_handler)
    try:
        importlib.import_module(".tracking.location", __package__).set_mlflow_defaults()
        if verb in TRACKED:  # MLflow and TensorFlow take seconds to import: side by side, in two processes
            importlib.import_module(".tracking.writer_client", __package__).start()
        room = "stages" if verb in STAGES else "commands"
        module = importlib.import_module(f".{room}.{verb}", __package__)
        options = argparse.ArgumentParser(prog=f"python -m pipeline {verb}", description=module.__doc__)
        module.add_arguments(options)
        given = argparse.Namespace(began=began) if verb == "tune" else None  # its budget counts from there
        module.run(options.parse_args(arguments[1:], given))
    except InputError as error:
        mend = f": {remedy(error.option)}" if error.option else ""
        print(f"convtext: {error}{mend}", file=sys.stderr)
        return 2
    except Refused as error:
        print(f"convtext: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        return 141  # as of a program that the signal ends: who read the output, such as `head`, has enough
    except OSError as error:
        # A full disk, a folder without permission: nothing of ours to trace.
        print("; ".join([f"convtext: {verb}: {error}", *notes(error)]), file=sys.stderr)
        return 2
    except (KeyboardInterrupt, SystemError) as error:
        if not is_interrupt(error):
            raise
        left = notes(error) or ["nothing half-written is left"]
        print("; ".join([f"\nconvtext: {verb} was interrupted", *left]), file=sys.stderr)
        return 130
    return 0


def notes(error: BaseException) -> list[str]:
    """Return the notes that handlers attached to the error."""
    return getattr(error, "__notes__", [])


def script() -> NoReturn:
    """Run the verb that the command line names, and leave without the interpreter's tear-down.

    It is TensorFlow's, and takes seconds.
    """
    code = main(sys.argv[1:])
    with suppress(BrokenPipeError):
        sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    script()
