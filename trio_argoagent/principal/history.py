"""The links that an agent had before: since when, until when, and why each of them ended.

In memory only, as everything that is known of links: it tells of this principal's life.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from typing import Final

import attrs

from trio_argoagent.errors import LinkError, ProtocolError, leaves
from trio_argoagent.net.protocol.fields import one_line
from trio_argoagent.principal.presence import PastLink

KEPT: Final = 10
"""Links of one agent that are remembered."""
REASON: Final = 200
"""Characters that are kept of why one ended."""
SILENT: Final = "the agent has hung up without a word"


@attrs.define(eq=False)
class Ending:
    """Of a link that lives yet.

    Attributes:
        why: it ends, where that is no error.
    """

    why: str = ""


class History:
    """See the module.

    Args:
        followed: the agents whose links are remembered.
        now: Unix time.
    """

    def __init__(self, followed: Container[str], now: Callable[[], float]) -> None:
        self._followed, self._now = followed, now
        self._links: dict[str, deque[PastLink]] = {}

    @contextmanager
    def link(self, agent: str) -> Iterator[Ending]:
        """One link, which is remembered when the block is left."""
        ending, since = Ending(), self._now()
        try:
            yield ending
        except (LinkError, ProtocolError, BaseExceptionGroup) as exc:
            ending.why = _told(exc) or ending.why
            raise
        finally:
            if agent in self._followed:
                links = self._links.setdefault(agent, deque(maxlen=KEPT))
                why = one_line(ending.why)[:REASON] or SILENT
                links.appendleft(PastLink(int(since), int(self._now()), why))

    def of(self, agent: str) -> tuple[PastLink, ...]:
        """The links of an agent, the newest first."""
        return tuple(self._links.get(agent, ()))

    def forget(self, agent: str) -> None:
        """It is followed no more."""
        self._links.pop(agent, None)


def _told(exc: BaseException) -> str:
    return "; ".join(str(each) for each in leaves(exc) if isinstance(each, LinkError | ProtocolError))
