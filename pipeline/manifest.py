"""A folder with a manifest: its format, and the digest of every other file, so that damage is found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from .errors import InputError
from .files import sha256, sha256_of, write_json
from .options import Section, first_fault
from .reading import read_bytes, readable, remedy

MANIFEST = "manifest.json"
MAX_BYTES = 32 << 20  # of the files of JSON that `VerifiedFolder` reads: hundreds of thousands of labels
Content = TypeVar("Content", bound=Section)


class _Manifest(Section):
    format: int
    sha256: dict[str, str]


def write_manifest(folder: Path, format_number: int) -> None:
    """Write the manifest of a folder whose other files are all there."""
    digests = {path.name: sha256(path) for path in sorted(folder.iterdir())}
    write_json(folder / MANIFEST, _Manifest(format=format_number, sha256=digests).model_dump())


class VerifiedFolder:
    """A folder's files, each checked against its digest before it is used.

    Opening and every method raise InputError with the file that is missing or was changed.
    """

    def __init__(self, folder: Path, format_number: int) -> None:
        """Read the manifest, which must have this format."""
        self._folder = folder
        self._manifest = self._parse(MANIFEST, _Manifest)
        if self._manifest.format != format_number:
            saved = self._manifest.format
            raise InputError(f"{folder}: format {saved} of the model is not {format_number}: {self._remedy}")

    def __contains__(self, name: str) -> bool:
        return name in self._manifest.sha256

    @property
    def names(self) -> list[str]:
        """The names of the files."""
        return [*self._manifest.sha256, MANIFEST]

    @property
    def digest(self) -> str:
        """One digest of all files."""
        return sha256_of(self._manifest.sha256.values())

    def verified(self, name: str) -> Path:
        """Return the path of a file that is as it was when the manifest was written."""
        path = self._folder / name
        with readable(path):
            digest = sha256(path)
        if digest != self._manifest.sha256.get(name):
            raise InputError(f"{path} was changed or cut since training: {self._remedy}")
        return path

    def read(self, name: str, content: type[Content]) -> Content:
        """Return the content of a file of JSON."""
        self.verified(name)
        return self._parse(name, content)

    @contextmanager
    def checking(self, name: str) -> Iterator[None]:
        """Say of an error in what a file holds, an array that is missing or does not fit, which file it is.

        Digests tell of damage by accident; who makes a file on purpose makes a manifest that fits it.
        """
        try:
            yield
        except KeyError as error:
            raise InputError(f"{self._folder / name}: no array {error}: {self._remedy}") from error
        except InputError as error:
            raise InputError(f"{self._folder / name}: {error}: {self._remedy}") from error

    def _parse(self, name: str, content: type[Content]) -> Content:
        path = self._folder / name
        try:
            return content.model_validate_json(read_bytes(path, MAX_BYTES))
        except ValidationError as error:
            raise InputError(f"{path}: {first_fault(error)}: {self._remedy}") from error

    @property
    def _remedy(self) -> str:
        return remedy(self._folder)
