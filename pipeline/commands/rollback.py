"""Make the champion before the present one the champion again; called again, the one before that.

Reads and moves the alias in MLflow, and fetches the model for `predict`.
"""

from __future__ import annotations

from ..artifacts import ChampionFiles
from ..config import loading, words
from ..config.command_line import Words
from ..files import exclusive
from ..release import champions, registry
from ..release.champion_page import Act, rolled_back_event
from ..terminal import say
from ..tracking.provenance import user


def run(given: Words) -> None:
    corpus, model = loading.resolved(given[words.CORPUS], "")
    name = loading.run_folder(corpus, model).parent.name
    with exclusive(ChampionFiles(name).lock):
        champions.refresh(name)  # notes an alias moved in MLflow's pages, whatever comes of the rollback
        previous, champion = registry.previous(name)
        champions.ensure_local(previous.model_id)  # first: if that fails, nothing has changed
        registry.set_champion(name, previous, champion.number)
        event = rolled_back_event(previous.number, champion.number, Act.of(user()))
        registry.tell(name, event, previous.number)
        champions.refresh(name)
    now = f"version {previous.number} ({previous.title})"
    say(f"rollback: {name} {now} is the champion, in place of {champion.number}")
