"""How many objects a source may make its replica's cluster hold: what is beyond is refused.

Whatever runs on a spoke, the hub's API server, its etcd and everybody's Argo CD have to live with what comes.
A refused record leaves nothing behind here. Its source offers it again every five minutes, so that it comes
once there is room; nothing else waits for it. What is there already takes every change, and its deletion.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from trio_argoagent.model.keys import Key

DEFAULT: Final = 10_000
"""Objects of one agent. With its status an Application takes some 20 to 40 KB of etcd: this is up to 400 MB,
a fifth of what an etcd holds by default (2 GB), and many times what one Argo CD is known to look after."""
TOO_MANY: Final = "this agent has as many objects as it may have"
"""Begins the reason for what is refused."""


class Allowance:
    """See the module.

    Args:
        most: objects; 0: any number.
        held: how many there are.
    """

    def __init__(self, most: int = 0, held: Callable[[], int] = lambda: 0) -> None:
        self.most, self._held = most, held
        self._claimed: dict[Key, None] = {}

    def claim(self, key: Key) -> str:
        """An object of this key is about to be made. Returns: why it must not be; empty: it may.

        What is claimed counts until it is released, when it is held, or has not been made after all.
        """
        if key in self._claimed:
            return ""
        refusal = self.refusal()
        if not refusal:
            self._claimed[key] = None
        return refusal

    def release(self, key: Key) -> None:
        """Whatever was claimed for this key is counted as held now, if it is there."""
        self._claimed.pop(key, None)

    def refusal(self) -> str:
        """Why nothing more may be made now; empty: there is room."""
        if not self.most or self._held() + len(self._claimed) < self.most:
            return ""
        return f"{TOO_MANY}: {self.most} (--max-agent-objects of the principal)"
