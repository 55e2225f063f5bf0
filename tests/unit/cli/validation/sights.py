"""What checks would have read, made by hand, and the answers that one check gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

from trio_argoagent.cli.secretdata import opaque
from trio_argoagent.cli.validation import asked
from trio_argoagent.cli.validation.checks import Check, Query, Result, Side, Sight, Unread, judge
from trio_argoagent.model.objects import Object
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.principal.clusters import make_secret

NOW = 1_800_000_000.0
DAY = 86_400.0
NAMESPACES = {Side.HUB: "argocd", Side.SPOKE: "argo"}


def authority(name: str = "ours") -> Authority:
    """A CA of a year, made once for each name."""
    return _authority(name)


@cache
def _authority(name: str) -> Authority:
    return Authority.create(keys.new_key(), name=name, serial=2**100 + 7, now=NOW, lifetime=365 * DAY)


def server(
    hosts: Iterable[str] = ("principal.example.com",), days: float = 100, ca: str = "ours", at: float = NOW
) -> dict[str, bytes]:
    """The data of a server's Secret."""
    key = keys.new_key()
    pem = authority(ca).issue_server(
        key.public_key(), name="server", hosts=hosts, serial=2**100 + 9, now=at, lifetime=days * DAY
    )
    return {"tls.crt": pem, "tls.key": keys.key_pem(key)}


def client(agent: str = "edge", days: float = 100, ca: str = "ours", at: float = NOW) -> dict[str, bytes]:
    """The data of an agent's Secret."""
    key = keys.new_key()
    pem = authority(ca).issue_client(
        key.public_key(), agent=agent, serial=2**100 + 11, now=at, lifetime=days * DAY
    )
    return {"tls.crt": pem, "tls.key": keys.key_pem(key)}


def cluster_secret(agent: str = "edge", **more: Any) -> Object:
    """What registers an agent, as an API server shows it."""
    tls = client(agent) | {"ca.crt": authority().certificate_pem}
    value = make_secret(agent, "argocd", **({"tls": tls} | more))
    value["metadata"]["uid"] = f"uid of {value['metadata']['name']}"
    given = {key: text.encode() for key, text in value.pop("stringData").items()}
    return Object.of(value | {"data": opaque("", "", given)["data"]})


def secret(query: Query, data: Mapping[str, bytes]) -> Object:
    """A Secret of that name."""
    return Object.of(opaque(NAMESPACES[query.side], query.name, data))


def plain(query: Query, name: str = "", **fields: Any) -> Object:
    """Any other object."""
    metadata = {"name": name or query.name, "namespace": NAMESPACES[query.side]} | fields.pop("metadata", {})
    kind = {"apiVersion": query.resource.api_version, "kind": query.resource.kind}
    return Object.of(kind | {"metadata": metadata} | fields)


def good() -> dict[Query, Sequence[Object] | Unread]:
    """An installation in which nothing is wrong."""
    found: dict[Query, Sequence[Object] | Unread] = {
        asked.HUB_CA: [
            secret(asked.HUB_CA, {"tls.crt": authority().certificate_pem, "tls.key": authority().key_pem})
        ],
        asked.HUB_TLS: [secret(asked.HUB_TLS, server())],
        asked.HUB_PROXY_TLS: [secret(asked.HUB_PROXY_TLS, server(["argocd-agent-resource-proxy"]))],
        asked.HUB_JWT: [],
        asked.HUB_CLUSTERS: [cluster_secret()],
        asked.HUB_BLOCKLIST: [plain(asked.HUB_BLOCKLIST, data={"A" * 64: ""})],
        asked.HUB_PARAMETERS: [],
        asked.HUB_ARGOCD: [plain(asked.HUB_ARGOCD)],
        asked.HUB_COMMANDS: [plain(asked.HUB_COMMANDS, data={"application.namespaces": "*"})],
        asked.HUB_OPERATED: [],
        asked.HUB_APPLICATIONS: [],
        asked.HUB_NAMESPACES: [plain(asked.HUB_NAMESPACES, "edge")],
        asked.HUB_SERVICES: [],
        asked.HUB_ROUTES: [],
        asked.SPOKE_CA: [secret(asked.SPOKE_CA, {"ca.crt": authority().certificate_pem})],
        asked.SPOKE_TLS: [secret(asked.SPOKE_TLS, client())],
        asked.SPOKE_PARAMETERS: [
            plain(asked.SPOKE_PARAMETERS, data={"agent.server.address": "principal.example.com"})
        ],
    }
    for side, components, program in (
        (Side.HUB, ("server", "repo-server"), "argocd-agent-principal"),
        (Side.SPOKE, ("application-controller", "repo-server"), "argocd-agent-agent"),
    ):
        deployments, stateful_sets = asked.workloads(side)
        found[deployments] = [workload(deployments, each) for each in components]
        found[stateful_sets] = [workload(stateful_sets, "redis")]
        found[asked.policies(side)] = [policy(side, {"matchLabels": {"app.kubernetes.io/name": program}})]
    return found


def workload(query: Query, component: str) -> Object:
    """A part of Argo CD."""
    labels = {"app.kubernetes.io/part-of": "argocd", "app.kubernetes.io/component": component}
    return plain(query, f"argocd-{component}", metadata={"labels": labels})


def policy(side: Side, *pods: dict[str, Any]) -> Object:
    """What says who may reach Redis."""
    spec = {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": "argocd-redis"}},
        "ingress": [{"from": [{"podSelector": each} for each in pods]}],
    }
    return plain(asked.policies(side), "argocd-redis", spec=spec)


def look(checks: Iterable[Check], found: Mapping[Query, Sequence[Object] | Unread]) -> Sequence[Result]:
    """What these checks say of that."""
    return judge(checks, Sight(NOW, NAMESPACES, found))


def amiss(checks: Iterable[Check], change: Mapping[Query, Sequence[Object] | Unread]) -> list[str]:
    """What is wrong when this is otherwise than in a good installation: ``level text``."""
    return [f"{each.level} {each.text}" for each in look(checks, good() | change) if each.text]
