"""Options on how agents and the principal find each other, and how long a connection lives."""

from __future__ import annotations

from typing import Final

from trio_argoagent.model.identity import Mode
from trio_argoagent.runtime.config import KEEPALIVE
from trio_argoagent.runtime.options.kinds import NAME, PORT, PORT_OF, SWITCH, duration, number, one_of, text
from trio_argoagent.runtime.options.meanings import ADDRESSES
from trio_argoagent.runtime.options.rows import Option
from trio_argoagent.runtime.options.usual import NAMESPACE

YOUNGEST: Final = 3600.0
OLDEST: Final = 12 * 3600.0
"""Seconds: in less than an hour they cost more than they are worth, after half a day few are replaced."""
_INTERVAL: Final = duration(1.0, 3600.0, or_none=True, advice="must be 1s to 1h, or 0")

PRINCIPAL: Final = (
    Option(
        "--listen-host",
        "LISTEN_HOST",
        "listen.host",
        text("HOST"),
        "",
        "Address to listen on; without it: all.",
    ),
    Option(
        "--listen-port",
        "LISTEN_PORT",
        "listen.port",
        PORT,
        "8443",
        "Port that agents dial; 0: a free one, which the log names.",
    ),
    Option(
        "--namespace",
        "NAMESPACE",
        "namespace",
        NAME,
        NAMESPACE,
        "Argo CD's namespace on the hub.",
        short="-n",
    ),
    Option(
        "--keepalive",
        "KEEPALIVE",
        "keepalive",
        number(1, 3600, "SECONDS"),
        f"{KEEPALIVE:g}",
        "Silence before a ping; two of them end a link.",
    ),
    Option(
        "--enable-websocket",
        "ENABLE_WEBSOCKET",
        "websocket.enable",
        SWITCH,
        "false",
        "Let agents have WebSockets too, on the same port.",
    ),
    Option(
        "--max-link-age",
        "MAX_LINK_AGE",
        "max-link-age",
        duration(YOUNGEST, OLDEST, or_none=True, advice="must be 1h to 12h, or 0 for any age"),
        "12h",
        "An agent is asked for another connection by then, 1h to 12h; 0: never.",
    ),
)
AGENT: Final = (
    Option(
        "--server-address",
        "REMOTE_SERVER",
        "server.address",
        text("HOST"),
        "",
        "Host name or address of the principal, as its certificate names it.",
        required="say where the principal is",
    ),
    Option("--server-port", "REMOTE_PORT", "server.port", PORT_OF, "443", "Port of the principal."),
    Option(
        "--namespace",
        "NAMESPACE",
        "namespace",
        NAME,
        NAMESPACE,
        "Argo CD's namespace on the spoke.",
        short="-n",
    ),
    Option(
        "--agent-mode",
        "MODE",
        "mode",
        one_of(Mode),
        Mode.AUTONOMOUS.value,
        "Which side owns the specs: managed the hub, autonomous the spoke.",
    ),
    Option(
        "--enable-websocket",
        "ENABLE_WEBSOCKET",
        "websocket.enable",
        SWITCH,
        "false",
        "Dial the principal by WebSocket; it must have the option as well.",
    ),
    Option(
        "--keep-alive-ping-interval",
        "KEEP_ALIVE_PING_INTERVAL",
        "keep-alive.interval",
        _INTERVAL,
        "0",
        "Silence before this side pings, where it is to be less than the principal says; 0: as that says.",
    ),
    Option(
        "--heartbeat-interval",
        "HEARTBEAT_INTERVAL",
        "heartbeat-interval",
        _INTERVAL,
        "0",
        "The same, by argocd-agent's other name: pings are messages of the link. The shorter one counts.",
    ),
    Option(
        "--tunnel-addresses",
        "TUNNEL_ADDRESSES",
        "tunnel-addresses",
        ADDRESSES,
        "",
        "TCP addresses that the principal may open tunnels to from here; none by default.",
    ),
)
