"""Applications of the hub that are nobody's: no agent is called as they say, or the one that was has gone.

That one waits for an agent is said as a Kubernetes Event about it, again and again while it is so, and once
in the log. What was once refused of it may stand on it as the condition ``AgentError``, with nobody left to
vouch for that: it goes. Nothing else is written on what may be the hub's own.
"""

from __future__ import annotations

import base64
import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Final

import trio

from trio_argoagent import errors
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, SECRETS
from trio_argoagent.principal import clusters
from trio_argoagent.principal.hub import Hub
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.executor import NextStep, TryLater
from trio_argoagent.replication.happenings import Happenings, Involved
from trio_argoagent.sync import conditions, names, steps
from trio_argoagent.sync.destinations import destination_of

GRACE: Final = 1.0
"""Seconds from a change to the look at it: an agent and its Applications often come together."""
RECHECK: Final = 60.0
"""Seconds between two looks while any of them waits."""
MAX_WAITING: Final = 10_000
"""Applications that are said to wait; the log counts the others."""
OTHERS: Final = f"{clusters.SECRET_TYPE}=cluster,!{names.AGENT_NAME}"
"""The label selector of the clusters that the hub's own Argo CD deploys to."""

Name = tuple[str, str]
"""Namespace and name."""


class Unclaimed:
    """See the module.

    Args:
        hub: its objects.
        claimed: has an agent this Application, or anything to say on it?
        waits: does it name an agent, whether there is one or not?
        report: told once of each name that an Application waits for: the agent, and one line.
    """

    def __init__(
        self,
        hub: Hub,
        claimed: Callable[[Object], bool],
        waits: Callable[[Object], bool],
        report: Callable[[str, str], None],
    ) -> None:
        self._hub, self._claimed, self._waits, self._report = hub, claimed, waits, report
        self._writes = hub.stores.executors(hub.cluster)[Kind.APPLICATION]
        self._happenings = Happenings(hub.cluster, hub.env, _itself)
        self._touched: dict[Name, None] = {}
        self._waiting: dict[Name, str] = {}
        self._all = False  # Is each of them to be looked at?
        self._bell = Bell()

    @property
    def waiting(self) -> Mapping[Name, str]:
        """The Applications that wait, as of the last look, and for which agent."""
        return self._waiting

    def changed(self, change: Change) -> None:
        """An Application has changed."""
        app = change.object
        name = (app.meta.namespace, app.meta.name)
        if change.new is None:
            self._waiting.pop(name, None)
        elif name in self._waiting or self._may_have_left(change):
            self._touched[name] = None
            self._bell.ring()

    def _may_have_left(self, change: Change) -> bool:
        """Could it be nobody's from now on? What it says otherwise, and there is much, decides nothing."""
        old, app = change.old, change.object
        if old is not None and old.labels == app.labels and destination_of(old) == destination_of(app):
            return False
        return self._may_be_nobodys(app)

    def _may_be_nobodys(self, app: Object) -> bool:
        return self._waits(app) or conditions.may_stand(app)

    def agents_changed(self) -> None:
        """An agent has come or gone: any Application may be nobody's, or somebody's, now."""
        self._all = True
        self._bell.ring()

    async def run(self) -> None:
        """Look, clear and say until cancelled; to be started once it is known which agents there are."""
        while True:
            await self._bell.wait(trio.current_time() + RECHECK if self._waiting else None)
            await trio.sleep(GRACE)
            touched, self._touched = self._touched | dict.fromkeys(self._waiting), {}
            if self._all:
                touched |= dict.fromkeys(self._hub.informer(Kind.APPLICATION).objects)
                self._all = False
            found = await self._nobodys(touched)
            for app in found:
                await self._clear(app)
            await self._say(await self._waiters(found))

    async def _nobodys(self, those: Iterable[Name]) -> list[Object]:
        found = []
        for name in those:
            await trio.lowlevel.checkpoint()  # After a start, these are all that there are.
            app = self._hub.stores.get(Kind.APPLICATION, *name)
            if app is None or app.unreadable or not self._may_be_nobodys(app):
                continue
            if not self._claimed(app):
                found.append(app)
        return found

    async def _clear(self, app: Object) -> None:
        """Take off what nobody says any more."""
        if not conditions.may_stand(app):
            return

        def next_step(live: Object) -> steps.Step | None:
            return None if self._claimed(live) else conditions.show(live, "", self._hub.env.timestamp())

        name = (app.meta.namespace, app.meta.name)
        if isinstance(await self._writes.bring_about(*name, NextStep(next_step)), TryLater):
            self._touched[name] = None
            self._bell.ring()

    async def _waiters(self, found: Iterable[Object]) -> Mapping[Name, Object]:
        """Those of them that wait for an agent, and not for a cluster that the hub has by itself."""
        those = {(app.meta.namespace, app.meta.name): app for app in found if self._waits(app)}
        if not those:
            return {}
        try:
            others = await self._hub.cluster.list(SECRETS, self._hub.namespace, selector=OTHERS)
        except (errors.ApiError, errors.RemoteProtocolError):
            return {name: app for name, app in those.items() if name in self._waiting}
        own = {_cluster_name(secret) for secret in others.items}
        return {name: app for name, app in those.items() if destination_of(app) not in own}

    async def _say(self, waiting: Mapping[Name, Object]) -> None:
        before, self._waiting = self._waiting, {}
        for name, app in itertools.islice(waiting.items(), MAX_WAITING):
            agent = self._waiting[name] = destination_of(app)
            text = f"Application {'/'.join(name)} names {agent}, which is no agent here: it waits for one"
            if before.get(name) != agent:
                self._report(agent, text)
            about = Involved(APPLICATIONS.api_version, APPLICATIONS.kind, *name, app.meta.uid)
            await self._happenings.say(about, text)
        if len(waiting) > MAX_WAITING:
            self._report("", f"{len(waiting) - MAX_WAITING} more Applications name no agent here")


def _cluster_name(secret: Object) -> str:
    """How destinations name the cluster of this secret; empty: they cannot."""
    try:
        return base64.b64decode((secret.get("data") or {}).get("name") or "").decode()
    except ValueError:
        return ""


async def _itself(subject: Involved) -> Involved:
    await trio.lowlevel.checkpoint()
    return subject
