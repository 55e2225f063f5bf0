"""Checks of the agents' cluster secrets: who is registered on the hub, and how Argo CD reaches them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs, urlsplit

from trio_argoagent.cli.validation import asked
from trio_argoagent.cli.validation.checks import Check, Finding, Sight, fail, warn
from trio_argoagent.model.objects import Object
from trio_argoagent.principal.clusters import HOME, Entry, choose, read_entry
from trio_argoagent.sync import names
from trio_argoagent.sync.patterns import Patterns

SKIP: Final = "argocd.argoproj.io/skip-reconcile"
"""With it the hub's own application controller leaves the cluster alone."""


def registered(sight: Sight) -> Sequence[Entry]:
    """What the cluster secrets say, by the agents' names."""
    return sorted(map(read_entry, sight.all(asked.HUB_CLUSTERS)), key=lambda each: (each.agent, each.secret))


def chosen(sight: Sight) -> Sequence[Entry]:
    """One for each agent: the one that counts."""
    by_agent: dict[str, list[Entry]] = {}
    for entry in registered(sight):
        by_agent.setdefault(entry.agent, []).append(entry)
    found = map(choose, by_agent.values())
    return [entry for entry in found if entry is not None]


def blocked(sight: Sight) -> Mapping[str, object]:
    """The keys of the blocklist."""
    found = sight.one(asked.HUB_BLOCKLIST)
    return (found.get("data") or {}) if found is not None else {}


def _usable(sight: Sight) -> Iterator[Finding]:
    for entry in registered(sight):
        if entry.problem:
            yield fail(f"nobody can be let in as {entry.agent or '(nobody)'}: {entry.problem}")
    homes: dict[str, str] = {}
    for entry in chosen(sight):
        other = homes.setdefault(entry.home, entry.agent)
        if other != entry.agent:
            text = f"{other} and {entry.agent} have one namespace of the hub, {entry.home}"
            yield fail(f"{text}: name another one for one of them in annotation {HOME}")


def _single(sight: Sight) -> Iterator[Finding]:
    counting = {entry.secret for entry in chosen(sight)}
    for entry in registered(sight):
        if entry.secret not in counting:
            yield warn(f"{entry.agent} has another one, which counts: remove Secret {entry.secret}")


def _urls(sight: Sight) -> Iterator[Finding]:
    for entry in registered(sight):
        try:
            parts = urlsplit(entry.server)
            agent = (parse_qs(parts.query).get("agentName") or [""])[0]
        except ValueError:
            yield fail(f"Secret {entry.secret}: its server is no URL: {_repair(entry)}")
            continue
        if parts.scheme != "https":
            yield fail(f"Secret {entry.secret}: its server is not https: {_repair(entry)}")
        elif not agent:
            yield fail(f"Secret {entry.secret}: its server has no agentName: {_repair(entry)}")
        elif agent != entry.agent:
            text = f"Secret {entry.secret}: its server leads to {agent}, its label says {entry.agent}"
            yield fail(f"{text}: {_repair(entry)}")


def _repair(entry: Entry) -> str:
    return f"trio-argoagent ctl agent reconfigure {entry.agent} --resource-proxy-server HOST:PORT"


def _skipped(sight: Sight) -> Iterator[Finding]:
    for secret in sight.all(asked.HUB_CLUSTERS):
        if secret.annotations.get(SKIP) != "true":
            text = f"Secret {secret.meta.name}: the hub's own controller would reconcile this cluster"
            yield warn(f"{text}: annotate it {SKIP}: true")


def _homes(sight: Sight) -> Iterator[Finding]:
    there = {each.meta.name: each for each in sight.all(asked.HUB_NAMESPACES)}
    for entry in chosen(sight):
        found = there.get(entry.home)
        if found is None and not entry.problem:
            yield fail(f"{entry.agent} has no namespace on the hub: kubectl create namespace {entry.home}")
        elif found is not None and found.deleting:
            yield warn(f"namespace {entry.home} of {entry.agent} is being deleted")


def _allowed(sight: Sight) -> Iterator[Finding]:
    text = value(sight.one(asked.HUB_PARAMETERS), "principal.allowed-namespaces")
    yield from _outside(sight, text, f"ConfigMap {asked.PARAMETERS}: principal.allowed-namespaces")


def _shown(sight: Sight) -> Iterator[Finding]:
    text = value(sight.one(asked.HUB_COMMANDS), "application.namespaces")
    where = "ConfigMap argocd-cmd-params-cm: application.namespaces"
    if not text:
        if chosen(sight):
            yield warn(f"{where} is not set: Argo CD shows Applications of its own namespace alone")
        return
    yield from _outside(sight, text, where)


def _outside(sight: Sight, text: str, where: str) -> Iterable[Finding]:
    """The agents whose namespaces these patterns leave out; none where there are no patterns."""
    if not text:
        return
    try:
        patterns = Patterns.parse(text.split(","))
    except ValueError as exc:
        yield fail(f"{where}: {exc}")
        return
    for entry in chosen(sight):
        if not patterns.match(entry.home):
            yield fail(f"{where} leaves out namespace {entry.home} of {entry.agent}: add it")


def value(config_map: Object | None, key: str) -> str:
    """What a ConfigMap says under this key; empty: nothing, or there is none."""
    data = config_map.get("data") if config_map is not None else None
    return str(data.get(key, "")).strip() if isinstance(data, dict) else ""


SECRETS = asked.HUB_CLUSTERS
CHECKS: Final = (
    Check(f"cluster secrets name their agents ({names.AGENT_NAME})", (SECRETS,), _usable),
    Check("each agent has one cluster secret", (SECRETS,), _single),
    Check("cluster secrets lead to the resource proxy", (SECRETS,), _urls),
    Check("the hub's own controller leaves agents' clusters alone", (SECRETS,), _skipped),
    Check("agents have their namespaces on the hub", (SECRETS, asked.HUB_NAMESPACES), _homes),
    Check("agents' namespaces are allowed to the principal", (SECRETS, asked.HUB_PARAMETERS), _allowed),
    Check("agents' namespaces are shown by Argo CD", (SECRETS, asked.HUB_COMMANDS), _shown),
)
