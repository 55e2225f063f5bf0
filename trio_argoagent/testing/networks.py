"""The networks of the simulator by their levels."""

from __future__ import annotations

from typing import Any, Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.ports.env import Random
from trio_argoagent.testing.conditions import Conditions
from trio_argoagent.testing.network import Network

LEVELS: Final = (1, 2)
"""1: whole frames in memory. 2: the product's HTTP/2 over bytes in memory."""


@attrs.frozen
class Way:
    """What links travel on, where bytes do (level 2).

    Attributes:
        websocket: WebSockets instead of HTTP/2.
        proxied: agents reach the principal through a proxy alone, which does CONNECT.
    """

    websocket: bool = False
    proxied: bool = False


STRAIGHT: Final = Way()


def make_network(level: int, chance: Random, way: Way = STRAIGHT) -> Conditions[Any]:
    """The network of that level.

    Args:
        level: one of ``LEVELS``.
        chance: of latencies, and at level 2 of where bytes are cut.
        way: what links travel on.

    Raises:
        UserError: there is no such level, or it has no such thing.
    """
    if level not in LEVELS:
        raise UserError(f"level: must be {' or '.join(map(str, LEVELS))}, not {level}")
    if level == 1:
        if way != STRAIGHT:
            raise UserError("level: WebSockets and proxies are of level 2, where bytes travel")
        return Network(chance)
    # Here: it loads HTTP/2, and most fleets do without.
    from trio_argoagent.testing.wire import WireNetwork

    return WireNetwork(chance, websocket=way.websocket, proxied=way.proxied)
