"""What the questions about whole fleets share: a principal and agents as processes, and clusters in this one.

The clusters are embedded API servers over HTTPS. No Argo CD runs: a benchmark writes what it would write, and
nothing else disturbs. Where bytes of links are counted, agents reach the principal through a proxy, which is
in this process, too, and costs each message some tenths of a millisecond.
"""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import trio

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.bench.usage import usage_of
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, SpokePlan
from trio_argoagent.testing.machine import Machine
from trio_argoagent.testing.processes.fleet import OURS, Fleet, Hops, Node, open_fleet

KEEPALIVE: Final = 30.0
PATIENCE: Final = 120.0
"""Seconds for anything to come true."""
PAUSE: Final = 0.5
"""Seconds of silence before a measurement begins: what is counted up to its end waits for longer."""
PROVEN: Final = "in-step"
"""What a program tells when the other side is known to hold all that it should."""
LOOK: Final = 0.1
"""Seconds between two looks at the logs, which tell themselves when something was."""
RESOURCES: Final = 140
"""Entries of ``status.resources``: with them a whole Application is about 40 KB."""


@asynccontextmanager
async def open_rig(
    plans: Sequence[SpokePlan], command: Sequence[str] = OURS, *, counted: bool = True
) -> AsyncIterator[Fleet]:
    """A fleet of processes for as long as the block lasts.

    Args:
        plans: the agents.
        command: what starts trio-argoagent.
        counted: are bytes of links counted, or links cut? That needs the proxy.
    """
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        fleet = Fleet(
            1, plans, real_env(), place, place,
            controllers=False, command=command, proxied=Hops.LINKS if counted else Hops(0),
        )  # fmt: skip
        async with open_fleet(fleet, KEEPALIVE):
            with _surviving(fleet):
                yield fleet


@contextmanager
def _surviving(fleet: Fleet) -> Iterator[None]:
    """Nothing that is measured beside a program's death is a figure.

    Raises:
        UserError: a program has ended by itself; what the block has failed with is its cause.
    """
    try:
        yield
    except Exception as exc:
        _judge(fleet, exc)
        raise
    _judge(fleet, None)


def _judge(fleet: Fleet, cause: Exception | None) -> None:
    if deaths := [str(death) for program in fleet.programs.values() for death in program.deaths]:
        raise UserError("; ".join(deaths)) from cause


def agent_names(count: int) -> list[str]:
    """So many agents."""
    return [f"agent-{number:03}" for number in range(count)]


async def settle(fleet: Fleet, quiet: float | None = None) -> None:
    """Wait until both sides agree and nothing is written any more.

    Args:
        fleet: whole.
        quiet: see ``Fleet.wait_settled``.

    Raises:
        UserError: they never do; that is no figure.
    """
    if left := await fleet.wait_settled(PATIENCE, quiet):
        raise UserError(f"the fleet did not settle: {'; '.join(left[:3])}")


def status(number: int, entries: int = RESOURCES) -> dict[str, Any]:
    """A status as Argo CD would write it: the ``number`` is its revision.

    Args:
        number: what changes from one to the next.
        entries: of ``resources``, some 280 bytes each.
    """
    resources = [
        {
            "group": "apps",
            "version": "v1",
            "kind": "Deployment",
            "namespace": "shop-frontend-production",
            "name": f"deployment-with-an-ordinary-name-{entry:04}",
            "status": "Synced",
            "health": {"status": "Healthy", "message": "Deployment has minimum availability" + 60 * "."},
        }
        for entry in range(entries)
    ]
    return {
        "sync": {"status": "Synced", "revision": f"{number:040x}"},
        "health": {"status": "Healthy"},
        "resources": resources,
        "reconciledAt": "2026-01-01T00:00:00Z",
    }


def encoded(value: object) -> bytes:
    """As JSON without blanks: what its size is told by."""
    return json.dumps(value, separators=(",", ":")).encode()


async def create(fleet: Fleet, apps: int, entries: int = RESOURCES, *, first: int = 0) -> None:
    """So many Applications for each agent, in step on both sides, each with a status.

    Args:
        fleet: whole.
        apps: how many.
        entries: see ``status``.
        first: the number of the first.
    """
    hub, numbers = fleet.hub.local("setup"), range(first, first + apps)
    for name in fleet.nodes:
        for number in numbers:
            await hub.create(APPLICATIONS, application(app_name(number), namespace=name))
    await settle(fleet, PAUSE)
    for node in fleet.nodes.values():
        for number in numbers:
            await write_status(node, number, 0, entries)
            if number % 50 == 49:
                await trio.lowlevel.checkpoint()
    await settle(fleet, PAUSE)


def app_name(number: int) -> str:
    """Of an Application."""
    return f"app-{number:04}"


async def write_status(node: Node, app: int, number: int, entries: int = RESOURCES) -> None:
    """What the spoke's Argo CD does."""
    patch = MergePatch({"status": status(number, entries)})
    await node.machine.local("argocd").patch(APPLICATIONS, NAMESPACE, app_name(app), patch)


def edit(number: int) -> dict[str, Any]:
    """Of a spec, as a user makes it: the ``number`` is the revision that is wanted."""
    return {"source": {"targetRevision": f"{number:040x}"}}


def shown_revision(app: Mapping[str, Any]) -> str:
    """Of an Application's status."""
    return str(((app.get("status") or {}).get("sync") or {}).get("revision", ""))


def wanted_revision(app: Mapping[str, Any]) -> str:
    """Of its spec."""
    return str(app["spec"]["source"].get("targetRevision", ""))


class Arrivals:
    """When each revision of each Application was committed on a cluster.

    Args:
        cluster: the cluster.
        of: the revision of an Application.
    """

    def __init__(self, cluster: Machine, of: Callable[[Mapping[str, Any]], str] = shown_revision) -> None:
        self._of = of
        self._seen: dict[tuple[str, str], str] = {}
        self._awaited: dict[tuple[str, str], trio.Event] = {}
        self.count = 0
        cluster.server.subscribe(self._note)

    def _note(self, entry: LogEntry) -> None:
        if entry.resource == APPLICATIONS and entry.new is not None:
            key = entry.new.namespace, entry.new.name
            self._seen[key] = self._of(entry.new.value)
            self.count += 1
            # Only who waits for this one: to wake them all would cost what is measured beside it.
            if (awaited := self._awaited.pop(key, None)) is not None:
                awaited.set()

    async def wait(self, namespace: str, app: int, number: int) -> None:
        """Until the cluster has that revision."""
        key = namespace, app_name(app)
        with trio.fail_after(PATIENCE):
            while self._seen.get(key) != f"{number:040x}":
                await self._awaited.setdefault(key, trio.Event()).wait()


async def idling(pids: Mapping[str, int], seconds: float) -> dict[str, float]:
    """What processes use while nothing is asked of them: by name, percent of a core over so many seconds."""
    before = {name: usage_of(pid).cpu for name, pid in pids.items()}
    await trio.sleep(seconds)
    return {name: 100 * (usage_of(pid).cpu - before[name]) / seconds for name, pid in pids.items()}


def moments(fleet: Fleet, program: str, event: str, start: int = 0) -> list[tuple[str, float]]:
    """When a program has told this in its log, and of which agent; what is no event of it is passed over.

    Args:
        fleet: which.
        program: the teller.
        event: what.
        start: bytes of the log that are not looked at.

    Returns:
        The agent's name, empty where none is told, and Unix seconds.
    """
    with fleet.programs[program].log.open("rb") as log:
        log.seek(start)
        lines = log.read().splitlines()
    found = []
    for line in lines:
        with suppress(ValueError, AttributeError):  # Warnings of Python, and the end of a killed process.
            said = json.loads(line)
            if said.get("event") == event and "timestamp" in said:
                moment = datetime.fromisoformat(said["timestamp"]).timestamp()
                found.append((str(said.get("agent", "")), moment))
    return found


class Proofs:
    """The proofs that come from now on: of every agent, that it holds what it should, and that the hub does.

    Args:
        fleet: nothing else of which says so.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._before = {name: program.log.stat().st_size for name, program in fleet.programs.items()}

    async def wait(self) -> float:
        """Until each has come; when the last one did, Unix seconds.

        Raises:
            trio.TooSlowError: one has not come within ``PATIENCE``.
        """
        with trio.fail_after(PATIENCE):
            while True:
                new = {name: moments(self._fleet, name, PROVEN, size) for name, size in self._before.items()}
                if all(new.values()) and {agent for agent, _ in new[PRINCIPAL]} >= self._fleet.nodes.keys():
                    return max(moment for found in new.values() for _, moment in found)
                await trio.sleep(LOOK)


def wire(fleet: Fleet, agent: str) -> int:
    """Bytes that an agent's link has carried so far both ways, TLS and all."""
    counted = fleet.links[agent].counted
    return counted["up"] + counted["down"]


class Requests:
    """What the programs have asked all API servers for since this was made.

    Args:
        fleet: of which nothing else speaks HTTP with its clusters.
    """

    def __init__(self, fleet: Fleet) -> None:
        self._servers = [fleet.hub.server, *(node.machine.server for node in fleet.nodes.values())]
        self._before = self._now()

    def _now(self) -> Counter[str]:
        found = Counter[str]()
        for server in self._servers:
            for asked, count in server.requests.counts().items():
                found[f"{asked.verb} {asked.resource}"] += count
        return found

    def gets(self) -> int:
        """GETs of single Applications and AppProjects."""
        made = self._now() - self._before
        return sum(made[f"get {resource.plural}"] for resource in (APPLICATIONS, APP_PROJECTS))
