"""``trio-argoagent ctl fleet status``: all agents at a glance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import attrs
import click
import trio

from trio_argoagent.cli import ctl, ctl_agent, running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.output import rendered
from trio_argoagent.cli.tables import table
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.principal.clusters import Entry, choose, read_entry
from trio_argoagent.principal.holds import HeldEntry
from trio_argoagent.principal.presence import ALL, Answer, Live, Numbers
from trio_argoagent.runtime.world import real_env

_SPANS: Final = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


@attrs.frozen
class Row:
    """One agent.

    Attributes:
        entry: what its cluster secret says.
        live: its link; None: it has none, or nobody knows.
        numbers: how far it is; None: not known.
        held: the deletions on its behalf that wait for a person.
    """

    entry: Entry
    live: Live | None
    numbers: Numbers | None
    held: HeldEntry | None


@attrs.frozen
class Status:
    """The fleet at one moment.

    Attributes:
        now: Unix seconds.
        rows: by the agents' names.
        answer: what the principal says; None: none answers.
    """

    now: float
    rows: Sequence[Row]
    answer: Answer | None


def run_status(*, hub: Place, output: str, watch: bool, interval: float) -> None:
    """Print it, again and again if the user wants to watch."""

    async def program() -> int:
        env = real_env()
        async with hub.open() as cluster:
            while True:
                status = await look(cluster, hub.namespace, env.new_id(), env.now())
                if watch:
                    click.clear()
                click.echo(rendered(output, as_text(status), as_document(status)))
                if not watch:
                    return 0
                await trio.sleep(interval)

    running.run(program)


async def look(hub: Cluster, namespace: str, word: str, now: float) -> Status:
    """Look at the fleet.

    Args:
        hub: its API.
        namespace: Argo CD's.
        word: to ask the principal with; new each time.
        now: Unix seconds.

    Raises:
        UserError: the hub does not let us look.
    """
    secrets = await ctl_agent.read_secrets(hub, namespace)
    answer = await ctl_agent.ask(hub, namespace, word, ALL) if secrets else None
    held = await ctl.read_all(hub, namespace)
    rows = []
    for name, each in secrets.items():
        entry = choose(map(read_entry, each))
        if entry is not None:
            live = answer.connected.get(name) if answer is not None else None
            numbers = answer.fleet.numbers.get(name) if answer is not None and answer.fleet else None
            rows.append(Row(entry, live, numbers, held.get(name)))
    return Status(now, rows, answer)


def span(seconds: float) -> str:
    """A length of time as people say it, in its largest unit."""
    unit, size = next((each for each in _SPANS if seconds >= each[1]), _SPANS[-1])
    return f"{int(max(seconds, 0) // size)}{unit}"


_HEAD: Final = (
    *("NAME", "MODE", "LINK", "LINKS", "WANTED", "UNSETTLED", "OLDEST", "REFUSED"),
    *("MIRRORED", "PENDING", "HELD"),
)


def as_text(status: Status) -> str:
    """A table, and below it what needs somebody."""
    if not status.rows:
        return "the hub knows no agent; to add one, see docs/agents.md"
    lines = [table([_HEAD, *(_cells(row, status) for row in status.rows)])]
    connected = sum(row.live is not None for row in status.rows)
    if status.answer is None:
        lines.append("no principal answers: nothing is known of links")
    else:
        lines.append(f"{connected} of {len(status.rows)} connected")
        if status.answer.fleet is None:
            lines.append(
                "the principal tells no numbers: the fleet is too large, or it is older than this ctl"
            )
        lines += _unclaimed(status.answer)
    for row in status.rows:
        name = row.entry.agent
        if row.held is not None:
            text = f"{name}: {row.held.total} deletions are held: {row.held.reason};"
            lines.append(f"{text} see: trio-argoagent ctl deletes list {name}")
        if row.entry.problem:
            lines.append(f"{name}: {row.entry.problem}")
    return "\n".join(lines)


def _cells(row: Row, status: Status) -> Sequence[str]:
    pin, numbers = row.entry.pin, row.numbers
    link = "?" if status.answer is None else "no"
    if row.live is not None:
        link = span(status.now - row.live.since) + (" (contested)" if row.live.contested else "")
    counts = ["-"] * 7
    if numbers is not None:
        oldest = span(numbers.oldest) if numbers.unsettled else "-"
        counts = [
            str(numbers.links), str(numbers.wanted), str(numbers.unsettled), oldest,
            str(numbers.refused), str(numbers.held), str(numbers.pending),
        ]  # fmt: skip
    held = str(row.held.total) if row.held is not None else "-"
    return [row.entry.agent, str(pin.mode) if pin is not None else "-", link, *counts, held]


def _unclaimed(answer: Answer) -> Sequence[str]:
    """The Applications that wait for an agent that does not exist."""
    fleet = answer.fleet
    if fleet is None:
        return []
    lines = [
        f"Application {app} waits for {agent}, which is no agent" for app, agent in fleet.unclaimed.items()
    ]
    more = fleet.unclaimed_total - len(lines)
    return [*lines, f"{more} more Applications wait for an agent"] if more > 0 else lines


def as_document(status: Status) -> dict[str, Any]:
    """As plain values; what is not known is null."""
    answer = status.answer
    fleet = answer.fleet if answer is not None else None
    return {
        "principal": answer is not None,
        "agents": {row.entry.agent: _plain(row) for row in status.rows},
        "unclaimed": dict(fleet.unclaimed) if fleet is not None else None,
        "unclaimedTotal": fleet.unclaimed_total if fleet is not None else None,
    }


def _plain(row: Row) -> dict[str, Any]:
    pin, numbers, live = row.entry.pin, row.numbers, row.live
    return {
        "mode": str(pin.mode) if pin is not None else None,
        "connectedSince": live.since if live is not None else None,
        "contested": live.contested if live is not None else False,
        **counted(numbers),
        "heldDeletions": row.held.total if row.held is not None else 0,
        "problem": row.entry.problem,
    }


def counted(numbers: Numbers | None) -> dict[str, Any]:
    """How far an agent is, as plain values; None where the principal has not told."""
    names = {
        "links": "links",
        "wanted": "wanted",
        "unsettled": "unsettled",
        "oldestSeconds": "oldest",
        "refused": "refused",
        "mirrored": "held",
        "pending": "pending",
    }
    return {name: getattr(numbers, field, None) for name, field in names.items()}
