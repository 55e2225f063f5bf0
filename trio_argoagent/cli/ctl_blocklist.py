"""``trio-argoagent ctl blocklist``: certificates that let nobody in any more.

They stand in the hub's ConfigMap ``argocd-agent-tls-blocklist``, by fingerprint, as argocd-agent has it; or
by their agent and the moment until when they were issued (``principal.blocklist``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs
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
                shown = await known(cluster, hub.namespace, agent, env.new_id())
                now = latest(env.now(), cluster.session.date)
                click.echo(await add_agent(cluster, hub.namespace, agent, now, shown))
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


def latest(now: float, date: str) -> float:
    """By whichever clock it is later: what was issued by the hub's must not be from after the moment.

    Args:
        now: Unix time, by the clock of who asks.
        date: by the hub's, as in an HTTP header (RFC 9110, 5.6.7); what is none does not count.
    """
    from email.utils import parsedate_to_datetime

    try:
        return max(now, parsedate_to_datetime(date).timestamp())
    except ValueError:
        return now


@attrs.frozen
class Shown:
    """What the hub knows of an agent's certificates.

    Attributes:
        fingerprints: of those that are known; argocd-agent goes by these alone.
        bare: is the agent connected without one, as behind a mesh's proxy?
    """

    fingerprints: tuple[str, ...] = ()
    bare: bool = False


async def known(hub: Cluster, namespace: str, agent: str, word: str) -> Shown:
    """What is known of this agent's certificates.

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
    about = answer.about if answer is not None else None
    live = about.fingerprint if about is not None else ""
    issued = (each.annotations.get(CERTIFICATE, "").partition(" ")[0] for each in secrets)
    found = tuple(each for each in dict.fromkeys((live, *issued)) if is_fingerprint(each))
    bare = answer is not None and about is not None and agent in answer.connected and not live
    return Shown(found, bare)


async def add(hub: Cluster, namespace: str, text: str) -> str:
    """Block the certificate of this fingerprint; says so.

    Raises:
        UserError: it is no fingerprint, or the hub does not let us.
    """
    name = parse_fingerprint(text)
    blocked = await read(hub, namespace)
    # Somebody wants it by itself: it does not go with an agent's entry any more.
    data = {
        key: " ".join(each for each in value.split(" ") if each != name)
        for key, value in blocked.items()
        if agent_of(key) and name in value.split(" ")
    }
    if is_new := name not in blocked:
        data[name] = ""
    if data:
        await _write(hub, namespace, data)
    return f"blocked: {name}" if is_new else f"{name} is blocked already"


async def add_agent(hub: Cluster, namespace: str, agent: str, now: float, shown: Shown | None = None) -> str:
    """Block all certificates of this agent that were issued until now; says so.

    One that is connected and shows none is blocked whatever it shows, until that is taken back. The entry
    notes which fingerprints came with it: those that somebody had blocked before stay when it goes.

    Args:
        hub: its API.
        namespace: Argo CD's.
        agent: its name.
        now: Unix time.
        shown: what is known of its certificates; None: nobody has looked.

    Raises:
        UserError: the hub does not let us.
    """
    blocked = await read(hub, namespace)
    key, before = AGENT + agent, read_blocklist(blocked)
    until = before.agents.get(agent, -math.inf)
    head, *noted = blocked.get(key, "").split(" ")
    if until < (math.inf if shown is not None and shown.bare else now):
        head = "" if shown is not None and shown.bare else written(now)
    new = [each for each in (shown.fingerprints if shown else ()) if each not in before.fingerprints]
    data = dict.fromkeys(new, "")
    if blocked.get(key) != (value := " ".join((head, *noted, *new))):
        data[key] = value
    if data:
        await _write(hub, namespace, data)
    return _said(agent, until, read_blocklist({key: value}).agents[agent], shown)


def _said(agent: str, before: float, until: float, shown: Shown | None) -> str:
    """What ``add_agent`` has done, from until when the agent was blocked before, and is now."""
    if math.isinf(before) and before > 0:
        return f"{agent} is blocked already, for good"
    if math.isinf(until):
        undo = f"to let it in again: trio-argoagent ctl blocklist remove --agent {agent}"
        return f"blocked: {agent}, for good, as it is connected without a certificate; {undo}"
    text = f"blocked: all certificates of {agent} that were issued until {written(until)}"
    if shown == Shown():
        text += (
            "; none is known of it: where agents are known by a header this keeps nobody out, unless it is"
            " run while the agent is connected"
        )
    return text


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
