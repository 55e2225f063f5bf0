"""One object of a toy API server, and a loop that carries out a plan on it, step by step."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any

from trio_argoagent.apiserver.core.patches import apply_json
from trio_argoagent.errors import AlreadyExists, Conflict, Invalid
from trio_argoagent.model.keys import Key
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Outcome, Record
from trio_argoagent.sync import digest, plan, projection, steps
from trio_argoagent.sync.plan import Place

Value = dict[str, Any]
MAX_STEPS = 6
"""To the end of any record, ``Done`` included; somebody else's edit in between costs at most three more."""


class ToyServer:
    """Holds at most one object. ``admit`` is what pruning, defaulting and webhooks make of a write.

    ``between``: what somebody else does just before the n-th write (counted from 1) arrives.
    """

    def __init__(
        self,
        value: Value | None = None,
        admit: Callable[[Value], None] | None = None,
        between: Mapping[int, Callable[[ToyServer], None]] | None = None,
    ) -> None:
        self.value: Value | None = None
        self.admit, self.between = admit, dict(between or {})
        self.version = self.uids = self.writes = 0
        self.deleted_with: list[tuple[str, ...]] = []
        """The finalizers that stood when a deletion began."""
        if value is not None:
            self._create(value)

    @property
    def object(self) -> Object | None:
        """The object as it stands."""
        return Object.of(self.value) if self.value is not None else None

    def edit(self, change: Callable[[Value], None]) -> None:
        """Somebody else writes."""
        if self.value is not None:
            value = copy.deepcopy(self.value)
            change(value)
            self._store(value)

    def do(self, step: steps.Step) -> Object | None:
        """Carry out one step.

        Raises:
            Conflict, Invalid, AlreadyExists: a precondition does not hold.
        """
        self.writes += 1
        if (somebody := self.between.pop(self.writes, None)) is not None:
            somebody(self)
        match step:
            case steps.Create(value):
                if self.value is not None:
                    raise AlreadyExists("it exists")
                self._create(copy.deepcopy(dict(value)))
            case steps.Patch(operations):
                if self.value is None:
                    raise Invalid("not there")
                patched = apply_json(copy.deepcopy(self.value), [dict(op) for op in operations])
                self._store(copy.deepcopy(patched))
            case steps.Delete(uid, version, final):
                self._delete(uid, version, final)
            case _:
                raise AssertionError(step)
        return self.object

    def _create(self, value: Value) -> None:
        self.uids += 1
        value["metadata"]["uid"] = f"live-{self.uids}"
        self._store(value)

    def _store(self, value: Value) -> None:
        self.version += 1
        value["metadata"]["resourceVersion"] = str(self.version)
        if self.admit is not None:
            self.admit(value)
        gone = value["metadata"].get("deletionTimestamp") and not value["metadata"].get("finalizers")
        self.value = None if gone else value

    def _delete(self, uid: str, version: str, final: bool) -> None:
        if self.value is None:
            raise Invalid("not there")
        meta = self.value["metadata"]
        if (meta["uid"], meta["resourceVersion"]) != (uid, version):
            raise Conflict("changed")
        finalizers = tuple(meta.get("finalizers") or ())
        assert final == (not finalizers)
        self.deleted_with.append(finalizers)
        self.edit(lambda value: value["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"))


def run(server: ToyServer, place: Place, record: Record, body: Value | None) -> tuple[steps.Done, list[str]]:
    """Carry out a plan as a worker does: a refused precondition is planned anew from what stands then.

    Returns:
        How it ended, and the names of the steps that were tried.
    """
    stored: list[str] = []
    tried: list[str] = []
    limit = MAX_STEPS + 3 * len(server.between)
    while True:
        step = plan.plan(place, record, body, server.object, stored)
        if isinstance(step, steps.Done):
            return step, tried
        tried.append(type(step).__name__)
        assert len(tried) < limit, f"it does not end: {tried}"
        try:
            obj = server.do(step)
        except (Conflict, Invalid, AlreadyExists):
            continue
        if obj is not None and (isinstance(step, steps.Create) or getattr(step, "sends", False)):
            stored.append(projection.ap(place.row, obj))


def record_of(place: Place, uid: str, body: Value | None, **more: Any) -> Record:
    """The record of a body."""
    if body is None:
        return Record(place_key(place), uid, "", "", None, **more)
    kind = place.row.kind
    return Record(place_key(place), uid, digest.wanted(kind, uid, body), "7", canonical(body), **more)


def place_key(place: Place) -> Key:
    """The key of what goes to that place."""
    return Key(place.row.kind, place.namespace, place.name)


APPLIED = steps.Done(Outcome.APPLIED)
