"""What turns image files into what a network for images takes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import InputError
from ..inputs import Images


@dataclass(frozen=True)
class ImageEncoder:
    """Image files -> images of one size, as in training: see `image_file.fitted`."""

    height: int
    width: int
    channels: int

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.height, self.width, self.channels

    @property
    def most(self) -> int:
        """Images that fill 64 MiB, for whoever encodes no more than that at a time."""
        return max(1, (64 << 20) // (self.height * self.width * self.channels))

    def encode(self, paths: Iterable[str | Path]) -> Images:
        """Raises InputError for a file that cannot be read."""
        paths = list(paths)
        images, reasons = self.encode_readable(paths)
        for path, reason in zip(paths, reasons, strict=True):
            if reason:
                raise InputError(f"{path}: {reason}")
        return images

    def encode_readable(self, paths: Iterable[str | Path]) -> tuple[Images, list[str]]:
        """The images that can be read, and for each path the reason why it cannot, or ""."""
        from .file import Unreadable, fitted, opened  # here, as texts need no Pillow

        found, reasons = [], []
        for path in paths:
            try:
                with opened(Path(path)) as image:
                    found.append(fitted(image, self.height, self.width, self.channels))
                reasons.append("")
            except Unreadable as error:
                reasons.append(str(error))
        shape = (len(found), self.height, self.width, self.channels)
        return Images.of(np.array(found, np.uint8).reshape(shape)), reasons

    def to_json(self) -> dict[str, int]:
        return {"height": self.height, "width": self.width, "channels": self.channels}

    @classmethod
    def from_json(cls, value: Any, name: str = "image encoder") -> ImageEncoder:
        """From what `to_json` gave. Raises InputError that begins with `name` for anything else."""
        keys = ("height", "width", "channels")
        sizes: list[Any] = [value.get(key) for key in keys] if isinstance(value, dict) else []
        if len(sizes) != 3 or any(type(size) is not int or size < 1 for size in sizes):
            raise InputError(f"{name}: no sizes of an image: train again")
        return cls(*sizes)
