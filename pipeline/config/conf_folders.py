"""The folders `conf/corpora` and `conf/models`: the user's first, then the program's.

The user's is `conf` in the current directory; the program's is the checkout's, or where it is installed the
package's. Messages call both `conf/models`.
"""

from __future__ import annotations

from pathlib import Path

from ..environment.checkout import CHECKOUT, PACKAGE


class ConfFolder:
    """YAML files by name, in several folders: a file hides those of its name in later folders."""

    def __init__(self, *folders: Path, new_files: Path) -> None:
        self._folders = folders
        self._new_files = new_files

    def find(self, name: str) -> Path | None:
        """Return the file of that name; None where there is none."""
        paths = (folder / f"{name}.yaml" for folder in self._folders)
        return next((path for path in paths if path.is_file()), None)

    def names(self) -> list[str]:
        """Return the names of all files, sorted; a file that begins with a point is half written."""
        return sorted({path.stem for folder in self._folders for path in folder.glob("[!.]*.yaml")})

    def new_file(self, name: str) -> Path:
        """Return the path at which a file of that name is to be written."""
        return self._new_files / f"{name}.yaml"


def conf_folder(kind: str, checkout: Path | None, package: Path) -> ConfFolder:
    """Return the folder of one kind; new files are the checkout's, or else below the current directory."""
    users, programs = Path("conf", kind), (checkout or package) / "conf" / kind
    return ConfFolder(users, programs, new_files=programs if checkout else users)


def shown_path(path: Path) -> Path:
    """Return a file of conf as messages name it: `conf/models/mine.yaml`, wherever conf is."""
    return Path(*path.parts[-3:]) if path.parts[-3:-2] == ("conf",) else path


CORPORA = conf_folder("corpora", CHECKOUT, PACKAGE)
MODELS = conf_folder("models", CHECKOUT, PACKAGE)
