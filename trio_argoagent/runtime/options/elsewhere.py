"""Options of argocd-agent that have nothing to do here: each is read, and says why when it is set.

Source: argoproj-labs/argocd-agent, cmd/argocd-agent/{principal,agent}.go, as of v0.9.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.options.kinds import (
    DURATION,
    FILE,
    NAME,
    PORT,
    SWITCH,
    Kind,
    refused,
    text,
    whole,
)
from trio_argoagent.runtime.options.meanings import ADDRESS, GLOBS
from trio_argoagent.runtime.options.rows import Option

_NO_TOKENS: Final = "agents are known by certificates, or by what a mesh's proxy says: nobody signs tokens"
_NO_PEER: Final = "there is one principal; while Kubernetes starts it again, agents and Argo CD go on"
_ALONE: Final = refused(
    "there is one principal, and no other would take over: leave it out; while Kubernetes starts it again,"
    " agents and Argo CD go on"
)
_NO_QUEUES: Final = "what has changed is a set of keys, not a queue of events: it can never be full"
_NO_LIMIT: Final = "the API server itself says when to wait (API Priority and Fairness)"


def _unused(
    flag: str, variable: str, kind: Kind, why: str, key: str = "", also: tuple[str, ...] = ()
) -> Option:
    what = flag or variable
    return Option(
        flag,
        "" if also else variable,
        key,
        kind,
        None,
        f"Without effect: {why}.",
        name=what.lstrip("-").replace("-", "_").lower(),
        unused=why,
        also=also,
    )


def _everywhere(suffix: str, kind: Kind, why: str) -> Option:
    """One that argocd-agent has without a flag, by the same variable in both programs."""
    return _unused("", suffix, kind, why, also=(f"ARGOCD_AGENT_{suffix}",))


_BOTH: Final = (
    _unused(
        "--grpc-max-message-size",
        "GRPC_MAX_MESSAGE_SIZE",
        whole(0),
        "a large object travels in parts, up to what an API server stores",
    ),
    _everywhere("KUBE_QPS", whole(0), _NO_LIMIT),
    _everywhere("KUBE_BURST", whole(0), _NO_LIMIT),
    _everywhere("SEND_QUEUE_SIZE", whole(0), _NO_QUEUES),
    _everywhere("RECV_QUEUE_SIZE", whole(0), _NO_QUEUES),
)
PRINCIPAL: Final = (
    _unused("--jwt-secret-name", "JWT_SECRET_NAME", NAME, _NO_TOKENS, "jwt.secret-name"),
    _unused("--jwt-key", "JWT_KEY_PATH", FILE, _NO_TOKENS, "jwt.key-path"),
    _unused("--insecure-jwt-generate", "JWT_ALLOW_GENERATE", SWITCH, _NO_TOKENS, "jwt.allow-generate"),
    _unused(
        "--keepalive-min-interval",
        "KEEP_ALIVE_MIN_INTERVAL",
        DURATION,
        "how often an agent may ping is bounded for each connection, whatever interval it has chosen",
        "keep-alive.min-interval",
    ),
    _unused("--event-processors", "EVENT_PROCESSORS", whole(0), "each object has a worker of its own"),
    *_BOTH,
)
HA: Final = (
    Option(
        "--ha-enabled",
        "HA_ENABLED",
        "",
        _ALONE,
        "false",
        "Refused: there is one principal, which Kubernetes starts again.",
    ),
    _unused("--ha-preferred-role", "HA_PREFERRED_ROLE", text("ROLE"), _NO_PEER),
    _unused("--ha-peer-address", "HA_PEER_ADDRESS", ADDRESS, _NO_PEER),
    _unused("--ha-admin-port", "HA_ADMIN_PORT", PORT, _NO_PEER),
    _unused("--ha-allowed-replication-clients", "HA_ALLOWED_REPLICATION_CLIENTS", GLOBS, _NO_PEER),
    _unused("--ha-failover-timeout", "HA_FAILOVER_TIMEOUT", DURATION, _NO_PEER),
    _unused("--ha-replication-initial-ack-timeout", "HA_REPLICATION_INITIAL_ACK_TIMEOUT", DURATION, _NO_PEER),
)
AGENT: Final = (
    _unused(
        "--enable-compression",
        "ENABLE_COMPRESSION",
        SWITCH,
        "what travels is always compressed, as a difference to what the other side holds",
        "compression.enable",
    ),
    _unused(
        "--enable-resource-proxy",
        "ENABLE_RESOURCE_PROXY",
        SWITCH,
        "the principal answers for live resources by itself, and says that they are not available",
        "resource-proxy.enable",
    ),
    _unused(
        "--buffer-informer-event-interval",
        "BUFFER_INFORMER_EVENT_INTERVAL",
        DURATION,
        "a thousand changes of an object are one changed key, and its newest state is sent",
    ),
    *_BOTH,
)
