"""``trio-argoagent ctl``: what an operator asks of a running installation, through the hub's API alone."""

from __future__ import annotations

import json

import click

from trio_argoagent.cli import running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.errors import ApiError, OutcomeUnknown, RemoteProtocolError, UserError
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster, JsonPatch
from trio_argoagent.principal.holds import CONFIRM, HELD, HeldEntry, confirmation, read_entry
from trio_argoagent.replication.memory import SELECTOR, agent_of, name_of
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync import steps


def list_deletes(*, agent: str, as_json: bool, hub: Place) -> None:
    """Print which deletions wait for a person."""

    async def program() -> int:
        async with hub.open() as cluster:
            held = await read_all(cluster, hub.namespace)
        if agent:
            held = {name: entry for name, entry in held.items() if name == agent}
        click.echo(as_document(held) if as_json else as_text(held, agent))
        return 0

    running.run(program)


def confirm_deletes(*, agent: str, name: str, hub: Place) -> None:
    """Let one held set of deletions be carried out."""

    async def program() -> int:
        async with hub.open() as cluster:
            total = await confirm(cluster, hub.namespace, agent, name)
        click.echo(f"confirmed: {total} deletions of {agent}, within 15 minutes")
        return 0

    running.run(program)


async def confirm(hub: Cluster, namespace: str, agent: str, name: str) -> int:
    """Write the confirmation of exactly this set; returns how many deletions it has.

    Raises:
        UserError: that is not what is held, or the hub does not let us.
    """
    text = (await _state(hub, namespace)).get(agent, "")
    held = read_entry(text)
    if held is None:
        raise UserError(f"no deletion of {agent} is held; see: trio-argoagent ctl deletes list")
    if held.set != name:
        raise UserError(f"{agent} holds another set now; see: trio-argoagent ctl deletes list {agent}")
    said = confirmation(name, real_env().now())
    tested = steps.op_test(steps.pointer("data", HELD), text)
    patch = JsonPatch([tested, steps.op_add(steps.pointer("data", CONFIRM), said)])
    try:
        await hub.patch(CONFIG_MAPS, namespace, name_of(agent), patch)
    except (ApiError, OutcomeUnknown, RemoteProtocolError) as exc:
        raise UserError(f"cannot write the confirmation: {exc}") from exc
    return held.total


async def _state(hub: Cluster, namespace: str) -> dict[str, str]:
    """What is held, as the principal has written it down, by agent.

    Raises:
        UserError: the hub does not let us read it.
    """
    try:
        found = await hub.list(CONFIG_MAPS, namespace, selector=SELECTOR)
    except (ApiError, RemoteProtocolError) as exc:
        raise UserError(f"cannot read the ConfigMaps of the hub's namespace {namespace}: {exc}") from exc
    return {agent_of(each.meta.name): str((each.get("data") or {}).get(HELD, "")) for each in found.items}


async def read_all(hub: Cluster, namespace: str) -> dict[str, HeldEntry]:
    """What is held now, by agent, in the order of their names.

    Raises:
        UserError: the hub does not let us read it.
    """
    texts = sorted((await _state(hub, namespace)).items())
    return {agent: entry for agent, text in texts if (entry := read_entry(text)) is not None}


def as_document(held: dict[str, HeldEntry]) -> str:
    """One JSON object: by agent its set, reason, total and objects."""
    value = {
        agent: {"set": e.set, "reason": e.reason, "total": e.total, "objects": list(e.objects)}
        for agent, e in held.items()
    }
    return json.dumps(value, indent=2, sort_keys=True)


def as_text(held: dict[str, HeldEntry], agent: str = "") -> str:
    """For people: what, why, and the command that lets it happen."""
    if not held:
        return f"no deletion{' of ' + agent if agent else ''} is held"
    blocks = []
    for name, entry in held.items():
        lines = [f"{name}: {entry.total} deletions are held: {entry.reason}"]
        lines += [f"  {each}" for each in entry.objects]
        if entry.total > len(entry.objects):
            lines.append(f"  and {entry.total - len(entry.objects)} more")
        lines.append(f"  to delete them: trio-argoagent ctl deletes confirm {name} --set {entry.set}")
        blocks.append("\n".join(lines))
    return "\n".join(blocks)
