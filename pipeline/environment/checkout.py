"""Where the program lies: in a checkout, as `pipeline`, or installed, as `convtext`."""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def find_checkout(package: Path) -> Path | None:
    """Return the root of the checkout that a package lies in; None where it is installed."""
    root = package.parent
    return root if (root / "Makefile").is_file() and (root / "conf" / "models").is_dir() else None


CHECKOUT = find_checkout(PACKAGE)


def python_path() -> str:
    """Return the PYTHONPATH by which another process finds this package; installed it is found anyway."""
    return os.pathsep.join(filter(None, [str(CHECKOUT or ""), os.environ.get("PYTHONPATH")]))
