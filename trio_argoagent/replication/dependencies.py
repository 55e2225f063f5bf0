"""What Argo CD needs in order: an Application after what it names, and what it names after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Record
from trio_argoagent.replication.bodies import read_body
from trio_argoagent.sync import repositories
from trio_argoagent.sync.repositories import Credentials

CREDENTIALS: Final = (Kind.REPOSITORY, Kind.REPO_CREDS)
"""The kinds that hold them."""
WAIT: Final = 10.0
"""Seconds an Application waits for its AppProject and its repository's credentials: Argo CD does not look
again when they come. Credentials that are to go wait no longer for an Application that needs them to go."""
WAITS: Final = "waits for "
WAITS_FOR_PROJECT: Final = WAITS + "AppProject"
WAITS_FOR_REPOSITORY: Final = WAITS + "the credentials of its repository"
NEEDED: Final = "needs it to be deleted"


class Arriving:
    """The credentials that are on their way into the replica's cluster: what they are for, nothing else.

    Args:
        is_waiting: is the newest record of this key still to be brought about?
    """

    def __init__(self, is_waiting: Callable[[Key], bool]) -> None:
        self._is_waiting = is_waiting
        self._found: dict[Key, Credentials] = {}

    def note(self, record: Record) -> None:
        """A record is being taken."""
        if record.key.kind not in CREDENTIALS:
            return
        self._found.pop(record.key, None)
        try:
            body = read_body(record)
        except RemoteProtocolError:
            return  # It is refused by whoever is to bring it about.
        data = body.get("data") if body is not None else None
        found = repositories.credentials(record.key.kind, data) if isinstance(data, dict) else None
        if found is not None:
            self._found[record.key] = found

    def serving(self, url: str) -> bool:
        """Are credentials for this repository (normal form) on their way?"""
        self._found = {key: found for key, found in self._found.items() if self._is_waiting(key)}
        return any(found.serve(url) for found in self._found.values())


class Dependencies:
    """See the module.

    Args:
        applications: of the replica's cluster.
        project_exists: likewise.
        is_leaving: is it still to be brought about that this Application goes?
        credentials_arrive: are credentials for this repository (normal form) on their way?
    """

    def __init__(
        self,
        applications: Callable[[], Iterable[Object]],
        project_exists: Callable[[str], bool],
        is_leaving: Callable[[Object], bool],
        credentials_arrive: Callable[[str], bool] = lambda url: False,
    ) -> None:
        self._applications, self._project_exists = applications, project_exists
        self._is_leaving, self._arrive = is_leaving, credentials_arrive

    def misses(self, body: Mapping[str, Any]) -> str:
        """Why an Application with this body should wait; empty: all that it needs is there."""
        spec = body.get("spec") or {}
        project = spec.get("project") or "default"
        if not self._project_exists(project):
            return f"{WAITS_FOR_PROJECT} {project}"
        if any(self._arrive(url) for url in repositories.needed(spec)):
            return WAITS_FOR_REPOSITORY
        return ""

    def holds_back(self, key: Key, live: Object, *, patient: bool) -> str:
        """Why this object should stay for now; empty: no Application that goes needs it.

        Args:
            key: of the object.
            live: the object.
            patient: has its deletion waited for less than ``WAIT`` seconds?
        """
        if key.kind is Kind.APP_PROJECT:
            return self._needed(lambda spec: (spec.get("project") or "default") == live.meta.name)
        if key.kind in CREDENTIALS and patient:
            found = repositories.credentials(key.kind, live.get("data") or {})
            if found is not None:
                return self._needed(lambda spec: any(map(found.serve, repositories.needed(spec))))
        return ""

    def _needed(self, names_it: Callable[[Mapping[str, Any]], bool]) -> str:
        for app in self._applications():
            if (app.deleting or self._is_leaving(app)) and names_it(app.get("spec") or {}):
                return f"Application {app.meta.name} {NEEDED}"
        return ""
