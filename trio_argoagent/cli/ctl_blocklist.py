"""``trio-argoagent ctl blocklist``: certificates that let nobody in any more.

They stand in the hub's ConfigMap ``argocd-agent-tls-blocklist``, by fingerprint; argocd-agent reads the same.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from trio_argoagent.principal.claims import CERTIFICATE
from trio_argoagent.runtime.world import real_env


def run_add(*, hub: Place, fingerprint: str, agent: str) -> None:
    """Block a certificate."""

    async def program() -> int:
        async with hub.open() as cluster:
            where = hub.namespace
            word = real_env().new_id()
            found = [fingerprint] if fingerprint else await known(cluster, where, agent, word)
            for each in found:
                click.echo(await add(cluster, where, each))
        return 0

    if bool(fingerprint) == bool(agent):
        text = "give the fingerprint of a certificate, or --agent"
        raise click.UsageError(text, click.get_current_context())
    running.run(program)


def run_remove(*, hub: Place, fingerprint: str) -> None:
    """Let a certificate count again."""

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await remove(cluster, hub.namespace, fingerprint))
        return 0

    running.run(program)


def run_list(*, hub: Place, output: str) -> None:
    """Print what is blocked."""

    async def program() -> int:
        async with hub.open() as cluster:
            blocked = await read(cluster, hub.namespace)
        click.echo(rendered(output, as_text(blocked), list(blocked)))
        return 0

    running.run(program)


async def read(hub: Cluster, namespace: str) -> Sequence[str]:
    """What stands there, in order, whatever people have written.

    Raises:
        UserError: the hub does not let us read it.
    """
    try:
        found = await hub.get(CONFIG_MAPS, namespace, BLOCKLIST)
    except NotFound:
        return []
    except NO_ANSWER as exc:
        raise UserError(f"cannot read ConfigMap {namespace}/{BLOCKLIST}: {exc}") from exc
    return sorted(found.get("data") or {})


async def known(hub: Cluster, namespace: str, agent: str, word: str) -> Sequence[str]:
    """The fingerprints of this agent's certificates, at least one.

    That of its live link is known to the principal, and the last one that the hub has issued stands on its
    cluster secret. The certificate *in* that secret is another one: Argo CD itself uses it.

    Args:
        hub: its API.
        namespace: Argo CD's.
        agent: its name.
        word: to ask the principal with; new each time.

    Raises:
        UserError: it is not known; says what to do instead.
    """
    secrets = (await read_secrets(hub, namespace)).get(agent)
    if not secrets:
        raise UserError(f"the hub knows no agent {agent!r}; see: trio-argoagent ctl agent list")
    answer = await ask(hub, namespace, word, agent)
    live = answer.about.fingerprint if answer is not None and answer.about is not None else ""
    issued = (each.annotations.get(CERTIFICATE, "").partition(" ")[0] for each in secrets)
    found = [each for each in dict.fromkeys((live, *issued)) if is_fingerprint(each)]
    if not found:
        why = "no principal answers" if answer is None else f"{agent} is not connected"
        raise UserError(
            f"{why}, so its certificate is not known: give the fingerprint (openssl x509 -in FILE -noout"
            " -fingerprint -sha256), or let nobody in under this name: trio-argoagent ctl agent remove"
            f" {agent}"
        )
    return found


async def add(hub: Cluster, namespace: str, text: str) -> str:
    """Block the certificate of this fingerprint; says so.

    Raises:
        UserError: it is no fingerprint, or the hub does not let us.
    """
    name = parse_fingerprint(text)
    if name in await read(hub, namespace):
        return f"{name} is blocked already"
    value: dict[str, Any] = {"data": {name: ""}}
    try:
        try:
            await hub.patch(CONFIG_MAPS, namespace, BLOCKLIST, MergePatch(value))
        except NotFound:
            value |= {"apiVersion": "v1", "kind": "ConfigMap"}
            value["metadata"] = {"name": BLOCKLIST, "namespace": namespace}
            await hub.create(CONFIG_MAPS, value)
    except NO_ANSWER as exc:
        raise UserError(f"cannot write ConfigMap {namespace}/{BLOCKLIST}: {exc}; run it again") from exc
    return f"blocked: {name}"


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
    try:
        await hub.patch(CONFIG_MAPS, namespace, BLOCKLIST, MergePatch({"data": dict.fromkeys(entries)}))
    except NO_ANSWER as exc:
        raise UserError(f"cannot write ConfigMap {namespace}/{BLOCKLIST}: {exc}; run it again") from exc
    return f"not blocked any more: {name}"


def as_text(blocked: Sequence[str]) -> str:
    """One a line; what blocks nothing says so."""
    if not blocked:
        return "no certificate is blocked"
    return "\n".join(
        each if is_fingerprint(each.upper()) else f"{each}: no SHA-256 fingerprint, so it blocks nothing"
        for each in blocked
    )
