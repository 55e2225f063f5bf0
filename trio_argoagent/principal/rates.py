"""How often somebody may ask: so many at once, and one more after each interval. Decisions only.

Each key has one number, the moment until which it has been served (the generic cell rate algorithm). The
table of all who ask is bounded.
"""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from typing import Final

MOST: Final = 4096
"""Keys remembered. The one that has not asked for longest goes when there are more, and is counted."""


class Rates:
    """See the module.

    Args:
        burst: at once.
        every: seconds for each further one.
        most: keys.
    """

    def __init__(self, burst: int, every: float, most: int = MOST) -> None:
        self._slack, self._every, self._most = (burst - 1) * every, every, most
        self._served: OrderedDict[str, float] = OrderedDict()
        self.overflows = 0
        """How often a key was forgotten that still counted."""

    def take(self, key: str, now: float) -> float:
        """Ask once more: seconds to wait before asking again; 0: it is granted, and counts.

        Args:
            key: who asks.
            now: seconds, of any clock that does not go back.
        """
        served = max(self._served.get(key, now), now)
        if served - now > self._slack:
            return served - now - self._slack
        self._served[key] = served + self._every
        self._served.move_to_end(key)
        while len(self._served) > self._most:
            _, until = self._served.popitem(last=False)
            self.overflows += until > now
        return 0.0

    def give_back(self, key: str) -> None:
        """What was granted last does not count."""
        if key in self._served:
            self._served[key] -= self._every

    def __len__(self) -> int:
        return len(self._served)


def source(address: str) -> str:
    """Who a connection from ``host:port`` counts for: its address; of IPv6 the network of one site."""
    host = address.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return str(found.ipv4_mapped)
        return str(ipaddress.ip_network((found, 64), strict=False))
    return host
