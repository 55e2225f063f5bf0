"""Operations on objects by their types: what fields there are, what has changed, merging, removing.

Objects are never changed. A result shares with its inputs whatever it can, so that later steps see by ``is``
what was not touched. Source: sigs.k8s.io/structured-merge-diff typed/{tofieldset,compare,merge,remove}.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trio_argoagent.apiserver.core.fieldsets import EMPTY, FieldSet, Path, member, render
from trio_argoagent.apiserver.core.fieldtypes import FieldType, How
from trio_argoagent.apiserver.core.values import same


@attrs.frozen
class Changes:
    """What differs between two versions."""

    added: FieldSet
    modified: FieldSet
    removed: FieldSet


# --- the fields of an object ------------------------------------------------------------------------------


def fields_of(kind: FieldType, value: Mapping[str, Any]) -> FieldSet:
    """The fields that an applied object claims."""
    found: set[Path] = set()
    _claim(kind, value, (), found, containers=False)
    found.discard(())
    return frozenset(found)


def _claim(kind: FieldType, value: Any, path: Path, found: set[Path], *, containers: bool) -> None:
    how = kind.how(value)
    if how is How.WHOLE or containers:
        found.add(path)
    if how is How.MEMBERS:
        for name, item in value.items():
            step = (*path, member(name))
            if item is None or item == {} or not kind.names(name):
                found.add(step)
            _claim(kind.child(name), item, step, found, containers=containers)
    elif how is How.ITEMS:
        for key, item in _by_step(kind, value).items():
            step = (*path, key)
            found.add(step)
            _claim(kind.item, item, step, found, containers=containers)


def find_fault(kind: FieldType, value: Any, path: Path = ()) -> str:
    """What makes an object unfit to be applied: an undeclared field, a key that stands twice. Else empty."""
    how = kind.how(value)
    if how is How.WHOLE:
        # What is owned as a whole still has fields, which the schema may not know.
        return _undeclared(kind, value, path)
    if how is How.MEMBERS:
        for name, item in value.items():
            step = (*path, member(name))
            if not kind.knows(name):
                return f"{render(step)}: field not declared in schema"
            fault = find_fault(kind.child(name), item, step)
            if fault:
                return fault
        return ""
    return _duplicate(kind, value, path)


def _undeclared(kind: FieldType, value: Any, path: Path) -> str:
    for index, item in enumerate(value if isinstance(value, list) else ()):
        fault = find_fault(kind.item, item, (*path, f"i:{index}"))
        if fault:
            return fault
    for name, item in value.items() if isinstance(value, dict) else ():
        step = (*path, member(name))
        if not kind.knows(name):
            return f"{render(step)}: field not declared in schema"
        fault = find_fault(kind.child(name), item, step)
        if fault:
            return fault
    return ""


def _duplicate(kind: FieldType, items: Sequence[Any], path: Path) -> str:
    seen: dict[str, None] = {}
    for index, item in enumerate(items):
        try:
            step = kind.step(item)
        except ValueError as exc:
            return f"{render((*path, f'i:{index}'))}: {exc}"
        if step in seen:
            return f"{render(path)}: duplicate entries for key {render((step,))}"
        seen[step] = None
        fault = find_fault(kind.item, item, (*path, step))
        if fault:
            return fault
    return ""


def with_named_parents(kind: FieldType, fields: FieldSet) -> FieldSet:
    """The set with those parents of its fields that the schema names: who owns ``spec.a`` keeps ``spec``."""
    found = set(fields)
    for path in fields:
        here = kind
        for depth, step in enumerate(path[:-1], 1):
            if step.startswith("f:") and here.names(step[2:]):
                found.add(path[:depth])
            here = here.along(step)
    return frozenset(found)


# --- comparing --------------------------------------------------------------------------------------------


def compare(kind: FieldType, old: Mapping[str, Any], new: Mapping[str, Any]) -> Changes:
    """The fields in which two versions differ."""
    work = _Comparison()
    work.walk(kind, old, new, ())
    return Changes(frozenset(work.added), frozenset(work.modified), frozenset(work.removed))


@attrs.define
class _Comparison:
    added: set[Path] = attrs.field(factory=set)
    modified: set[Path] = attrs.field(factory=set)
    removed: set[Path] = attrs.field(factory=set)

    def walk(self, kind: FieldType, old: Any, new: Any, path: Path) -> None:
        if old is new:
            return
        how = kind.how(new)
        if how is not kind.how(old):
            # Another type altogether: nothing of the old one is left.
            self.modified.add(path)
            for value, found in ((old, self.removed), (new, self.added)):
                inside: set[Path] = set()
                _claim(kind, value, path, inside, containers=True)
                found |= inside - {path}
        elif how is How.WHOLE:
            if not same(old, new):
                self.modified.add(path)
        elif how is How.MEMBERS:
            self._children(kind, _members(old), _members(new), path)
        else:
            self._children(kind, _by_step(kind, old), _by_step(kind, new), path)

    def _children(self, kind: FieldType, old: Mapping[str, Any], new: Mapping[str, Any], path: Path) -> None:
        for step, item in new.items():
            if step in old:
                self.walk(kind.along(step), old[step], item, (*path, step))
            else:
                _claim(kind.along(step), item, (*path, step), self.added, containers=True)
        for step, item in old.items():
            if step not in new:
                _claim(kind.along(step), item, (*path, step), self.removed, containers=True)


def _members(value: Mapping[str, Any]) -> dict[str, Any]:
    return {member(name): item for name, item in value.items()}


def _by_step(kind: FieldType, items: Sequence[Any]) -> dict[str, Any]:
    """The items of a stored list; what has no key of its own (nobody checked it) goes by its place."""
    found: dict[str, Any] = {}
    for index, item in enumerate(items):
        try:
            found[kind.step(item)] = item
        except ValueError:
            found[f"i:{index}"] = item
    return found


# --- merging and removing ---------------------------------------------------------------------------------


def merge(kind: FieldType, live: Any, applied: Any) -> Any:
    """What is stored with what is applied laid over it."""
    how = kind.how(applied)
    if how is not kind.how(live) or how is How.WHOLE:
        return live if same(live, applied) else applied
    if how is How.ITEMS:
        return _merge_items(kind, live, applied)
    result = dict(live)
    for name, item in applied.items():
        result[name] = merge(kind.child(name), live[name], item) if name in live else item
    return live if _unchanged(live, result) else result


def _unchanged(live: Mapping[str, Any], result: Mapping[str, Any]) -> bool:
    return len(live) == len(result) and all(live.get(name) is item for name, item in result.items())


def _merge_items(kind: FieldType, live: Sequence[Any], applied: Sequence[Any]) -> Any:
    """What both have comes in the order of ``applied``; what only one has comes as late as its neighbours."""
    old, new = _by_step(kind, live), _by_step(kind, applied)
    result: list[Any] = []
    left, right = list(old), list(new)
    taken: dict[str, None] = {}
    shared = [step for step in new if step in old]
    at = here = there = 0

    def take(step: str) -> None:
        nonlocal at
        taken[step] = None
        result.append(merge(kind.item, old[step], new[step]) if step in old else new[step])
        at += at < len(shared) and shared[at] == step

    while here < len(left) or there < len(right):
        step = left[here] if here < len(left) else None
        if step is not None and step not in new:
            result.append(old[step])
            here += 1
        elif step is not None and (step in taken or (at < len(shared) and shared[at] != step)):
            here += 1  # It has come, or comes when it is its turn.
        elif there < len(right):
            here += step == right[there]
            take(right[there])
            there += 1
        else:
            here += 1
    if len(result) == len(live) and all(a is b for a, b in zip(result, live, strict=True)):
        return live
    return result


def remove(kind: FieldType, value: Any, gone: FieldSet, kept: FieldSet = EMPTY, path: Path = ()) -> Any:
    """The value without these fields; what this leaves empty goes, too (as None), but objects of ``kept``."""
    if not gone:
        return value
    how = kind.how(value)
    if how is How.MEMBERS:
        left: dict[str, Any] = {}
        for name, item in value.items():
            step = (*path, member(name))
            rest = None if step in gone else remove(kind.child(name), item, gone, kept, step)
            if rest is not None or (item is None and step not in gone):
                left[name] = rest
        if _unchanged(value, left):
            return value
        return left if left or path in kept else None
    if how is How.ITEMS:
        items = [
            rest
            for step, item in _by_step(kind, value).items()
            if (*path, step) not in gone
            and (rest := remove(kind.item, item, gone, kept, (*path, step))) is not None
        ]
        if len(items) == len(value) and all(a is b for a, b in zip(items, value, strict=True)):
            return value
        return items or None
    return value
