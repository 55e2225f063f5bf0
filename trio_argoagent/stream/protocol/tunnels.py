"""Which tunnels one agent may open now: a table of ids, each good once and for a while.

The principal asks for a tunnel with an id that nobody can guess, on a link that knows whose it is. So an id
is all that opening takes, and a table belongs to one link: what one agent was asked for does not exist for
another one. A claim that fails says nothing about why: never asked for, asked of somebody else, used and too
late look alike.
"""

from __future__ import annotations

import enum
from typing import Final

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.ports.transport import TUNNEL_ID

STRAYS: Final = 16
"""Claims in vain that an agent may make beyond those that it was asked for and came late with."""
_DIGITS: Final = frozenset("0123456789abcdef")


class Verdict(enum.Enum):
    """What becomes of a claim."""

    GRANTED = "granted"
    """The tunnel is awaited, and by nobody any more after this."""
    UNKNOWN = "unknown"
    """No such tunnel is awaited."""
    ABUSE = "abuse"
    """Likewise, and this has happened more often than it can by chance: end the connection."""


def is_tunnel_id(text: str) -> bool:
    """Does this look like the id of a tunnel?"""
    return len(text) == 2 * TUNNEL_ID and _DIGITS.issuperset(text)


class Awaited:
    """See the module. Times are those of one clock, in seconds."""

    def __init__(self) -> None:
        self._until: dict[str, float] = {}
        self._strays = 0
        self._allowed = STRAYS

    def __len__(self) -> int:
        return len(self._until)

    def expect(self, tunnel_id: str, until: float) -> None:
        """From now on and until then this tunnel may be opened, once.

        Raises:
            LocalProtocolError: it is no id, or is awaited already.
        """
        if not is_tunnel_id(tunnel_id) or tunnel_id in self._until:
            raise LocalProtocolError(f"{tunnel_id!r} is not a fresh id of a tunnel")
        self._until[tunnel_id] = until

    def withdraw(self, tunnel_id: str) -> None:
        """It is not awaited any more; an agent that comes with it after all is forgiven, once."""
        if self._until.pop(tunnel_id, None) is not None:
            self._allowed += 1

    def claim(self, tunnel_id: str, now: float) -> Verdict:
        """The agent wants to open this one."""
        until = self._until.get(tunnel_id)
        if until is not None and now < until:
            del self._until[tunnel_id]
            return Verdict.GRANTED
        self._strays += 1
        return Verdict.ABUSE if self._strays > self._allowed else Verdict.UNKNOWN
