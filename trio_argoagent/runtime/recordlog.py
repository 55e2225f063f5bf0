"""The most detailed log: a line for each record, each write and each change that an informer shows.

The fields are argocd-agent's. At level ``debug`` of the subsystems ``records`` and ``informers``, or at
``info`` for the categories that ``--full-detail`` names, and then with what was sent, written or seen; of
Secrets never.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import structlog

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.ports.tracing import Tracer
from trio_argoagent.runtime import spans
from trio_argoagent.runtime.loglevels import NUMBERS, Levels, Subsystem
from trio_argoagent.sync import kinds

MAX_DETAIL: Final = 32_768
"""Characters of a ``detail``; what is longer is cut."""
SECRET: Final = "<redacted: Secret>"
_ACTIONS: Final = {"patch": "update"}


class Category(enum.StrEnum):
    """What a line is about (``log_category``)."""

    ACTIONS = "actions"
    EVENTS = "events"
    INFORMERS = "informers"


ALL: Final = frozenset(Category)


def parse_detail(text: str) -> frozenset[Category]:
    """Read ``--full-detail``: categories joined by commas, or ``all``.

    Raises:
        UserError: there is no such category.
    """
    found: dict[Category, None] = {}
    for name in filter(None, (each.strip() for each in text.lower().split(","))):
        if name != "all" and name not in list(Category):
            raise UserError(f"there is no category {name!r}; choose from all, {', '.join(Category)}")
        found |= dict.fromkeys(Category if name == "all" else (Category(name),))
    return frozenset(found)


def is_wanted(levels: Levels, detail: frozenset[Category]) -> bool:
    """Would any such line be logged?"""
    parts = (Subsystem.RECORDS, Subsystem.INFORMERS)
    return bool(detail) or any(levels.of(part) <= NUMBERS["debug"] for part in parts)


class RecordLog:
    """``Tracing`` as lines of the log.

    Args:
        program: its name.
        detail: the categories that are shown in full.
    """

    def __init__(self, program: str, detail: frozenset[Category] = frozenset()) -> None:
        self._logger, self._detail = structlog.get_logger(program=program), detail

    def of(self, agent: Callable[[], str], mode: Mode) -> Tracer:
        """See the port."""
        return _Lines(self.say, agent)

    def informed(self, kind: Kind, old: Object | None, new: Object | None) -> None:
        """See the port."""
        obj = new or old
        assert obj is not None
        action = "delete" if new is None else "create" if old is None else "update"
        fields = {
            "action": action,
            "resource_type": kind.lower(),
            "name": obj.meta.name,
            "namespace": obj.meta.namespace,
            "resourceVersion": obj.meta.resource_version,
        }
        shown = _changed(old, new) if Category.INFORMERS in self._detail and new is not None else None
        self.say(Category.INFORMERS, "informed", fields, SECRET if kinds.BASE[kind].secret else shown)

    def say(self, category: Category, event: str, fields: Mapping[str, Any], shown: object) -> None:
        """Log one line; ``shown``: what it is about, in full."""
        full = category in self._detail
        part = Subsystem.INFORMERS if category is Category.INFORMERS else Subsystem.RECORDS
        more = {"detail": _text(shown)} if full and shown is not None else {}
        told = self._logger.info if full else self._logger.debug
        told(event, subsys=part.value, log_category=category.value, **fields, **more)


def _text(shown: object) -> str:
    text = shown if isinstance(shown, str) else canonical(shown).decode()
    return text if len(text) <= MAX_DETAIL else text[: MAX_DETAIL - 1] + "…"


def _changed(old: Object | None, new: Object) -> Mapping[str, Any]:
    """The top-level fields that are new."""
    before = old.value() if old is not None else {}
    return {name: value for name, value in new.value().items() if before.get(name) != value}


class _Lines:
    """The ``Tracer`` of one agent."""

    def __init__(
        self, say: Callable[[Category, str, Mapping[str, Any], object], None], agent: Callable[[], str]
    ) -> None:
        self._say, self._agent = say, agent

    def _about(self, key: Key) -> dict[str, Any]:
        names = {"resource_type": key.kind.lower(), "name": key.name, "namespace": key.namespace}
        return {"agent": self._agent(), "event_target": spans.target(key), **names}

    def _travels(self, event: str, direction: str, number: int, record: Record) -> None:
        fields = self._about(record.key) | {"direction": direction, "event_type": spans.event_type(record)}
        fields |= {"number": number, "uid": record.uid}
        body = record.body.decode("utf-8", "replace") if record.body is not None else None
        shown = SECRET if kinds.BASE[record.key.kind].secret and body is not None else body
        self._say(Category.EVENTS, event, fields, shown)

    def sent(self, number: int, record: Record, since: float, *, new: bool) -> None:
        """See the port."""
        self._travels("record-sent", "send", number, record)

    def answered(self, key: Key, result: Result) -> None:
        """See the port."""
        told = {"number": result.number, "status": str(result.outcome), "reason": result.reason}
        self._say(Category.EVENTS, "record-answered", self._about(key) | told, None)

    def unanswered(self) -> Sequence[Key]:
        """See the port. Nothing is kept."""
        return ()

    def held(self, key: Key) -> None:
        """See the port."""

    def lost(self) -> None:
        """See the port."""

    def received(self, number: int, record: Record) -> None:
        """See the port."""
        self._travels("record-received", "recv", number, record)

    def forgotten(self) -> None:
        """See the port."""

    def began(self, key: Key, record: Record, *, asked: bool) -> None:
        """See the port."""

    def wrote(
        self, key: Key, verb: str, about: tuple[str, str, str], began: float, problem: str, body: object
    ) -> None:
        """See the port."""
        kind, namespace, name = about
        fields = {"agent": self._agent(), "action": _ACTIONS.get(verb, verb), "resource_type": kind.lower()}
        fields |= {"name": name, "namespace": namespace} | ({"error": problem} if problem else {})
        self._say(Category.ACTIONS, "wrote", fields, body)

    def ended(self, key: Key, outcome: Outcome | None, reason: str) -> None:
        """See the port."""
        told = {"status": str(outcome or Outcome.PENDING), "reason": reason}
        self._say(Category.EVENTS, "record-ended", self._about(key) | told, None)
