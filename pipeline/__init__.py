"""convtext: a labelled CSV in; a small, fast, explained, tracked classifier out; the next CSV labelled.

The line, one verb a module, one verb a Makefile target:

    CSV - prepare - tokenize - embed - train - evaluate          CSV - predict - CSV
                            `- baseline -----'

A verb reads files, calls nouns, writes files. Every other module is a noun: it computes, and knows
neither the file layout nor the command line.

In Python: `ConvtextClassifier`, an estimator of scikit-learn, and `Classifier`, a trained model.
"""

from importlib import import_module
from typing import Any

from .errors import missing_package

__all__ = ["Classifier", "ConvtextClassifier"]
__version__ = "0.1.0"

# Imported when they are asked for: the commands start without scikit-learn.
_HOMES = {
    "Classifier": ".prediction.classifier",
    "ConvtextClassifier": ".estimator.convtext_classifier",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(_HOMES[name], __name__), name)
    except ModuleNotFoundError as error:
        if line := missing_package(error):
            raise ImportError(f"{name}: {line}") from error
        raise
