"""Shows what is refused on the objects here that it is about.

An Application says it as its condition ``AgentError``, written beside its status whenever no status is due
anyway; for an AppProject, and for what is gone here but not there, it is a Kubernetes Event. What shall be
seen follows at any time from what stands (``refusals``), so nothing is lost by a write that fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.executor import Executor, NextStep, TryLater
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.replication.refusals import MAX_MESSAGE, Name, Place, Refusals
from trio_argoagent.sync import conditions, kinds, steps

RECHECK: Final = 3.0
"""Seconds between two looks at what stands, while anything does: what mends it need not be told to us."""
HIDDEN: Final = "nothing of it travels"
RETRY: Final = 1.0
"""Seconds until an object that could not be written is tried again."""


class Telling:
    """See the module.

    Args:
        applications: writes on this side's Applications.
        refusals: what stands.
        happenings: for what has no conditions.
        key_of: the key of an object here, by its kind, namespace and name; None: not ours.
        env: wall time.
        report: told each time that something new is to be seen.
        remark: what an Application of ours itself gives reason to say, besides what is refused of it.
    """

    def __init__(
        self,
        applications: Executor,
        refusals: Refusals,
        happenings: Happenings,
        key_of: Callable[[Kind, Name], Key | None],
        env: Env,
        report: Callable[[str], None],
        remark: Callable[[Object], str] = lambda app: "",
    ) -> None:
        self.refusals, self._remark = refusals, remark
        self._applications, self._happenings, self._key_of = applications, happenings, key_of
        self._env, self._report = env, report
        self._touched: dict[Place, None] = {}
        self._told: dict[Place, str] = {}
        self._bell = Bell()

    def heard(self, key: Key, outcome: Outcome, reason: str, *, local: bool = False) -> None:
        """A record of this key was answered (``local``: by this side)."""
        place = self.refusals.place(key)
        if self.refusals.heard(key, outcome, reason, trio.current_time(), local=local):
            self.touch(*place)
        elif place[0] is Kind.APPLICATION and (app := self._applications.known.get(*place[1])) is not None:
            self.look(app)  # What it still says may be over now.

    def changed(self, key: Key, change: Change) -> None:
        """An object here that this side owns has changed: it is said while it cannot be read."""
        if change.new is not None and change.new.unreadable:
            self.heard(key, Outcome.REJECTED, f"{change.new.unreadable}: {HIDDEN}", local=True)
        elif change.old is not None and change.old.unreadable and self.refusals.forget(key):
            self.touch(*self.refusals.place(key))

    def touch(self, kind: Kind, name: Name) -> None:
        """Look at this object again."""
        self._touched[kind, name] = None
        self._bell.ring()

    def look(self, app: Object) -> None:
        """This Application has changed, or what is known of the other side has."""
        name = (app.meta.namespace, app.meta.name)
        stands = self.refusals.stands(Kind.APPLICATION, name)
        if stands or conditions.may_stand(app) or self._remark(app):
            self.touch(Kind.APPLICATION, name)

    def message(self, app: Object) -> str | None:
        """What this Application shall say; see ``Refusals.wanted``."""
        key = self._key_of(Kind.APPLICATION, (app.meta.namespace, app.meta.name))
        if key is None:
            return self._remark(app) or None  # Not ours to say anything else of.
        refused = self.refusals.wanted(key, trio.current_time())
        if refused is None:
            return None
        return "; ".join(filter(None, (refused, self._remark(app))))[:MAX_MESSAGE]

    async def run(self) -> None:
        """Show until cancelled."""
        while True:
            await self._bell.wait(self._next_look())
            self._told = {place: text for place, text in self._told.items() if self.refusals.stands(*place)}
            for place in self.refusals.places():
                self._touched[place] = None
            while self._touched:
                place = next(iter(self._touched))
                del self._touched[place]
                await self._show(*place)

    def _next_look(self) -> float | None:
        if not self.refusals:
            return None
        now = trio.current_time()
        return min(now + RECHECK, self.refusals.next_deadline(now) or float("inf"))

    async def _show(self, kind: Kind, name: Name) -> None:
        live = self._applications.known.get(*name) if kind is Kind.APPLICATION else None
        if live is None or live.unreadable:
            await self._announce(kind, name, live)
            return
        done = await self._applications.bring_about(*name, NextStep(self._next_step))
        if isinstance(done, TryLater) or done.outcome is Outcome.PENDING:
            self.touch(kind, name)
            after = done.after if isinstance(done, TryLater) else None
            await trio.sleep(RETRY if after is None else after)

    def _next_step(self, app: Object) -> steps.Step | None:
        if app.unreadable:
            return None  # A status that cannot be read would be written over.
        message = self.message(app)
        self._tell((Kind.APPLICATION, (app.meta.namespace, app.meta.name)), message)
        return conditions.show(app, message, self._env.timestamp())

    async def _announce(self, kind: Kind, name: Name, live: Object | None) -> None:
        """Say it as an Event: here is no Application that could, or none whose conditions can be read."""
        if kind is Kind.APPLICATION and live is None:
            self.refusals.forget_local(name)
        key = self._key_of(kind, name)
        message = self.refusals.wanted(key, trio.current_time()) if key is not None else None
        self._tell((kind, name), message)
        if message:
            resource = kinds.BASE[kind].resource
            about = Involved(resource.api_version, resource.kind, *name)
            await self._happenings.say(about, f"{resource.kind} {name[1]}: {message}")

    def _tell(self, place: Place, message: str | None) -> None:
        if message and self._told.get(place) != message:
            self._report(f"{place[0]} {'/'.join(place[1])}: {message}")
        if message:
            self._told[place] = message
