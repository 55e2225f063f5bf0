"""Which AppProject each repository's Secret on the hub is scoped to, so that they follow their projects."""

from __future__ import annotations

from collections.abc import Iterator

from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Kind
from trio_argoagent.sync import entitlement, kinds

Member = tuple[Kind, str]
"""Kind and name of a Secret in Argo CD's namespace."""


class Scoped:
    """See the module. It holds names, nothing of what the Secrets say beside."""

    def __init__(self) -> None:
        self._project: dict[Member, str] = {}
        self._members: dict[str, dict[Member, None]] = {}

    def changed(self, kind: Kind, change: Change) -> None:
        """An object of the hub has changed."""
        if kinds.BASE[kind].within is None:
            return
        member = (kind, change.object.meta.name)
        before = self._project.pop(member, None)
        if before is not None:
            self._members[before].pop(member)
            if not self._members[before]:
                del self._members[before]
        if change.new is not None:
            named = self._project[member] = entitlement.project_of(change.new)
            self._members.setdefault(named, {})[member] = None

    def members(self, project: str) -> Iterator[Member]:
        """The Secrets that are scoped to this project; empty: those that name none."""
        yield from tuple(self._members.get(project, ()))
