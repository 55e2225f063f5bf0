"""When the notifications controller has something to say."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.model.objects import Object
from trio_argoagent.testing.argocd.notifications import note_of


@pytest.mark.parametrize(
    ("state", "reconciled", "says"),
    [
        (None, "t9", False),
        ({"phase": "Running"}, "t9", False),
        ({"phase": "Succeeded", "finishedAt": "t5"}, "t4", False),
        ({"phase": "Succeeded", "finishedAt": "t5"}, "t5", True),
        ({"phase": "Failed", "finishedAt": "t5"}, "t9", False),
    ],
)
def test_it_waits_for_the_reconciliation_after_the_sync(state: Any, reconciled: str, says: bool) -> None:
    """Else it would alert of a state that nobody has looked at."""
    status = {"operationState": state, "reconciledAt": reconciled}
    app = Object.of({"metadata": {"name": "web"}, "status": status})
    assert bool(note_of(app)) is says


def test_an_application_without_status_is_silent() -> None:
    """It has not been looked at yet."""
    assert note_of(Object.of({"metadata": {"name": "web"}})) == ""
