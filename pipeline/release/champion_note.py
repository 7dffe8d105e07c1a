"""The note of a corpus's champion in data/tracking/champions/, by which `predict` starts without MLflow."""

from __future__ import annotations

from pydantic import ValidationError

from ..artifacts import ChampionFiles, MlflowModelFolder
from ..files import write_json
from ..options import Section
from ..tracking.location import redacted_uri

CHAMPION = "champion"  # the alias in MLflow


class Champion(Section):
    """A version of the registered model `corpus` in the store; `title` is the run's name."""

    corpus: str
    store: str
    version: str
    model_id: str
    title: str

    @property
    def files(self) -> MlflowModelFolder:
        return ChampionFiles(self.corpus).model(self.model_id)


def read_note(corpus: str) -> Champion | None:
    """Return the champion noted for the store in use, if its model is still on this machine."""
    try:
        champion = Champion.model_validate_json(ChampionFiles(corpus).note.read_bytes())
    except (OSError, ValidationError):
        return None
    return champion if champion.store == redacted_uri() and champion.files.classifier.is_dir() else None


def write_note(champion: Champion) -> None:
    write_json(ChampionFiles(champion.corpus).note, champion.model_dump())


def remove_note(corpus: str) -> None:
    ChampionFiles(corpus).note.unlink(missing_ok=True)
