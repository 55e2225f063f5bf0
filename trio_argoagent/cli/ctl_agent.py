"""``trio-argoagent ctl agent``: which agents the hub knows, and how one leaves or becomes another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import attrs
import click

from trio_argoagent.cli import running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.output import JSON, rendered
from trio_argoagent.cli.tables import table
from trio_argoagent.errors import ApiError, NotFound, OutcomeUnknown, RemoteProtocolError, UserError
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, SECRETS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.principal import clusters, presence
from trio_argoagent.principal.clusters import PINNED, SELECTOR, Entry, choose, read_entry
from trio_argoagent.principal.presence import Answer
from trio_argoagent.principal.tokens import LABEL as TOKEN
from trio_argoagent.replication.memory import name_of
from trio_argoagent.runtime.world import real_env

NO_ANSWER = (ApiError, OutcomeUnknown, RemoteProtocolError)


@attrs.frozen
class Row:
    """One agent as the list shows it."""

    entry: Entry
    state: str


def run_list(*, as_json: bool, output: str, label: Sequence[str], hub: Place) -> None:
    """Print the agents."""

    async def program() -> int:
        async with hub.open() as cluster:
            rows = await list_agents(cluster, hub.namespace, real_env().new_id(), label)
        click.echo(rendered(JSON if as_json else output, as_text(rows), as_document(rows)))
        return 0

    running.run(program)


def run_remove(*, name: str, dry_run: bool, keep_certificates: bool, hub: Place) -> None:
    """Remove an agent from the hub."""

    async def program() -> int:
        async with hub.open() as cluster:
            if dry_run:
                lines = await remove(cluster, hub.namespace, name, dry_run=True)
            else:
                from trio_argoagent.cli.ctl_blocklist import latest

                keeps, env = keep_certificates, real_env()

                def now() -> float:
                    return latest(env.now(), cluster.session.date)

                lines = await take_off(cluster, hub.namespace, name, now, keep_certificates=keeps)
            click.echo("\n".join(lines))
        return 0

    running.run(program)


def run_repin(*, name: str, hub: Place) -> None:
    """Let the next that comes under this name be the agent."""

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await repin(cluster, hub.namespace, name))
        return 0

    running.run(program)


# What there is


async def read_secrets(hub: Cluster, namespace: str, labels: Sequence[str] = ()) -> dict[str, list[Object]]:
    """The cluster secrets by agent, in the order of their names.

    Args:
        hub: its API.
        namespace: Argo CD's.
        labels: only those that have these, each ``key=value`` or another label selector.

    Raises:
        UserError: the hub does not let us read them.
    """
    try:
        found = await hub.list(SECRETS, namespace, selector=",".join((SELECTOR, *labels)))
    except (ApiError, RemoteProtocolError) as exc:
        raise UserError(f"cannot read the secrets of the hub's namespace {namespace}: {exc}") from exc
    by_agent: dict[str, list[Object]] = {}
    for secret in found.items:
        by_agent.setdefault(read_entry(secret).agent, []).append(clusters.lean(secret))
    return dict(sorted(by_agent.items()))


async def ask(hub: Cluster, namespace: str, word: str, agent: str = "") -> Answer | None:
    """Who is connected, and all about one agent; None: no principal answers.

    Raises:
        UserError: the hub does not let us ask.
    """
    try:
        return await presence.ask(hub, namespace, word, agent)
    except NO_ANSWER as exc:
        raise UserError(f"cannot ask the principal in namespace {namespace}: {exc}") from exc


async def list_agents(hub: Cluster, namespace: str, word: str, labels: Sequence[str] = ()) -> list[Row]:
    """The agents that the hub knows, by name.

    Args:
        hub: its API.
        namespace: Argo CD's.
        word: to ask the principal with; new each time.
        labels: see ``read_secrets``.
    """
    secrets = await read_secrets(hub, namespace, labels)
    answer = await ask(hub, namespace, word) if secrets else None
    chosen = (choose(map(read_entry, each)) for each in secrets.values())
    return [Row(entry, state(entry, answer)) for entry in chosen if entry is not None]


def state(entry: Entry, answer: Answer | None) -> str:
    """How an agent stands, in a few words."""
    if entry.problem:
        return f"cannot be let in: {entry.problem}"
    if answer is None:
        return "unknown: no principal answers"
    live = answer.connected.get(entry.agent)
    if live is not None:
        since = datetime.fromtimestamp(live.since, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"connected since {since}" + (", another process wants its place" if live.contested else "")
    if entry.agent in answer.banned:
        return f"banned for {answer.banned[entry.agent]} s yet: it has broken the protocol too often"
    return "not connected" if entry.pin is not None else "nobody has come yet"


def as_text(rows: Sequence[Row]) -> str:
    """A table for people."""
    if not rows:
        return "the hub knows no agent; to add one, see docs/agents.md"
    lines = [("NAME", "NAMESPACE", "MODE", "CLUSTER", "ITS NAMESPACE", "STATE")]
    for row in rows:
        pin = row.entry.pin
        seen = (str(pin.mode), pin.cluster_uid, pin.namespace) if pin is not None else ("-", "-", "-")
        lines.append((row.entry.agent, row.entry.home, *seen, row.state))
    return table(lines)


def as_document(rows: Sequence[Row]) -> dict[str, Any]:
    """By agent what the table shows."""
    value = {}
    for row in rows:
        pin = row.entry.pin
        value[row.entry.agent] = {
            "mode": str(pin.mode) if pin is not None else None,
            "cluster": pin.cluster_uid if pin is not None else None,
            "clusterNamespace": pin.namespace if pin is not None else None,
            "namespace": row.entry.home,
            "secret": row.entry.secret,
            "state": row.state,
        }
    return value


# What is done


async def remove(hub: Cluster, namespace: str, name: str, *, dry_run: bool = False) -> list[str]:
    """Take an agent off the hub: its cluster secrets, and what the principal remembers of it.

    Returns:
        What was done, and what stays where; for people.

    Raises:
        UserError: there is no such agent, or the hub does not let us.
    """
    secrets = (await read_secrets(hub, namespace)).get(name, [])
    try:
        states = await _states(hub, namespace, name)
        if not secrets and not states:
            raise UserError(f"the hub knows no agent {name!r}; see: trio-argoagent ctl agent list")
        entry = choose(map(read_entry, secrets))
        home = entry.home if entry is not None else name
        apps = len((await hub.list(APPLICATIONS, home)).items)
        # Its tokens, too: should it be added again, whoever has kept one must not be it.
        secrets = [*secrets, *(await hub.list(SECRETS, namespace, selector=f"{TOKEN}={name}")).items]
        if not dry_run:
            # The secret first: as long as it is there the principal writes the other one again.
            for secret in secrets:
                await hub.delete(SECRETS, namespace, secret.meta.name, uid=secret.meta.uid)
            for state in states:
                await hub.delete(CONFIG_MAPS, namespace, state.meta.name, uid=state.meta.uid)
    except NO_ANSWER as exc:
        raise UserError(f"cannot remove {name}: {exc}; run it again") from exc
    gone = ", ".join(f"{each.kind} {each.meta.name}" for each in (*secrets, *states))
    return [
        f"{'would remove' if dry_run else 'removed'}: {gone}",
        f"stays on the hub: namespace {home} with its {apps} Applications",
        "stays on the spoke: everything; what is deployed goes on running",
        "to make the copies there free objects, stop the agent, then: trio-argoagent ctl spoke unmark",
    ]


async def take_off(
    hub: Cluster, namespace: str, name: str, now: Callable[[], float], *, keep_certificates: bool
) -> list[str]:
    """Remove an agent, after its certificates were blocked: nobody comes by them should it be added again.

    Args:
        hub: its API.
        namespace: Argo CD's.
        name: the agent's.
        now: Unix time, asked once the hub has answered.
        keep_certificates: leave them alone.

    Returns:
        What was done; for people.

    Raises:
        UserError: as ``remove``, or the blocklist cannot be written; then nothing was removed.
    """
    from trio_argoagent.cli.ctl_blocklist import add_agent

    await remove(hub, namespace, name, dry_run=True)
    blocked = [] if keep_certificates else [await add_agent(hub, namespace, name, now())]
    return [*await remove(hub, namespace, name), *blocked]


async def _states(hub: Cluster, namespace: str, name: str) -> list[Object]:
    """What the principal remembers of this agent."""
    if not is_dns_label(name):
        return []  # Not a name that could stand in a request's path.
    try:
        return [await hub.get(CONFIG_MAPS, namespace, name_of(name))]
    except NotFound:
        return []


async def repin(hub: Cluster, namespace: str, name: str) -> str:
    """Forget who this agent is, so that the next that comes is taken; says so.

    Raises:
        UserError: there is no such agent, or the hub does not let us.
    """
    secrets = (await read_secrets(hub, namespace)).get(name, [])
    if not secrets:
        raise UserError(f"the hub knows no agent {name!r}; see: trio-argoagent ctl agent list")
    pinned = [secret for secret in secrets if PINNED in secret.annotations]
    if not pinned:
        return f"{name}: nobody is pinned; the next that connects under this name is taken"
    try:
        for secret in pinned:
            patch = MergePatch({"metadata": {"uid": secret.meta.uid, "annotations": {PINNED: None}}})
            await hub.patch(SECRETS, namespace, secret.meta.name, patch)
    except NO_ANSWER as exc:
        raise UserError(f"cannot change the secret of {name}: {exc}; run it again") from exc
    was = pinned[0].annotations[PINNED]
    return f"{name}: was {was}; the next that connects under this name is taken"
