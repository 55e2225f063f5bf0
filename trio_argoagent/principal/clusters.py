"""An agent's Argo CD cluster secret: an agent exists on the hub where there is one.

It lies in Argo CD's namespace and looks as argocd-agent makes it: the labels
``argocd.argoproj.io/secret-type=cluster`` and ``argocd-agent.argoproj-labs.io/agent-name=<agent>``. Two
annotations of it count::

    trio-argoagent/pinned       who came first under this name; written by us
    trio-argoagent/namespace    the agent's namespace on the hub, where it is not called as the agent

What makes Argo CD reach the cluster (the secret's data) is never changed.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs
import msgspec

from trio_argoagent.model.identity import Mode, is_dns_label
from trio_argoagent.model.objects import Object
from trio_argoagent.replication.happenings import Involved
from trio_argoagent.runtime.config import PROXY
from trio_argoagent.sync import names

SECRET_TYPE: Final = names.SECRET_TYPE
SELF_REGISTERED: Final = "argocd-agent.argoproj-labs.io/self-registered-cluster"
PINNED: Final = "trio-argoagent/pinned"
SELECTOR: Final = f"{SECRET_TYPE}=cluster,{names.AGENT_NAME}"
"""The label selector of all agents' cluster secrets."""
HOME: Final = "trio-argoagent/namespace"
_VERSION: Final = "v1"
_FIELDS: Final = 4


@attrs.frozen
class Pin:
    """Who an agent is, as it said when it came first.

    Attributes:
        mode: which side owns the specs.
        namespace: Argo CD's on the spoke.
        cluster_uid: of the spoke.
    """

    mode: Mode
    namespace: str
    cluster_uid: str

    def __str__(self) -> str:
        return f"{_VERSION} {self.mode} {self.namespace} {self.cluster_uid}"


def read_pin(text: str) -> Pin:
    """The inverse of ``str(pin)``.

    Raises:
        ValueError: it is not the text of a pin.
    """
    parts = text.split(" ", _FIELDS - 1)
    if len(parts) != _FIELDS or parts[0] != _VERSION or not parts[3]:
        raise ValueError(f"{text!r} is not: {_VERSION} MODE NAMESPACE CLUSTER-UID")
    return Pin(Mode(parts[1]), parts[2], parts[3])


@attrs.frozen
class Entry:
    """What one cluster secret says.

    Attributes:
        agent: whose it is.
        secret: its name.
        uid: its uid.
        pin: who came first; None: nobody has come yet.
        home: the hub namespace of its Applications.
        problem: why no agent can be let in by it, and what to do; empty: one can.
        born: its creationTimestamp.
        server: the URL under which Argo CD knows the cluster; empty: it says none.
    """

    agent: str
    secret: str
    uid: str
    pin: Pin | None
    home: str
    problem: str = ""
    born: str = ""
    server: str = ""


def read_entry(secret: Object) -> Entry:
    """What a cluster secret says, whatever people have written into it."""
    meta, agent = secret.meta, secret.labels.get(names.AGENT_NAME, "")
    text, home = secret.annotations.get(PINNED, ""), secret.annotations.get(HOME) or agent
    problem, pin = "", None
    try:
        pin = read_pin(text) if text else None
    except ValueError as exc:
        problem = f"annotation {PINNED} of secret {meta.name}: {exc}; remove it"
    if not is_dns_label(home) or home == meta.namespace:
        problem = f"annotation {HOME} of secret {meta.name}: {home!r} cannot be an agent's namespace"
    if not is_dns_label(agent):
        problem = f"label {names.AGENT_NAME} of secret {meta.name}: {agent!r} is no agent's name"
    born, server = meta.creation_timestamp or "", server_url(secret)
    return Entry(agent, meta.name, meta.uid, pin, home, problem, born, server)


def is_of(secret: Object, agent: str) -> bool:
    """Is it a cluster secret of this agent: what ``SELECTOR`` finds?"""
    return secret.labels.get(SECRET_TYPE) == "cluster" and secret.labels.get(names.AGENT_NAME) == agent


def choose(entries: Iterable[Entry]) -> Entry | None:
    """The one that counts of several secrets of one agent: one that is pinned, then the oldest."""
    return min(entries, key=lambda each: (each.pin is None, each.born, each.secret), default=None)


def involved(entry: Entry | None, agent: str, namespace: str) -> Involved:
    """What an Event about an agent is about: its cluster secret, or what that would be called.

    Args:
        entry: of the secret that counts (``choose``); None: there is none.
        agent: whose.
        namespace: Argo CD's on the hub.
    """
    if entry is None:
        return Involved("v1", "Secret", namespace, secret_name(agent))
    return Involved("v1", "Secret", namespace, entry.secret, entry.uid)


def lean(secret: Object) -> Object:
    """The secret with no more of its data than the cluster's URL: nobody here needs the keys of a cluster."""
    data = secret.get("data")
    server = data.get("server") if isinstance(data, dict) else None
    kept = {"data": msgspec.Raw(msgspec.json.encode({"server": server}))} if server is not None else {}
    return attrs.evolve(secret, fields=kept)


def server_url(secret: Object) -> str:
    """The URL under which Argo CD knows the cluster of this secret; empty: it says none."""
    data = secret.get("data")
    try:
        return base64.b64decode(data["server"], validate=True).decode() if data else ""
    except (ValueError, TypeError, KeyError):
        return ""


def secret_name(agent: str) -> str:
    """As argocd-agent calls an agent's cluster secret."""
    return f"cluster-{agent}"


def make_secret(
    agent: str,
    namespace: str,
    address: str = PROXY,
    *,
    tls: Mapping[str, bytes] | None = None,
    pin: Pin | None = None,
    registered: bool = False,
) -> dict[str, Any]:
    """A cluster secret as argocd-agent makes it.

    Args:
        agent: whose.
        namespace: Argo CD's on the hub.
        address: ``host:port`` of the resource proxy, by which Argo CD's server reaches the spoke.
        tls: what Argo CD shows the proxy: ``tls.crt``, ``tls.key`` and ``ca.crt`` (PEM).
        pin: who it is for.
        registered: did the agent come before its secret? The label says so, as with argocd-agent.
    """
    fields = (("certData", "tls.crt"), ("keyData", "tls.key"), ("caData", "ca.crt"))
    given = {ours: base64.b64encode(tls[key]).decode() for ours, key in fields if tls and key in tls}
    config = {"tlsClientConfig": {"insecure": False} | given}
    labels = {SECRET_TYPE: "cluster", names.AGENT_NAME: agent}
    annotations = {"managed-by": "argocd-agent", "argocd.argoproj.io/skip-reconcile": "true"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": secret_name(agent),
            "namespace": namespace,
            "labels": labels | ({SELF_REGISTERED: "true"} if registered else {}),
            "annotations": annotations | ({PINNED: str(pin)} if pin is not None else {}),
        },
        "type": "Opaque",
        "stringData": {
            "name": agent,
            "server": f"https://{address}?agentName={agent}",
            "config": msgspec.json.encode(config).decode(),
        },
    }
