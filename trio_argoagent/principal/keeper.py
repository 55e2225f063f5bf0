"""What the principal itself writes on the hub's Applications and AppProjects, beside statuses and mirrors.

It stamps new requests (they become intents), answers those that a spoke has rejected or that have expired,
and takes Argo CD's finalizers off objects whose deletion the spoke has carried out: nobody on the hub would
do it. All of it follows from the object and from what the replica has answered, so a crash loses nothing.

**Expiry.** The stamp says until when a sync may be started. The agent is told how many seconds are left, and
decides: it alone knows whether it has started it. Where it says nothing, because it is away, the request is
answered here ``GRACE`` seconds later. Should it have been started all the same (the link broke before we were
told), the spoke's status names the intent, and takes the place of our answer (``overlay``). So a sync starts
at most once, not after its time, and what the hub shows in the end is true; no clocks are ever compared.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final

import attrs
import trio

from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome
from trio_argoagent.ports.env import Env
from trio_argoagent.principal.alarms import Alarms
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.executor import Executor, NextStep, TryLater
from trio_argoagent.sync import intents, names, operations, plan, steps
from trio_argoagent.sync.operations import Origin

RETRY: Final = 1.0
"""Seconds until an object that could not be written is tried again."""
GRACE: Final = 10.0
"""Seconds from a sync's expiry until we answer for an agent that does not: its answer may be under way."""


@attrs.frozen
class _Stamp:
    """An operation as it was stamped: on which object, with which id and expiry; the digest of the rest."""

    uid: str
    id: str
    until: int
    told: str

    def asks_as(self, other: _Stamp) -> bool:
        """Is the same asked of the same object?"""
        return (self.uid, self.told) == (other.uid, other.told)


class Keeper:
    """One resource's objects of one agent.

    Args:
        executor: of the resource on the hub.
        env: ids and time stamps.
        carried_out: has the spoke carried out the deletion of this object?
        takes_part: is it this agent's at all? What is not, somebody else looks after, its finalizers too.
        started: has the spoke started the sync that stands on this object?
        expiry: seconds in which a sync must be started; 0: it may wait for ever.
        tell: told of syncs that have expired here: name, text, level.
    """

    def __init__(
        self,
        executor: Executor,
        env: Env,
        carried_out: Callable[[Object], bool],
        takes_part: Callable[[Object], bool],
        started: Callable[[Object], bool],
        expiry: float = 0.0,
        tell: Callable[[str, str, str], None] = lambda name, text, level: None,
    ) -> None:
        self._executor, self._env = executor, env
        self._carried_out, self._takes_part = carried_out, takes_part
        self._started, self._expiry, self._tell = started, expiry, tell
        self._alarms = Alarms()
        self._rejected: dict[tuple[str, str], tuple[str, str]] = {}
        self._standing: dict[tuple[str, str], _Stamp] = {}
        self._touched: dict[tuple[str, str], None] = {}
        self._bell = Bell()

    def touch(self, namespace: str, name: str) -> None:
        """This object, or what is known of its copy, has changed."""
        place, obj = (namespace, name), self._executor.known.get(namespace, name)
        self._follow(place, obj)
        if obj is None or obj.deleting or "operation" in obj.fields or place in self._rejected:
            self._touched[place] = None
            self._bell.ring()

    def reject(self, namespace: str, name: str, intent: str, message: str) -> None:
        """The spoke cannot run this sync."""
        self._rejected[namespace, name] = (intent, message)
        self.touch(namespace, name)

    def ended(self, namespace: str, name: str, intent: str) -> None:
        """This intent has ended: whatever is asked for from now on is asked for anew."""
        standing = self._standing.get((namespace, name))
        # The answer to the write that ended it may come after the next request has been stamped.
        if standing is not None and standing.id == intent:
            del self._standing[namespace, name]

    def _follow(self, name: tuple[str, str], obj: Object | None) -> None:
        """Remember whose operation stands, for when somebody takes our entry out of it."""
        operation = obj.get("operation") if obj is not None else None
        entry = operations.classify(operation)
        if obj is None or entry.origin is Origin.NONE:
            self._standing.pop(name, None)
        elif entry.origin is Origin.INTENT:
            told = operations.told(operation)
            self._standing[name] = _Stamp(obj.meta.uid, entry.id, entry.until, told)
        if entry.until:
            self._alarms.set(name, entry.until + GRACE)
        else:
            self._alarms.clear(name)

    def _stamp_for(self, obj: Object) -> _Stamp:
        """The stamp for what this object asks for.

        A progressive sync overwrites ``info``, and so our entry, as long as its Application is Pending: an
        equal operation that has stood ever since is no new request. Argo CD itself would not see it as one.
        """
        name = (obj.meta.namespace, obj.meta.name)
        until = math.ceil(self._env.now() + self._expiry) if self._expiry else 0
        stamp = _Stamp(obj.meta.uid, self._env.new_id(), until, operations.told(obj.get("operation")))
        standing = self._standing.get(name, stamp)
        return standing if standing.asks_as(stamp) else stamp

    async def run(self) -> None:
        """Keep until cancelled."""
        while True:
            await self._bell.wait(self._deadline())
            for name in self._alarms.take(self._env.now()):
                self._touched[name] = None
            while self._touched:
                name = next(iter(self._touched))
                del self._touched[name]
                done = await self._executor.bring_about(*name, NextStep(self._next_step))
                if self._executor.known.get(*name) is None:
                    self._rejected.pop(name, None)
                if isinstance(done, TryLater) or done.outcome is Outcome.PENDING:
                    # Pending: we are not allowed to. An operator may change that, and no event will tell.
                    self.touch(*name)
                    after = done.after if isinstance(done, TryLater) else None
                    await trio.sleep(RETRY if after is None else after)

    def _deadline(self) -> float | None:
        due = self._alarms.next()
        return None if due is None else trio.current_time() + max(0.0, due - self._env.now())

    def _next_step(self, obj: Object) -> steps.Step | None:
        name = (obj.meta.namespace, obj.meta.name)
        if not self._takes_part(obj):
            return None
        if name in self._rejected:
            answer = intents.answer_rejected(obj, *self._rejected[name], at=self._env.timestamp())
            if answer is not None:
                self._standing.pop(name, None)
                return answer
            del self._rejected[name]
        if self._is_expired(obj):
            if self._standing.pop(name, None) is not None:
                self._tell("sync-expired", f"{'/'.join(name)}: {intents.EXPIRED}", "warning")
            entry = operations.classify(obj.get("operation"))
            return intents.answer_rejected(obj, entry.id, intents.EXPIRED, self._env.timestamp())
        if obj.deleting and any(names.is_argo_finalizer(finalizer) for finalizer in obj.finalizers):
            return plan.strip(obj) if self._carried_out(obj) else None
        if obj.get("operation") is None:
            return None
        stamp = self._stamp_for(obj)
        return intents.stamp(obj, stamp.id, stamp.until)

    def _is_expired(self, obj: Object) -> bool:
        until = operations.classify(obj.get("operation")).until
        late = bool(until) and self._env.now() >= until + GRACE
        return late and not self._started(obj)
