"""Carries out the steps of a plan on one object until the plan says that it is done.

A plan sees the newest known state and names one step; the API server's answer is the next state. A refused
precondition means that somebody was faster: the object is read again and planned anew. Only what the API
server has really said is ever answered to the source.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Protocol

import attrs

from trio_argoagent import errors
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Outcome
from trio_argoagent.model.resources import Resource
from trio_argoagent.ports.cluster import Cluster, JsonPatch
from trio_argoagent.replication.known import Known
from trio_argoagent.replication.traced import traced
from trio_argoagent.sync import steps

MAX_STEPS: Final = 16
"""Steps towards one record in one go; then it waits its turn again: no fight takes a worker for ever."""
MAX_AFTER: Final = 120.0
"""Seconds we wait at most because a server asked for it: some proxies ask for days."""


class Plan(Protocol):
    """What to do next with one object. It may remember what it has seen on the way."""

    def step(self, live: Object | None) -> steps.Step:
        """The next step, from the newest known state."""

    def wrote(self, step: steps.Step, obj: Object) -> None:
        """The API server has answered this step with this state."""


class NextStep:
    """A plan without a memory: one function of the object as it stands.

    Args:
        of: the next step; None, as where there is no object: nothing is left to do.
    """

    def __init__(self, of: Callable[[Object], steps.Step | None]) -> None:
        self._of = of

    def step(self, live: Object | None) -> steps.Step:
        """See ``Plan``."""
        return (self._of(live) if live is not None else None) or steps.APPLIED

    def wrote(self, step: steps.Step, obj: Object) -> None:
        """See ``Plan``."""


@attrs.frozen
class TryLater:
    """The API server cannot now, or others were faster too often; ``after``: seconds it asked for."""

    after: float | None
    reason: str


_LOST_RACE = (errors.Conflict, errors.AlreadyExists, errors.NotFound, errors.Expired)
_NOT_NOW = (errors.Throttled, errors.Unavailable)
_NOT_ALLOWED = (errors.Forbidden, errors.Unauthorized)
_NAMES_ONLY: Final = re.compile(
    r'secrets (?:"[^"]*" )?is forbidden: User "[^"]*" cannot [a-z]+ resource "secrets" in API group ""'
    r' in the namespace "[^"]*"|(?:namespaces|secrets) "[^"]*" not found'
)
"""What the API server itself says of a Secret, and not of what it was sent: RBAC, and what is missing."""


class Executor:
    """Executes plans on the objects of one resource.

    Args:
        cluster: where.
        resource: which.
        known: the newest that is known of them.
        secret: may the API server's words not be repeated? They can quote what it was sent.
    """

    def __init__(self, cluster: Cluster, resource: Resource, known: Known, *, secret: bool = False) -> None:
        self._cluster, self._resource, self.known, self._secret = cluster, resource, known, secret

    async def bring_about(self, namespace: str, name: str, plan: Plan) -> steps.Done | TryLater:
        """Carry out ``plan`` on one object until it is done, or for ``MAX_STEPS`` steps."""
        self.known.doubt(namespace, name)
        for _ in range(MAX_STEPS):
            live = self.known.get(namespace, name)
            step = plan.step(live)
            if isinstance(step, steps.Done):
                return step
            try:
                what = None if self._secret else _body(step)
                with traced(type(step).__name__.lower(), (self._resource.kind, namespace, name), what):
                    await self._carry_out(namespace, name, step, plan)
            except _NOT_NOW as exc:
                return self._later(exc)
            except _NOT_ALLOWED as exc:
                return steps.pending(self._words(exc))
            except errors.RemoteProtocolError as exc:
                return self._later(exc)  # The API server's fault, never that of whoever sent the record.
            except (errors.ApiError, errors.OutcomeUnknown) as exc:
                try:
                    now = await self._read(namespace, name)
                except (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError) as again:
                    return self._later(again)
                outcome = _judge(exc, live, now)
                if outcome is not None:
                    return steps.Done(outcome, self._words(exc))
        return TryLater(None, "others keep changing it")

    def _words(self, cause: errors.ArgoAgentError) -> str:
        """What may be repeated of an answer: where it may quote a secret, what quotes names alone."""
        words = cause.message if isinstance(cause, errors.Forbidden | errors.Unauthorized) else str(cause)
        if not self._secret:
            return words
        harmless = _NAMES_ONLY.match(words)
        if harmless is not None:
            return harmless[0]
        if isinstance(cause, errors.Forbidden):
            return f"{self._resource.plural} is forbidden, for a reason that may quote it"
        return f"the API server does not accept it ({type(cause).__name__})"

    def _later(self, exc: errors.ArgoAgentError) -> TryLater:
        asked = exc.retry_after if isinstance(exc, errors.ApiError) else 0.0
        return TryLater(min(asked, MAX_AFTER) or None, self._words(exc))

    async def _carry_out(self, namespace: str, name: str, step: steps.Step, plan: Plan) -> None:
        match step:
            case steps.Create(value):
                obj = await self._cluster.create(self._resource, value)
            case steps.Patch(operations):
                obj = await self._cluster.patch(self._resource, namespace, name, JsonPatch(operations))
            case steps.Delete(uid, version, final):
                await self._cluster.delete(self._resource, namespace, name, uid=uid, resource_version=version)
                if final:
                    self.known.gone(namespace, name, uid, version)
                else:
                    await self._read(namespace, name)
                return
            case _:
                raise errors.LocalProtocolError(f"no such step: {step!r}")
        self.known.wrote(obj)
        plan.wrote(step, obj)

    async def _read(self, namespace: str, name: str) -> Object | None:
        before = self.known.get(namespace, name)
        try:
            obj = await self._cluster.get(self._resource, namespace, name)
        except errors.NotFound as exc:
            if not exc.details.get("name"):
                # The resource is not served, which says nothing of the object.
                raise errors.Unavailable(exc.message) from exc
            if before is not None:
                self.known.gone(namespace, name, before.meta.uid, before.meta.resource_version)
            return None
        self.known.wrote(obj)
        return obj


def _body(step: steps.Step) -> object:
    match step:
        case steps.Create(value):
            return value
        case steps.Patch(operations):
            return operations
        case _:
            return None


def _judge(cause: errors.ArgoAgentError, before: Object | None, now: Object | None) -> Outcome | None:
    """After a refusal: None if the object is not what the plan thought, so that it must plan anew."""
    versions = [obj.meta.resource_version if obj is not None else None for obj in (before, now)]
    if isinstance(cause, errors.OutcomeUnknown) or versions[0] != versions[1]:
        return None
    if isinstance(cause, errors.NotFound) and before is None:
        return Outcome.PENDING  # The namespace is missing: it may come.
    return None if isinstance(cause, _LOST_RACE) else Outcome.REJECTED
