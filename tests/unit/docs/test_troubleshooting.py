"""docs/troubleshooting.md speaks of what the programs say."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from .pages import NAMES, TOP, anchors, text_of

PAGE = text_of("docs/troubleshooting.md")
EVENTS = sorted(
    {*re.findall(r"`([a-z]+(?:-[a-z]+)+)(?: [^`]*)?`", PAGE)} - {"argocd-redis", "trio-argoagent"}
)
SOURCES: Sequence[str] = [path.read_text() for path in sorted((TOP / "trio_argoagent").rglob("*.py"))]
ALERT = re.compile(r"`(Argoagent\w+)`")


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_logged(event: str) -> None:
    """Some part of the programs has it."""
    assert any(f'"{event}"' in source for source in SOURCES)


def test_events_are_found() -> None:
    """What is looked at is what there is."""
    assert {"link-broken", "redis-lost", "tombstones-off"} < {*EVENTS}


@pytest.mark.parametrize("page", NAMES)
def test_an_alert_is_one(page: str) -> None:
    """It has its section."""
    assert {name.lower() for name in ALERT.findall(text_of(page))} <= anchors("docs/metrics.md")
