"""``trio-argoagent ctl support-bundle``: what somebody needs in order to help, and no secret."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

import click

from trio_argoagent._version import __version__
from trio_argoagent.cli import bundle, ctl_agent, ctl_agent_show, ctl_fleet, running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_validate import validate
from trio_argoagent.cli.secretdata import NO_ANSWER
from trio_argoagent.cli.validation.asked import PARAMETERS
from trio_argoagent.cli.validation.checks import Side, as_text
from trio_argoagent.errors import UserError
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, EVENTS, SECRETS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.happenings import COMPONENT
from trio_argoagent.replication.memory import NAME
from trio_argoagent.runtime.world import real_env

MAX_EVENTS: Final = 1000
MAX_AGENTS: Final = 50
"""Agents that are looked at one by one; all of them are in the table."""
_CONFIG_MAPS: Final = (PARAMETERS, BLOCKLIST, "argocd-cmd-params-cm")
_SECRETS: Final = "argocd-agent-"
_README: Final = """Made by trio-argoagent ctl support-bundle.

Of Secrets there are names, sizes and what certificates say, and no value. Look through it before you pass it
on: names of clusters, namespaces, repositories and people may be in it.
"""


def run_bundle(*, hub: Place, spoke: Place | None, file: str) -> None:
    """Collect and write it."""
    env = real_env()
    stamp = env.timestamp().replace(":", "").replace("-", "")
    path = Path(file or f"trio-argoagent-support-{stamp}.tar.gz")

    async def program() -> int:
        _check_free(path)
        async with AsyncExitStack() as stack:
            places = {Side.HUB: hub} | ({Side.SPOKE: spoke} if spoke is not None else {})
            clusters = {side: await stack.enter_async_context(each.open()) for side, each in places.items()}
            namespaces = {side: each.namespace for side, each in places.items()}
            files = await collect(clusters, namespaces, env)
        _write(path, bundle.archive(files, path.name.removesuffix(".tar.gz"), env.now()))
        click.echo(f"written: {path}, {len(files)} files; look through it before you pass it on")
        return 0

    running.run(program)


def _check_free(path: Path) -> None:
    if os.path.exists(path):  # Path.exists fails where it cannot be known; writing says why.
        raise UserError(f"{path} is there already: give another --file")


def _write(path: Path, content: bytes) -> None:
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError as exc:
        raise UserError(f"cannot write {path}: {exc.strerror}") from exc


async def collect(
    clusters: Mapping[Side, Cluster], namespaces: Mapping[Side, str], env: Env
) -> dict[str, str]:
    """What goes into the bundle, by path. What cannot be read is told in ``missing.txt``.

    Args:
        clusters: the hub's API, and that of one spoke if it is named.
        namespaces: Argo CD's in them.
        env: time and randomness.
    """
    files = {"README.txt": _README, "version.txt": f"trio-argoagent {__version__}\n"}
    missing: list[str] = []

    async def part(path: str, make: Callable[[], Awaitable[Any]]) -> None:
        try:
            found = await make()
        except (UserError, *NO_ANSWER) as exc:
            missing.append(f"{path}: {exc}")
        else:
            files[path] = _text(found)

    hub, where = clusters[Side.HUB], namespaces[Side.HUB]
    await part("fleet.json", partial(_fleet, hub, where, env))
    await part("agents.json", partial(_agents, hub, where, env))
    await part("validate.txt", partial(_validated, clusters, namespaces, env))
    for side, cluster in clusters.items():
        there = namespaces[side]
        await part(f"{side}/configmaps.json", partial(_config_maps, cluster, there))
        await part(f"{side}/secrets.json", partial(_secrets, cluster, there, env.now()))
        await part(f"{side}/events.json", partial(_events, cluster))
        await part(f"{side}/counts.json", partial(_counts, cluster))
    if missing:
        files["missing.txt"] = "\n".join(map(bundle.scrubbed, missing))
    return files


def _text(found: Any) -> str:
    if isinstance(found, str):
        return "\n".join(map(bundle.scrubbed, found.splitlines()))
    return json.dumps(bundle.clean(found), indent=2)


async def _fleet(hub: Cluster, namespace: str, env: Env) -> Any:
    return ctl_fleet.as_document(await ctl_fleet.look(hub, namespace, env.new_id(), env.now()))


async def _agents(hub: Cluster, namespace: str, env: Env) -> Any:
    found = {}
    names = list(await ctl_agent.read_secrets(hub, namespace))
    if names and await ctl_agent.ask(hub, namespace, env.new_id()) is None:
        raise UserError("no principal answers")  # Or each of them would be waited for.
    for name in names[:MAX_AGENTS]:
        view = await ctl_agent_show.view(hub, namespace, name, env.new_id(), env.now())
        found[name] = ctl_agent_show.as_document(view)
    return found


async def _validated(clusters: Mapping[Side, Cluster], namespaces: Mapping[Side, str], env: Env) -> str:
    return as_text(await validate(clusters, namespaces, env.now()))


async def _config_maps(cluster: Cluster, namespace: str) -> Any:
    found = (await cluster.list(CONFIG_MAPS, namespace)).items
    ours = [each for each in found if each.meta.name in _CONFIG_MAPS or each.meta.name.startswith(NAME)]
    return list(map(bundle.of_config_map, ours))


async def _secrets(cluster: Cluster, namespace: str, now: float) -> Any:
    found = (await cluster.list(SECRETS, namespace)).items
    return [bundle.of_secret(each, now) for each in found if _is_ours(each)]


def _is_ours(secret: Object) -> bool:
    return secret.meta.name.startswith(_SECRETS) or "argocd.argoproj.io/secret-type" in secret.labels


async def _events(cluster: Cluster) -> Any:
    found = [
        each
        for each in (await cluster.list(EVENTS)).items
        if (each.get("source") or {}).get("component") == COMPONENT
    ]
    return list(map(bundle.of_event, found[-MAX_EVENTS:]))


async def _counts(cluster: Cluster) -> Any:
    counts: dict[str, dict[str, int]] = {}
    for resource in (APPLICATIONS, APP_PROJECTS):
        by_namespace: dict[str, int] = {}
        items: Sequence[Object] = (await cluster.list(resource)).items
        for each in items:
            by_namespace[each.meta.namespace] = by_namespace.get(each.meta.namespace, 0) + 1
        counts[resource.plural] = by_namespace
    return counts
