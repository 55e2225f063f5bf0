"""The order in which an Application and what it needs come and go."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Record
from trio_argoagent.replication.dependencies import (
    NEEDED,
    WAITS_FOR_PROJECT,
    WAITS_FOR_REPOSITORY,
    Arriving,
    Dependencies,
)
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.repositories import repo_creds, repository

URL = "https://git.example.com/team/app"
SOURCE = {"repoURL": URL, "path": "."}
ONE = Key(Kind.REPOSITORY, "argocd", "one")
MANY = Key(Kind.REPO_CREDS, "argocd", "many")


def record(key: Key, value: dict[str, Any] | None) -> Record:
    """A record of credentials."""
    body = canonical({"data": value["data"]}) if value is not None else None
    return Record(key, "u", "D", "1", body)


def arriving(*waiting: Key) -> Arriving:
    """Both are noted, these are still waiting."""
    found = Arriving(lambda key: key in waiting)
    found.note(record(ONE, repository("one", url=URL)))
    found.note(record(MANY, repo_creds("many", url="https://git.example.com/")))
    return found


def order(arrive: Arriving, *apps: Object, leaving: tuple[str, ...] = ()) -> Dependencies:
    """With the project ``team``, and these Applications."""
    return Dependencies(
        lambda: apps, lambda name: name == "team", lambda app: app.meta.name in leaving, arrive.serving
    )


def app(name: str = "web", **meta: Any) -> Object:
    """An Application of the project ``team`` and that repository."""
    value = application(name, project="team", source=SOURCE)
    value["metadata"] |= meta
    return Object.of(value)


@pytest.mark.parametrize("waiting", [(ONE,), (MANY,), (ONE, MANY)])
def test_an_application_waits_for_its_credentials(waiting: tuple[Key, ...]) -> None:
    """Whichever of them are on their way."""
    body = {"spec": {"project": "team", "source": SOURCE}}
    assert order(arriving(*waiting)).misses(body) == WAITS_FOR_REPOSITORY


def test_nothing_to_wait_for() -> None:
    """They have come, or are somebody else's."""
    body = {"spec": {"project": "team", "source": SOURCE}}
    assert order(arriving()).misses(body) == ""
    other = {"spec": {"project": "team", "source": {"repoURL": "https://example.org/x"}}}
    assert order(arriving(ONE, MANY)).misses(other) == ""


def test_withdrawn_credentials_are_not_waited_for() -> None:
    """A tombstone takes the place of the value."""
    found = arriving(ONE)
    found.note(record(ONE, None))
    assert not found.serving("https://git.example.com/team/app")


def test_a_project_comes_first() -> None:
    """It is what Argo CD looks at first."""
    missing = {"spec": {"project": "other", "source": SOURCE}}
    assert order(arriving(ONE)).misses(missing) == f"{WAITS_FOR_PROJECT} other"


@pytest.mark.parametrize("leaving", [(), ("web",)])
def test_credentials_stay_for_an_application_that_goes(leaving: tuple[str, ...]) -> None:
    """For hooks that still need them; but no longer than ten seconds."""
    live = Object.of(repository("one", url=URL))
    rules = order(arriving(), app(), leaving=leaving)
    held = f"Application web {NEEDED}" if leaving else ""
    assert rules.holds_back(ONE, live, patient=True) == held
    assert rules.holds_back(ONE, live, patient=False) == ""


def test_a_project_stays_however_long() -> None:
    """Without it the Application would never go."""
    deleting = app(deletionTimestamp="2026-01-01T00:00:00Z")
    project = Object.of(app_project("team"))
    key = Key(Kind.APP_PROJECT, "argocd", "team")
    assert order(arriving(), deleting).holds_back(key, project, patient=False) == f"Application web {NEEDED}"
