"""``trio-argoagent ctl blocklist``: certificates that let nobody in any more.

They stand in the hub's ConfigMap ``argocd-agent-tls-blocklist``, by fingerprint, as argocd-agent has it; or
by their agent and the moment until when they were issued (``principal.blocklist``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import click

from trio_argoagent.cli import running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_agent import NO_ANSWER, ask, read_secrets
from trio_argoagent.cli.output import rendered
from trio_argoagent.errors import NotFound, UserError
from trio_argoagent.model.fingerprints import BLOCKLIST, is_fingerprint, parse_fingerprint
from trio_argoagent.model.resources import CONFIG_MAPS
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.principal.blocklist import AGENT, agent_of, read_blocklist
from trio_argoagent.principal.claims import CERTIFICATE
from trio_argoagent.principal.tokens import written
from trio_argoagent.runtime.world import real_env


def run_add(*, hub: Place, fingerprint: str, agent: str) -> None:
    """Block a certificate, or all that an agent has."""
    _check_one(fingerprint, agent)

    async def program() -> int:
        async with hub.open() as cluster:
            if agent:
                env = real_env()
                found = await known(cluster, hub.namespace, agent, env.new_id())
                click.echo(await add_agent(cluster, hub.namespace, agent, env.now(), found))
            else:
                click.echo(await add(cluster, hub.namespace, fingerprint))
        return 0

    running.run(program)


def run_remove(*, hub: Place, fingerprint: str, agent: str) -> None:
    """Let a certificate, or those of an agent, count again."""
    _check_one(fingerprint, agent)

    async def program() -> int:
        async with hub.open() as cluster:
            remover = remove_agent if agent else remove
            click.echo(await remover(cluster, hub.namespace, agent or fingerprint))
        return 0

    running.run(program)


def _check_one(fingerprint: str, agent: str) -> None:
    if bool(fingerprint) == bool(agent):
        text = "give the fingerprint of a certificate, or --agent"
        raise click.UsageError(text, click.get_current_context())


def run_list(*, hub: Place, output: str) -> None:
    """Print what is blocked."""

    async def program() -> int:
        async with hub.open() as cluster:
            blocked = await read(cluster, hub.namespace)
        click.echo(rendered(output, as_text(blocked), list(blocked)))
        return 0

    running.run(program)


async def read(hub: Cluster, namespace: str) -> Mapping[str, str]:
    """What stands there, in order, whatever people have written.

    Raises:
        UserError: the hub does not let us read it.
    """
    try:
        found = await hub.get(CONFIG_MAPS, namespace, BLOCKLIST)
    except NotFound:
        return {}
    except NO_ANSWER as exc:
        raise UserError(f"cannot read ConfigMap {namespace}/{BLOCKLIST}: {exc}") from exc
    return {str(key): str(value) for key, value in sorted((found.get("data") or {}).items())}


async def known(hub: Cluster, namespace: str, agent: str, word: str) -> Sequence[str]:
    """The fingerprints of this agent's certificates that are known; argocd-agent goes by these alone.

    That of its live link is known to the principal, and the last one that the hub has issued stands on its
    cluster secret. The certificate *in* that secret is another one: Argo CD itself uses it.

    Args:
        hub: its API.
        namespace: Argo CD's.
        agent: its name.
        word: to ask the principal with; new each time.

    Raises:
        UserError: there is no such agent.
    """
    secrets = (await read_secrets(hub, namespace)).get(agent)
    if not secrets:
        raise UserError(f"the hub knows no agent {agent!r}; see: trio-argoagent ctl agent list")
    answer = await ask(hub, namespace, word, agent)
    live = answer.about.fingerprint if answer is not None and answer.about is not None else ""
    issued = (each.annotations.get(CERTIFICATE, "").partition(" ")[0] for each in secrets)
    return [each for each in dict.fromkeys((live, *issued)) if is_fingerprint(each)]


async def add(hub: Cluster, namespace: str, text: str) -> str:
    """Block the certificate of this fingerprint; says so.

    Raises:
        UserError: it is no fingerprint, or the hub does not let us.
    """
    name = parse_fingerprint(text)
    if name in await read(hub, namespace):
        return f"{name} is blocked already"
    await _write(hub, namespace, {name: ""})
    return f"blocked: {name}"


async def add_agent(hub: Cluster, namespace: str, agent: str, now: float, found: Sequence[str] = ()) -> str:
    """Block all certificates of this agent that were issued until now; says so.

    Args:
        hub: its API.
        namespace: Argo CD's.
        agent: its name.
        now: Unix time.
        found: the fingerprints that are known.

    Raises:
        UserError: the hub does not let us.
    """
    key, data = AGENT + agent, dict.fromkeys(found, "")
    if read_blocklist(await read(hub, namespace)).agents.get(agent, 0.0) < now:
        data[key] = " ".join((written(now), *found))
    await _write(hub, namespace, data)
    return f"blocked: all certificates of {agent} that were issued until {written(now)}"


async def remove_agent(hub: Cluster, namespace: str, agent: str) -> str:
    """Take back what ``add_agent`` has done; says so.

    Raises:
        UserError: it is not blocked, or the hub does not let us.
    """
    blocked = await read(hub, namespace)
    key = AGENT + agent
    if key not in blocked:
        raise UserError(f"agent {agent} is not blocked; see: trio-argoagent ctl blocklist list")
    entries = [key, *(each for each in blocked[key].split(" ")[1:] if each in blocked)]
    await _write(hub, namespace, dict.fromkeys(entries))
    return f"not blocked any more: {agent}"


async def _write(hub: Cluster, namespace: str, data: Mapping[str, str | None]) -> None:
    value: dict[str, Any] = {"data": dict(data)}
    try:
        try:
            await hub.patch(CONFIG_MAPS, namespace, BLOCKLIST, MergePatch(value))
        except NotFound:
            value |= {"apiVersion": "v1", "kind": "ConfigMap"}
            value["metadata"] = {"name": BLOCKLIST, "namespace": namespace}
            await hub.create(CONFIG_MAPS, value)
    except NO_ANSWER as exc:
        raise UserError(f"cannot write ConfigMap {namespace}/{BLOCKLIST}: {exc}; run it again") from exc


async def remove(hub: Cluster, namespace: str, text: str) -> str:
    """Let the certificate of this fingerprint count again; says so.

    What stands there without being a fingerprint is removed as it is written.

    Raises:
        UserError: it is not blocked, or the hub does not let us.
    """
    blocked = await read(hub, namespace)
    name = text if text in blocked else parse_fingerprint(text)
    # The principal takes it in lower case as well.
    entries = [each for each in blocked if name in (each, each.upper())]
    if not entries:
        raise UserError(f"{name} is not blocked; see: trio-argoagent ctl blocklist list")
    await _write(hub, namespace, dict.fromkeys(entries))
    return f"not blocked any more: {name}"


def as_text(blocked: Mapping[str, str]) -> str:
    """One a line; what blocks nothing says so."""
    if not blocked:
        return "no certificate is blocked"
    return "\n".join(_line(key, value) for key, value in blocked.items())


def _line(key: str, value: str) -> str:
    if agent := agent_of(key):
        until = read_blocklist({key: value}).agents[agent]
        return f"agent {agent}: " + (f"until {written(until)}" if math.isfinite(until) else "for good")
    return key if is_fingerprint(key.upper()) else f"{key}: no SHA-256 fingerprint, so it blocks nothing"
