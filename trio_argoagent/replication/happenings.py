"""Kubernetes Events: how a refusal is seen where the object it is about can show no condition, or is gone.

The same thing said again is the same Event with a higher count. What is said is bounded twice: each Event is
written once in ``RENEW`` seconds at most, and all of them ``BURST`` times in ``WINDOW`` seconds; half of that
is kept for what has not been said yet, and no one subject has more than ``SHARE`` of it: the words may be
somebody else's.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.model.resources import EVENTS
from trio_argoagent.ports.cluster import Cluster, JsonPatch
from trio_argoagent.ports.env import Env
from trio_argoagent.sync import steps
from trio_argoagent.sync.conditions import AGENT_ERROR

RENEW: Final = 1500.0
"""Seconds after which an Event that still holds is written again: API servers keep them for an hour."""
RETRY: Final = (2.0, 64.0)
"""Seconds until one that could not be written is tried again; twice as many after each failure in a row."""
WINDOW: Final = 600.0
BURST: Final = 50
"""Events written within ``WINDOW`` seconds; the others wait, and are counted."""
SHARE: Final = 5
"""Of them, about one subject."""
COMPONENT: Final = "trio-argoagent"
_ANSWERS: Final = (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError)


@attrs.frozen
class Involved:
    """What an Event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str = ""

    @property
    def subject(self) -> tuple[str, str, str]:
        """The same for all that goes under this name, whichever of them it is."""
        return self.kind, self.namespace, self.name

    def value(self) -> dict[str, str]:
        """As ``involvedObject``."""
        found = {"apiVersion": self.api_version, "kind": self.kind, "namespace": self.namespace}
        return found | {"name": self.name} | ({"uid": self.uid} if self.uid else {})


class Happenings:
    """See the module.

    Args:
        cluster: where they are written.
        env: wall time.
        involved: looks up what they are about, given what they would be about otherwise.
    """

    def __init__(
        self, cluster: Cluster, env: Env, involved: Callable[[Involved], Awaitable[Involved]]
    ) -> None:
        self._cluster, self._env, self._involved = cluster, env, involved
        self._due: dict[str, float] = {}
        self._failures = 0
        self._written: deque[tuple[float, tuple[str, str, str]]] = deque()
        self.delayed = 0
        """How often one had to wait because there were too many, of all or of its subject."""

    async def say(self, subject: Involved, text: str) -> None:
        """This is so; to be called again as long as it is. Never raises: it is told again anyway.

        Args:
            subject: what it is about by itself.
            text: one line.
        """
        name = f"{subject.name[:180].rstrip('-.')}.{_short(f'{subject.kind} {subject.namespace} {text}')}"
        now = trio.current_time()
        if now < self._due.get(name, now):
            return
        if self._is_too_much(subject, now, again=name in self._due):
            self.delayed += 1
            return
        self._due = {each: due for each, due in self._due.items() if due > now - RENEW} | {
            name: now + self._patience()
        }
        try:
            await self._write(await self._involved(subject), name, text)
        except _ANSWERS:
            self._failures += 1
            return
        self._failures = 0
        self._written.append((trio.current_time(), subject.subject))
        self._due[name] = trio.current_time() + RENEW

    def _is_too_much(self, subject: Involved, now: float, *, again: bool) -> bool:
        while self._written and self._written[0][0] <= now - WINDOW:
            self._written.popleft()
        if len(self._written) >= (BURST // 2 if again else BURST):
            return True
        return sum(about == subject.subject for _, about in self._written) >= SHARE

    def _patience(self) -> float:
        # Whoever has no right to write Events must not ask for it all the time, for a thousand agents.
        return min(RETRY[1], RETRY[0] * 2.0 ** min(self._failures, 10))

    async def _write(self, about: Involved, name: str, text: str) -> None:
        at = self._env.timestamp()
        value: dict[str, Any] = {
            "apiVersion": EVENTS.api_version,
            "kind": EVENTS.kind,
            "metadata": {"name": name, "namespace": about.namespace},
            "involvedObject": about.value(),
            "type": "Warning",
            "reason": AGENT_ERROR,
            "message": text,
            "count": 1,
            "firstTimestamp": at,
            "lastTimestamp": at,
            "source": {"component": COMPONENT},
            "reportingComponent": COMPONENT,
        }
        try:
            await self._cluster.create(EVENTS, value)
        except errors.AlreadyExists:
            before = await self._cluster.get(EVENTS, about.namespace, name)
            count = before.get("count") or 1
            changes = [steps.op_add("/count", count + 1), steps.op_add("/lastTimestamp", at)]
            await self._cluster.patch(EVENTS, about.namespace, name, JsonPatch(changes))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
