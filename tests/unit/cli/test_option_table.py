"""How flags may be written: as with Go's flags, and as with click's."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.runtime.loglevels import parse
from trio_argoagent.runtime.options.programs import AGENT

from .parsing import values_of


@pytest.mark.parametrize(
    ("arguments", "name", "value"),
    [
        (("--enable-websocket",), "enable_websocket", True),
        (("--enable-websocket=true",), "enable_websocket", True),
        (("--enable-websocket=F",), "enable_websocket", False),
        (("--enable-websocket", "false"), "enable_websocket", False),
        (("--enable-websocket", "--renew=false"), "enable_websocket", True),
        (("--enable-websocket", "--enable-websocket=0"), "enable_websocket", False),
        (("--renew",), "renew", True),
        (("--no-renew",), "renew", False),
        (("--server-port", "1", "--server-port=2"), "server_port", 2),
        (("-n", "mine"), "namespace", "mine"),
        (("--redis-password=-x",), "redis_password", "-x"),
        (("--local-labels=a,b", "--local-labels", "c"), "local_labels", ("a", "b", "c")),
        (("--tunnel-addresses=a:1", "--tunnel-addresses=b:2"), "tunnel_addresses", ("a:1", "b:2")),
    ],
)
def test_a_flag(arguments: tuple[str, ...], name: str, value: Any) -> None:
    """A switch alone is true; several of a list are one; of anything else the last counts."""
    assert values_of(AGENT, *arguments)[name] == value


def test_lists_are_joined() -> None:
    """Whatever becomes of them then."""
    patterns = values_of(AGENT, "--allowed-namespaces=a,b", "--allowed-namespaces=c-*")["allowed_namespaces"]
    levels = values_of(AGENT, "--log-level=info", "--log-level", "redis-proxy=debug")["log_level"]
    assert levels == parse("info,redis-proxy=debug")
    assert [patterns.match(name) for name in ("a", "b", "c-d", "e")] == [True, True, True, False]
