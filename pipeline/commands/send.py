"""Send the runs that no tracking server took to the store that MLFLOW_TRACKING_URI names now.

Reads data/tracking/unsent/, where `train` and `evaluate` keep them; removes what was sent.
"""

from __future__ import annotations

from ..config.command_line import Words
from ..errors import InputError
from ..terminal import say
from ..tracking import location, mlflow_calls


def run(given: Words) -> None:
    say(f"send: to {location.redacted_uri()}")
    sent = []
    for result in mlflow_calls.send():
        say(f"  {result.message}")
        sent.append(result.is_sent)
    if not sent:
        say("  nothing was unsent")
    if not all(sent):
        folder = location.tracking_folder() / "unsent"
        raise InputError(f"{sent.count(False)} of {len(sent)} runs stay in {folder}")
