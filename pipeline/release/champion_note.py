"""The note of a corpus's champion in data/tracking/champions/, by which `predict` starts without MLflow."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, ValidationError

from ..artifacts import ChampionFiles, MlflowModelFolder, checked_id
from ..files import write_json
from ..options import Section
from ..tracking.location import store_fingerprint

CHAMPION = "champion"  # the alias in MLflow
Id = Annotated[str, AfterValidator(checked_id)]


class Champion(Section):
    """A version of the registered model `corpus`; `store` is its fingerprint, `title` the run's."""

    corpus: str
    store: str
    version: Id
    model_id: Id
    title: str

    @property
    def files(self) -> MlflowModelFolder:
        return ChampionFiles.model(self.model_id)


def read_note(corpus: str) -> Champion | None:
    """Return the champion noted for the store in use, if its model is still on this machine."""
    try:
        champion = Champion.model_validate_json(ChampionFiles(corpus).note.read_bytes())
    except (OSError, ValidationError):
        return None
    is_of = (champion.corpus, champion.store) == (corpus, store_fingerprint())
    return champion if is_of and champion.files.classifier.is_dir() else None


def write_note(champion: Champion) -> None:
    write_json(ChampionFiles(champion.corpus).note, champion.model_dump())


def remove_note(corpus: str) -> None:
    ChampionFiles(corpus).note.unlink(missing_ok=True)
