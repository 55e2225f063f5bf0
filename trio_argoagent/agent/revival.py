"""Remembers the copies that somebody deletes, so that they come back as the policy says.

In memory only: a copy that was deleted while no agent ran comes back as a new one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Key
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Record
from trio_argoagent.replication.bodies import is_departure
from trio_argoagent.sync import names, policy
from trio_argoagent.sync.policy import Recreation
from trio_argoagent.sync.replica import Replica

MAX_LOST: Final = 1_000
"""Copies that are remembered; what is beyond comes back as new ones, the oldest first."""


class Revival:
    """See the module.

    Args:
        recreation: the policy.
        replica: knows which copies are wanted.
    """

    def __init__(self, recreation: Recreation, replica: Replica) -> None:
        self._recreation, self._replica = recreation, replica
        self._lost: dict[Key, Object] = {}

    def saw(self, key: Key, change: Change) -> None:
        """The object of this key has changed; call it before the replica is told."""
        self._lost.pop(key, None)
        old = change.old
        if change.new is not None or old is None or not self._is_missed(key, old):
            return
        if len(self._lost) >= MAX_LOST:
            # Those that have been withdrawn meanwhile need not be remembered.
            self._lost = {each: lost for each, lost in self._lost.items() if self._is_missed(each, lost)}
        if len(self._lost) >= MAX_LOST:
            del self._lost[next(iter(self._lost))]
        self._lost[key] = old

    def _is_missed(self, key: Key, old: Object) -> bool:
        """Did nobody ask for this? A copy that has to go, or to make room, is not put back."""
        wanted = self._replica.wanted(key) or self._replica.guarded(key)
        uid = old.annotations.get(names.SOURCE_UID)
        return wanted is not None and wanted.uid == uid and not is_departure(wanted)

    def revive(self, record: Record, fresh: Mapping[str, Any]) -> Mapping[str, Any]:
        """What to create for this record, instead of a new copy."""
        lost = self._lost.get(record.key)
        if lost is None or lost.annotations.get(names.SOURCE_UID) != record.uid:
            return fresh
        return policy.put_back(self._recreation, fresh, lost)
