"""The verbs that only look: get, list, watch, and what there is to look at."""

from __future__ import annotations

from collections.abc import Sequence

from trio_argoagent.apiserver.core import reading
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.registry import Registry, Target
from trio_argoagent.apiserver.core.store import Store
from trio_argoagent.apiserver.core.values import Page, Stored
from trio_argoagent.apiserver.core.watching import Watch
from trio_argoagent.model.resources import Resource


class Reads:
    """The reading half of ``ApiServer``."""

    def __init__(self, history: int) -> None:
        self._store = Store(history)
        self._registry = Registry(self._store)

    # --- what is served -----------------------------------------------------------------------------------

    def resource(self, group: str, version: str, plural: str) -> ResourceType:
        """The type behind a request path.

        Raises:
            NotFound: nothing of that name is served.
        """
        return self._registry.get(group, version, plural)

    def resources(self) -> Sequence[ResourceType]:
        """Everything that is served, in the order in which it was added."""
        return self._registry.all()

    def resource_of(self, group: str, plural: str) -> Resource | None:
        """The resource of a collection in its first served version; None if it is not served."""
        return self._registry.resource_of(group, plural)

    # --- reading ------------------------------------------------------------------------------------------

    def get(self, resource: Target, namespace: str, name: str) -> Stored:
        """One object as it is now.

        Raises:
            NotFound: there is none.
        """
        return self._registry.find(self._registry.for_request(resource, "get", namespace), namespace, name)

    def list(
        self,
        resource: Target,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        match: str = "",
        limit: int = 0,
        continue_token: str = "",
    ) -> Page:
        """One page of a collection; ``namespace`` empty: of all namespaces; ``limit`` 0: all of it.

        ``resource_version`` empty or "0" is the newest state, else ``match`` (``Exact``, ``NotOlderThan`` or
        empty) decides. ``continue_token`` is that of the page before: all pages show the first one's state.

        Raises:
            BadRequest: a selector or the token is not one.
            Invalid: the options contradict each other.
            Expired: that state is no longer known.
            Unavailable: 504, nobody has written that version yet.
        """
        kind = self._registry.for_request(resource, "list", namespace, of_one=False)
        return reading.list_page(
            self._store,
            kind,
            reading.Selection(namespace if kind.resource.namespaced else "", labels, fields),
            resource_version=resource_version,
            match=match,
            limit=limit,
            continue_token=continue_token,
        )

    def watch(
        self,
        resource: Target,
        namespace: str = "",
        *,
        labels: str = "",
        fields: str = "",
        resource_version: str = "",
        match: str = "",
        initial_events: bool | None = None,
        bookmarks: bool = False,
    ) -> Watch:
        """Follow a collection from just after ``resource_version``.

        Empty or "0" begins with the state as ADDED events. So does ``initial_events``, which wants ``match``
        to be ``NotOlderThan`` and, with bookmarks, ends them with one; None: it was not asked for.

        Raises:
            BadRequest: a selector is not one.
            Invalid: the options contradict each other.
            Expired: the history does not reach back that far. On the wire: a 200 and one ERROR event.
            Unavailable: 504, initial events of a version that nobody has written yet.
        """
        kind = self._registry.for_request(resource, "watch", namespace, of_one=False)
        return reading.open_watch(
            self._store,
            kind,
            reading.Selection(namespace if kind.resource.namespaced else "", labels, fields),
            resource_version=resource_version,
            match=match,
            initial_events=initial_events,
            bookmarks=bookmarks,
        )
