"""Sets of fields and their wire form."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core.fieldsets import FieldSet, from_wire, render, to_wire
from trio_argoagent.apiserver.core.values import encode

STEPS = st.sampled_from(["f:a", "f:b", "f:.", 'k:{"name":"x"}', 'v:"x"', "v:1", "i:0"])
SETS = st.frozensets(st.lists(STEPS, min_size=1, max_size=4).map(tuple), max_size=12)


@settings(deadline=None, derandomize=True)
@given(SETS)
def test_a_set_survives_the_wire(fields: FieldSet) -> None:
    """What is written is read again, and equal sets are equal bytes."""
    wire = to_wire(fields)
    assert from_wire(wire) == fields
    assert encode(to_wire(frozenset(sorted(fields, reverse=True)))) == encode(wire)


def test_the_form_of_kubernetes() -> None:
    """A leaf is an empty object; what has children says "." of itself if it is a member."""
    fields = frozenset([("f:spec", "f:a"), ("f:labels",), ("f:labels", "f:x")])
    assert to_wire(fields) == {"f:spec": {"f:a": {}}, "f:labels": {".": {}, "f:x": {}}}


@pytest.mark.parametrize("value", [[], "x", {"spec": {}}, {"f:a": 1}, {"f:a": {"x": {}}}])
def test_no_set(value: Any) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        from_wire(value)


def test_nothing_is_the_empty_set() -> None:
    """Not the set of the root."""
    assert from_wire({}) == frozenset()


def test_paths_for_people() -> None:
    """As the real server prints them in conflicts."""
    path = ("f:spec", "f:items", 'k:{"name":"x","port":80}', "f:tags", 'v:"t"', "i:3")
    assert render(path) == '.spec.items[name="x",port=80].tags[="t"][3]'
