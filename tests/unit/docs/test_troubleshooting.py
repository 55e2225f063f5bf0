"""docs/troubleshooting.md speaks of what the programs say."""

from __future__ import annotations

import re

import pytest

from ..runtime.said import events
from .pages import NAMES, anchors, text_of

PAGE = text_of("docs/troubleshooting.md")
EVENTS = sorted(
    {*re.findall(r"`([a-z]+(?:-[a-z]+)+)(?: [^`]*)?`", PAGE)} - {"argocd-redis", "trio-argoagent"}
)
ALERT = re.compile(r"`(Argoagent\w+)`")


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_is_logged(event: str) -> None:
    """By some part of the programs."""
    assert event in events()


def test_events_are_found() -> None:
    """What is looked at is what there is."""
    assert {"link-broken", "redis-lost", "tombstones-off"} < {*EVENTS}


@pytest.mark.parametrize("page", NAMES)
def test_an_alert_is_one(page: str) -> None:
    """It has its section."""
    assert {name.lower() for name in ALERT.findall(text_of(page))} <= anchors("docs/metrics.md")
