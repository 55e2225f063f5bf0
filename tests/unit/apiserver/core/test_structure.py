"""Fields, differences, merging and removing, by type."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core import structure
from trio_argoagent.apiserver.core.fieldsets import FieldSet, Path, to_wire
from trio_argoagent.apiserver.core.fieldtypes import FieldType, of_object
from trio_argoagent.apiserver.core.values import same

TEXT = {"type": "string"}
SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "spec": {
            "type": "object",
            "properties": {
                "text": TEXT,
                "plain": {"type": "array", "items": TEXT},
                "set": {"type": "array", "items": TEXT, "x-kubernetes-list-type": "set"},
                "map": {
                    "type": "array",
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["name"],
                    "items": {"type": "object", "properties": {"name": TEXT, "value": TEXT, "more": TEXT}},
                },
                "whole": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": TEXT},
                "open": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "texts": {"type": "object", "additionalProperties": TEXT},
                "port": {"x-kubernetes-int-or-string": True},
            },
        }
    },
}
KIND = of_object(SCHEMA)

WORDS = st.sampled_from(["a", "b", "c"])
ITEMS = st.lists(WORDS, unique=True, max_size=3).flatmap(
    lambda names: st.tuples(
        *(
            st.fixed_dictionaries({"name": st.just(n)}, optional={"value": WORDS, "more": WORDS})
            for n in names
        )
    ).map(list)
)
SPECS = st.fixed_dictionaries(
    {},
    optional={
        "text": WORDS,
        "plain": st.lists(WORDS, max_size=2),
        "set": st.lists(WORDS, unique=True, max_size=3),
        "map": ITEMS,
        "whole": st.dictionaries(WORDS, WORDS, max_size=2),
        "open": st.dictionaries(WORDS, st.one_of(WORDS, st.dictionaries(WORDS, WORDS)), max_size=2),
        "texts": st.dictionaries(WORDS, WORDS, max_size=2),
        "port": st.one_of(st.integers(0, 2), WORDS),
    },
)
OBJECTS = st.fixed_dictionaries({"spec": SPECS})


def spec(**fields: Any) -> dict[str, Any]:
    """An object."""
    return {"spec": fields}


def wire(fields: FieldSet) -> Any:
    """What is in ``f:spec`` of a set."""
    return to_wire(fields)["f:spec"]


def at(kind: FieldType, value: Any, path: Path) -> Any:
    """What a path leads to."""
    for step in path:
        if step.startswith("f:"):
            value = value[step[2:]]
        else:
            value = next(item for item in value if kind.step(item) == step)
        kind = kind.along(step)
    return value


def test_what_an_applied_object_claims() -> None:
    """Leaves, whole lists and objects, items; not the objects that the schema names on the way."""
    value = spec(
        text="x", plain=["p"], set=["s"], map=[{"name": "n", "value": "v"}], whole={"k": "v"},
        open={"o": {"p": [1]}, "q": {}}, texts={"t": "u"}, port=80,
    )  # fmt: skip
    assert wire(structure.fields_of(KIND, value)) == {
        "f:text": {},
        "f:plain": {},
        "f:set": {'v:"s"': {}},
        "f:map": {'k:{"name":"n"}': {".": {}, "f:name": {}, "f:value": {}}},
        "f:whole": {},
        "f:open": {"f:o": {".": {}, "f:p": {}}, "f:q": {}},
        "f:texts": {"f:t": {}},
        "f:port": {},
    }


def test_what_an_update_gains() -> None:
    """New containers, too: so a later apply of their last field does not take them away."""
    changes = structure.compare(KIND, spec(text="x"), spec(text="y", map=[{"name": "n"}], texts={"a": "b"}))
    assert wire(changes.modified) == {"f:text": {}}
    assert wire(changes.added) == {
        "f:map": {".": {}, 'k:{"name":"n"}': {".": {}, "f:name": {}}},
        "f:texts": {".": {}, "f:a": {}},
    }


def test_another_type_altogether() -> None:
    """The place has changed, and what was below it is gone."""
    changes = structure.compare(KIND, spec(open={"a": {"b": "c"}}), spec(open={"a": "x"}))
    assert ("f:spec", "f:open", "f:a") in changes.modified
    assert ("f:spec", "f:open", "f:a", "f:b") in changes.removed


@settings(deadline=None, derandomize=True)
@given(OBJECTS, OBJECTS)
def test_differences(old: Any, new: Any) -> None:
    """Nothing differs from itself; what is added one way is removed the other way."""
    assert structure.compare(KIND, old, copy.deepcopy(old)) == structure.Changes(
        frozenset(), frozenset(), frozenset()
    )
    there, back = structure.compare(KIND, old, new), structure.compare(KIND, new, old)
    assert (there.added, there.modified, there.removed) == (back.removed, back.modified, back.added)


@settings(deadline=None, derandomize=True)
@given(OBJECTS, OBJECTS)
def test_merging(live: Any, applied: Any) -> None:
    """Every field of what is applied is as it says, nothing is lost, and a second time changes nothing."""
    before = copy.deepcopy((live, applied))
    merged = structure.merge(KIND, live, applied)
    for path in structure.fields_of(KIND, applied):
        here, there = at(KIND, merged, path), at(KIND, applied, path)
        if not isinstance(there, dict | list) or path[-1] in ("f:plain", "f:whole"):
            assert same(here, there)
    changes = structure.compare(KIND, live, merged)
    # Only where an object gives way to something else is anything removed.
    assert all(any(path[: len(top)] == top for top in changes.modified) for path in changes.removed)
    assert structure.merge(KIND, merged, applied) is merged
    assert (live, applied) == before


@settings(deadline=None, derandomize=True)
@given(OBJECTS, st.data())
def test_removing(value: Any, data: st.DataObject) -> None:
    """What is removed is gone, and nothing else but what is below it or was emptied by it."""
    fields = sorted(structure.fields_of(KIND, value))
    # The key of an item goes with the item only.
    fields = [path for path in fields if path[-1] != "f:name"]
    gone = frozenset(data.draw(st.lists(st.sampled_from(fields), max_size=3)) if fields else [])
    left = structure.remove(KIND, value, gone)
    kept = structure.fields_of(KIND, left or {})
    assert not kept & gone
    for path in frozenset(fields) - kept - gone:
        assert any(path[: len(each)] == each or each[: len(path)] == path for each in gone)
    if not gone:
        assert left is value


@pytest.mark.parametrize(
    ("live", "applied", "merged"),
    [
        (["a", "b", "c"], ["c", "a"], ["b", "c", "a"]),
        (["b", "a", "c"], ["a", "b"], ["a", "c", "b"]),
        (["a", "b"], ["x", "b", "y"], ["a", "x", "b", "y"]),
        ([], ["b", "a"], ["b", "a"]),
        (["a"], [], ["a"]),
    ],
)
def test_the_order_of_items(live: list[str], applied: list[str], merged: list[str]) -> None:
    """The applied ones are in the applied order; the others stay beside their neighbours."""
    assert structure.merge(KIND, spec(set=live), spec(set=applied)) == spec(set=merged)


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        (spec(text="x"), ""),
        (spec(txet="x"), ".spec.txet: field not declared in schema"),
        (spec(set=["a", "a"]), '.spec.set: duplicate entries for key [="a"]'),
        (spec(map=[{"name": "a"}, {"name": "a"}]), '.spec.map: duplicate entries for key [name="a"]'),
        (spec(map=[{"name": "a", "x": 1}]), '.spec.map[name="a"].x: field not declared in schema'),
        (spec(map=[{"value": "a"}]), ".spec.map[0]: associative list with keys has an element that omits"),
        (spec(map=["a"]), ".spec.map[0]: associative list with keys may not have non-map elements"),
        (spec(open={"anything": {"goes": [1]}}), ""),
        ({"metadata": {"lables": {}}}, ".metadata.lables: field not declared in schema"),
    ],
)
def test_faults(value: Any, fault: str) -> None:
    """What the real server says of an object that cannot be applied."""
    assert structure.find_fault(KIND, value).startswith(fault)
    assert bool(structure.find_fault(KIND, value)) is bool(fault)


def test_parents() -> None:
    """Of the fields that the schema names, not of the keys of a map or the items of a list."""
    fields = frozenset([("f:spec", "f:map", 'k:{"name":"n"}', "f:value"), ("f:spec", "f:open", "f:a", "f:b")])
    added = structure.with_named_parents(KIND, fields) - fields
    assert added == {("f:spec",), ("f:spec", "f:map"), ("f:spec", "f:open")}
