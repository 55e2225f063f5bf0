"""Conditions as a scenario writes them: what is waited for, checked and expected.

==================  ==================================================================================
``consistent``      both sides agree everywhere
``synced``          and every Application on the hub is Synced and Healthy
``object: ...``     an object is present or absent, or a field of it passes one test
``count: ...``      how often something has happened since a mark
``linked: east``    the agent has a link, and both sides know it
``unlinked: east``  the principal knows of none
``never: ...``      (among the expectations) what an object must not be, at any write
==================  ==================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.apiserver.core.values import Verb
from trio_argoagent.model.keys import Kind
from trio_argoagent.testing.scenario import readers
from trio_argoagent.testing.scenario.nodes import Node, nearest
from trio_argoagent.testing.scenario.readers import Field, Known, Shape
from trio_argoagent.testing.scenario.values import START, Condition, Path, Ref, Where

WHOLE: Final = ("consistent", "synced")
"""Conditions of the whole fleet: a bare word."""
_FIELD_OF: Final = Shape(object=Field(readers.ref), field=Field(readers.path))
_OBJECT_TESTS: Final = ("present", "absent")
_FIELD_TESTS: Final = (
    "equals", "differs", "contains", "missing", "same_as", "unchanged_since", "changed_since",
)  # fmt: skip
_OBJECT: Final = Shape(
    object=Field(readers.ref),
    field=Field(readers.path, ()),
    present=Field(readers.yes, None),
    absent=Field(readers.yes, None),
    equals=Field(readers.anything, None),
    differs=Field(readers.anything, None),
    contains=Field(readers.anything, None),
    missing=Field(readers.yes, None),
    same_as=Field(_FIELD_OF, None),
    unchanged_since=Field(readers.mark, None),
    changed_since=Field(readers.mark, None),
)
_NUMBERS: Final = ("equals", "at_most", "at_least")
_NUMBER: Final = readers.whole(0, 10**9)


def _counting(**filters: Field) -> Shape:
    """The shape of a count with these filters."""
    fields = filters | dict.fromkeys(_NUMBERS, Field(_NUMBER, None))
    return Shape(count=Field(readers.text), since=Field(readers.mark, START), **fields)


_NAME: Final = Field(readers.text, "")
_WRITES: Final = {
    "on": Field(readers.cluster, ""),
    "by": _NAME,
    "kind": Field(readers.kind, None),
    "namespace": _NAME,
    "name": _NAME,
}
COUNTS: Final[Mapping[str, Shape]] = {
    "records": _counting(
        agent=Field(readers.agent, ""),
        direction=Field(readers.choice("up", "down"), ""),
        kind=Field(readers.choice(*(kind.value for kind in Kind)), ""),
        name=_NAME,
    ),
    "writes": _counting(verb=Field(readers.choice(*(verb.value for verb in Verb)), ""), **_WRITES),
    "deletions": _counting(**_WRITES),
    "operations": _counting(agent=Field(readers.agent), application=_NAME),
    "prunes": _counting(agent=Field(readers.agent), application=_NAME),
    "deployed": _counting(agent=Field(readers.agent), application=Field(readers.text)),
    "links": _counting(agent=Field(readers.agent)),
    "events": _counting(agent=Field(readers.agent, ""), event=Field(readers.text)),
}
"""What can be counted, and what narrows it."""
_LINK: Final = {
    "linked": Shape(linked=Field(readers.agent)),
    "unlinked": Shape(unlinked=Field(readers.agent)),
}
CONDITIONS: Final = (*WHOLE, "object", "count", *_LINK)
"""The kinds of conditions, but for ``never``, which is about others."""


def read_condition(node: Node, known: Known) -> Condition:
    """One condition."""
    if isinstance(node.value, str):
        if node.value not in WHOLE:
            raise node.problem(f"there is no condition {node.value!r}: {nearest(node.value, CONDITIONS)}")
        return Condition(node.value, {}, Where(node.line, node.field), node.value)
    if not isinstance(node.value, dict):
        raise node.problem(f"must be a condition ({', '.join(CONDITIONS)}), not {node.shape}")
    kind = next((name for name in ("object", "count", *_LINK) if name in node.value), "")
    if not kind:
        wrong = next(iter(node.value), "")
        raise node.problem(f"there is no condition {wrong!r}: {nearest(wrong, CONDITIONS)}")
    arguments, text = _ARGUMENTS[kind](node, known)
    return Condition(kind, arguments, Where(node.line, node.field), text)


def read_never(node: Node, known: Known) -> Condition:
    """What follows ``never``: a condition on one object, with no other moment or object in it."""
    found = read_condition(node, known)
    if found.kind != "object" or found.arguments["test"] in ("same_as", "unchanged_since"):
        raise node.problem("must be a condition on one object: it is judged at each write of that object")
    return found


def _object(node: Node, known: Known) -> tuple[dict[str, Any], str]:
    given = [name for name in (*_OBJECT_TESTS, *_FIELD_TESTS) if name in node.value]
    found = _OBJECT(node, known)
    with_field = "field" in node.value
    tests = _FIELD_TESTS if with_field else _OBJECT_TESTS
    if len(given) != 1 or given[0] not in tests:
        raise node.problem(f"must have exactly one of {', '.join(tests)}" + _hint(with_field))
    test, value = given[0], found[given[0]]
    ref, path = found["object"], found["field"]
    return {"ref": ref, "path": path, "test": test, "value": value}, _object_text(ref, path, test, value)


def _hint(with_field: bool) -> str:
    return " beside its field" if with_field else "; of a field there is more to say"


def _object_text(ref: Ref, path: Path, test: str, value: Any) -> str:
    if not path:
        return f"{ref} is {test}"
    words = {"missing": "is missing", "unchanged_since": f"is unchanged since {value}",
             "changed_since": f"has changed since {value}"}  # fmt: skip
    if test == "same_as":
        shown = f"is the same as {value['object']} {path_text(value['field'])}"
    else:
        shown = words.get(test) or f"{test} {json.dumps(value)}"
    return f"{ref} {path_text(path)} {shown}"


def path_text(path: Path) -> str:
    """A path as the file has it."""
    parts = [f"[{p}]" if isinstance(p, int) or "." in p or "/" in p else f".{p}" for p in path]
    return "".join(parts).removeprefix(".")


def _count(node: Node, known: Known) -> tuple[dict[str, Any], str]:
    what = readers.choice(*COUNTS)(node.value["count"], known)
    found = COUNTS[what](node, known)
    given = [name for name in _NUMBERS if found[name] is not None]
    if len(given) != 1:
        raise node.problem(f"must have exactly one of {', '.join(_NUMBERS)}")
    if what == "deployed" and "since" in node.value:
        raise node.value["since"].problem("what is deployed is so now, not since a mark")
    number = found[given[0]]
    filters = {n: v for n, v in found.items() if n not in (*_NUMBERS, "count", "since") and v}
    named = ", ".join(f"{n} {getattr(v, 'kind', v)}" for n, v in filters.items())
    text = f"{what}{f' ({named})' if named else ''} {given[0].replace('_', ' ')} {number}"
    since = found["since"]
    return {"what": what, "filters": filters, "test": given[0], "value": number, "since": since}, text


def _link(node: Node, known: Known) -> tuple[dict[str, Any], str]:
    kind = "linked" if "linked" in node.value else "unlinked"
    found = _LINK[kind](node, known)
    return {"agent": found[kind]}, f"{found[kind]} is {kind}"


_ARGUMENTS: Final = {"object": _object, "count": _count, "linked": _link, "unlinked": _link}
