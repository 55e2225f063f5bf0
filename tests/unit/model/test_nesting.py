"""Depth, measured and cut without a walk."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.model import nesting
from trio_argoagent.model.objects import Object

TEXT = st.text(alphabet='a"\\[]{}:,\nä', max_size=6)
VALUES = st.recursive(
    st.one_of(st.none(), st.integers(0, 9), TEXT),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(TEXT, inner, max_size=3)),
    max_leaves=30,
)


def depth(value: Any) -> int:
    """By a walk."""
    if isinstance(value, dict):
        value = list(value.values())
    return 1 + max(map(depth, value), default=0) if isinstance(value, list) else 0


def shortened(value: Any, limit: int) -> Any:
    """Cut by a walk."""
    if not isinstance(value, list | dict):
        return value
    if limit == 0:
        return None
    if isinstance(value, dict):
        return {key: shortened(inner, limit - 1) for key, inner in value.items()}
    return [shortened(inner, limit - 1) for inner in value]


@settings(deadline=None, max_examples=150)
@given(VALUES, st.integers(0, 5), st.sampled_from([None, (",", ":")]), st.booleans())
def test_as_a_walk_finds_it(
    value: Any, limit: int, separators: tuple[str, str] | None, ascii_only: bool
) -> None:
    """Whatever strings hold, and however it is written."""
    data = json.dumps(value, separators=separators, ensure_ascii=ascii_only).encode()
    assert nesting.is_deeper(data, limit) == (depth(value) > limit)
    assert json.loads(nesting.cut(data, limit)) == shortened(value, limit)


def nested(levels: int, shape: str) -> bytes:
    """An Application with a field of so many levels."""
    opening, closing = ("[", "]") if shape == "lists" else ('{"a":', "}")
    value = opening * levels + ("" if shape == "lists" else "1") + closing * levels
    return (
        '{"apiVersion":"argoproj.io/v1alpha1","kind":"Application","metadata":{"name":"n","uid":"u",'
        f'"managedFields":[{value}]}},"spec":{value},"status":{{}}}}'
    ).encode()


@pytest.mark.parametrize("shape", ["lists", "objects"])
@pytest.mark.parametrize("levels", [62, 63, 64, 500, 990, 1100, 10_000])
def test_an_object_of_any_depth(levels: int, shape: str) -> None:
    """Its metadata is read; of one that is too deep nothing else, and it says so."""
    found = Object.parse(nested(levels, shape))
    assert (found.kind, found.meta.name, found.meta.uid) == ("Application", "n", "u")
    if levels < nesting.MAX_DEPTH:
        assert found.unreadable == "" and depth(found.get("spec")) == levels
    else:
        assert found.unreadable == "spec is nested deeper than 64 levels"
        assert dict(found.fields) == {} and "spec" not in found.value()


def test_from_wherever_it_is_read() -> None:
    """Another depth of the stack is no other answer."""

    def below(frames: int) -> Object:
        return Object.parse(nested(930, "objects")) if frames == 0 else below(frames - 1)

    assert {below(frames).unreadable for frames in (0, 100, 600)} == {"spec is nested deeper than 64 levels"}


def test_what_is_no_json_stays_none() -> None:
    """A depth without an end is no object."""
    with pytest.raises(msgspec.DecodeError):
        nesting.decode(msgspec.json.Decoder(), b"[" * 5000)
