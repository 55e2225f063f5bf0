"""Intents on a spoke: sync, refresh, hydrate and terminate, as the hub asks for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import attrs
import trio

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model import rv
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import Holding, Outcome
from trio_argoagent.replication.bodies import read_body
from trio_argoagent.replication.executor import Executor, TryLater
from trio_argoagent.replication.workers import Achieved
from trio_argoagent.sync import intents, names, steps
from trio_argoagent.sync.replica import Work

MAX_REFRESHED: Final = 10_000
"""Refreshes remembered as done; one that is forgotten and asked for again is done again."""

_NEEDS: Final = {
    Verb.SYNC: ("operation", dict),
    Verb.REFRESH: ("value", str),
    Verb.HYDRATE: ("value", str),
    Verb.TERMINATE: ("startedAt", str),
}


@attrs.define
class _IntentPlan:
    verb: Verb
    body: dict[str, Any]
    uid: str
    uid_of: Callable[[Object], str]
    stuck: Callable[[Object | None], bool]
    refreshed: bool
    expired: Callable[[], bool]
    asof: str = ""

    def step(self, live: Object | None) -> steps.Step:
        if live is not None and self.uid_of(live) != self.uid:
            live = None  # Another object of that name: what is asked for is not there (yet, or any more).
        if live is not None and not self.asof:
            self.asof = live.meta.resource_version
        return intents.plan(
            self.verb,
            self.body["id"],
            self.body,
            live,
            stuck=self.stuck(live),
            refreshed=self.refreshed,
            expired=self.expired(),
        )

    def wrote(self, step: steps.Step, obj: Object) -> None:
        # The controller may take the annotation off before we look again: that is no reason to ask twice.
        self.refreshed = True
        self.asof = obj.meta.resource_version


class Intents:
    """The trade of intents.

    Args:
        executor: of Applications on the spoke.
        uid_of: the uid by which the hub knows a spoke's Application.
        answered: called with an Application's key once an intent on it is applied.
    """

    def __init__(
        self, executor: Executor, uid_of: Callable[[Object], str], answered: Callable[[Key], None]
    ) -> None:
        self._executor, self._uid_of, self._answered = executor, uid_of, answered
        # The newest MAX_REFRESHED: no record tells that a refresh, once answered, is over.
        self._refreshed: dict[Key, tuple[str, str]] = {}
        self._stuck_since: dict[Key, tuple[str, float]] = {}
        self._deadlines: dict[Key, tuple[str, float]] = {}

    def holding(self, key: Key) -> Holding | None:
        """See ``Trade``: an intent leaves nothing to hold."""
        return None

    def requested_at(self, app: Key) -> Mapping[Verb, str]:
        """The resourceVersions at which the hub's refresh and hydration stood here, if it asks for them."""
        known = {verb: self._refreshed.get(app.of(Kind.INTENT, verb)) for verb in intents.REQUESTS}
        return {verb: asked[1] for verb, asked in known.items() if asked is not None}

    async def bring_about(self, work: Work) -> Achieved | TryLater:
        """See ``Trade``."""
        record, body = work.record, read_body(work.record)
        if body is None:
            self._refreshed.pop(work.key, None)
            self._deadlines.pop(work.key, None)
            return Achieved(Outcome.APPLIED)
        verb = self._check(work.key, body)
        known, asof = self._refreshed.get(work.key, ("", ""))
        again = verb in intents.REQUESTS and known == body["id"]
        expired = partial(self._is_expired, work.key, body)
        stuck = partial(self._stuck, work.key)
        plan = _IntentPlan(verb, body, record.uid, self._uid_of, stuck, again, expired, asof)
        done = await self._executor.bring_about(work.key.namespace, work.key.name, plan)
        if isinstance(done, TryLater):
            return done
        if done.outcome is not Outcome.PENDING:
            self._deadlines.pop(work.key, None)
        if done.outcome is Outcome.APPLIED:
            self._stuck_since.pop(work.key, None)
            if verb in intents.REQUESTS:
                self._remember(work.key, body["id"], plan.asof)
            self._answered(work.key)
        ordered = rv.parse(plan.asof) is not None
        return Achieved(done.outcome, done.reason, asof=plan.asof if ordered else "")

    def _remember(self, key: Key, intent: str, asof: str) -> None:
        self._refreshed.pop(key, None)
        self._refreshed[key] = (intent, asof)
        if len(self._refreshed) > MAX_REFRESHED:
            del self._refreshed[next(iter(self._refreshed))]

    @staticmethod
    def _check(key: Key, body: dict[str, Any]) -> Verb:
        try:
            verb = Verb(key.verb)
        except ValueError as exc:
            raise RemoteProtocolError(f"{key}: there is no such verb") from exc
        for part, shape in (("id", str), _NEEDS[verb]):
            if not isinstance(body.get(part), shape):
                raise RemoteProtocolError(f"the body of {key}: {part} is missing or no {shape.__name__}")
        left = body.get("left", 0.0)
        if not isinstance(left, int | float) or not 0 <= left < float("inf"):
            raise RemoteProtocolError(f"the body of {key}: left is no number of seconds")
        return verb

    def _is_expired(self, key: Key, body: dict[str, Any]) -> bool:
        """Is the time over in which this may be started? It runs from the first time that we were told."""
        if "left" not in body:
            return False
        now = trio.current_time()
        known, deadline = self._deadlines.get(key, ("", 0.0))
        ends = now + float(body["left"])
        if known == body["id"]:
            ends = min(ends, deadline)
        self._deadlines[key] = (body["id"], ends)
        return now >= ends

    def _stuck(self, key: Key, live: Object | None) -> bool:
        """Has an unfinished operationState stood without ``.operation`` for too long?"""
        if live is None or not intents.is_stuck(live):
            self._stuck_since.pop(key, None)
            return False
        started = str(live.get("status")["operationState"].get("startedAt"))
        now = trio.current_time()
        seen, since = self._stuck_since.get(key, ("", now))
        if seen != started:
            since = now
        self._stuck_since[key] = (started, since)
        return now >= since + intents.STUCK_AFTER


def status_key(key: Key) -> Key:
    """The key of the status of the Application that a key is about."""
    return key.of(Kind.STATUS)


def intent_keys(key: Key) -> tuple[Key, ...]:
    """The keys of all intents that can stand on an Application."""
    return tuple(key.of(Kind.INTENT, verb) for verb in Verb)


def source_uid(obj: Object) -> str:
    """By this uid the hub knows a managed copy."""
    return obj.annotations.get(names.SOURCE_UID, "")
