"""Structural schemas."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core.schema import Report, compile_schema, render

STRING = {"type": "string"}
PROPERTIES: dict[str, Any] = {
    "name": STRING,
    "count": {"type": "integer"},
    "ratio": {"type": "number"},
    "on": {"type": "boolean"},
    "mode": {"type": "string", "enum": ["a", "b"]},
    "maybe": {"type": "string", "nullable": True},
    "port": {"x-kubernetes-int-or-string": True},
    "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
    "half": {"type": "object", "x-kubernetes-preserve-unknown-fields": True, "properties": {"n": STRING}},
    "map": {"type": "object", "additionalProperties": {"type": "integer"}},
    "items": {
        "type": "array",
        "items": {
            "type": "object",
            "required": ["id"],
            "properties": {"id": STRING, "n": {"type": "integer"}},
        },
    },
    "filled": {"type": "string", "default": "yes"},
}
SHAPE = compile_schema({"type": "object", "required": ["name"], "properties": PROPERTIES})


def fit(value: Any, old: Any = None) -> tuple[Any, list[str], list[str]]:
    """The fitted value, the fields with problems, the unknown fields."""
    report = Report()
    fitted = SHAPE.fit(value, old, None, report)
    return fitted, [problem.field for problem in report.problems], report.unknown


@pytest.mark.parametrize(
    ("field", "good", "bad"),
    [
        ("name", ["", "x"], [1, True, {}, []]),
        ("count", [0, -1, 2.0], ["1", True, 1.5]),
        ("ratio", [1, 1.5], ["1", False]),
        ("on", [True, False], [1, "true"]),
        ("mode", ["a"], ["c", 1]),
        ("maybe", ["x", None], [1]),
        ("port", [1, "http"], [True, 1.5]),
        ("free", [{}, {"a": [{"b": None}]}], [[], "x"]),
        ("map", [{}, {"a": 1}], [{"a": "1"}, []]),
        ("items", [[], [{"id": "x"}]], [{}, [1], [None], [{"n": 1}]]),
    ],
)
def test_types(field: str, good: list[Any], bad: list[Any]) -> None:
    """A value of the right type passes unchanged, one of another type is reported where it is."""
    for value in good:
        fitted, problems, _ = fit({"name": "n", "filled": "f", field: value})
        assert problems == []
        assert fitted[field] == value
    for value in bad:
        _, problems, _ = fit({"name": "n", field: value})
        assert len(problems) == 1
        assert problems[0].startswith(field)


def test_paths_name_the_place() -> None:
    """A problem deep inside is named by its whole path."""
    _, problems, _ = fit({"name": "n", "items": [{"id": "a"}, {"id": "b", "n": "x"}, {}]})
    assert problems == ["items[1].n", "items[2].id"]


def test_unknown_fields_are_pruned_and_named() -> None:
    """What the schema does not know goes, unless it says otherwise; and it is reported."""
    value = {"name": "n", "x": 1, "items": [{"id": "a", "y": 2}], "half": {"n": "1", "z": 3}, "filled": "f"}
    fitted, problems, unknown = fit(value)
    assert fitted == {"name": "n", "items": [{"id": "a"}], "half": {"n": "1", "z": 3}, "filled": "f"}
    assert problems == []
    assert unknown == ["x", "items[0].y"]


def test_nulls_and_defaults() -> None:
    """A null of a field that is not nullable goes; then a default fills the gap."""
    fitted, problems, _ = fit({"name": "n", "count": None, "maybe": None, "filled": None, "map": {"a": None}})
    assert fitted == {"name": "n", "maybe": None, "filled": "yes", "map": {}}
    assert problems == []


def test_a_null_does_not_satisfy_required() -> None:
    """A required field that is null is missing."""
    assert fit({"name": None})[1] == ["name"]


def test_what_is_as_before_is_returned_itself() -> None:
    """A value that needs no change is returned as the same object: that is what makes writes cheap."""
    value = {"name": "n", "items": [{"id": "a"}], "filled": "f"}
    assert fit(value)[0] is value
    old = {"name": "n", "filled": "f", "items": [{"id": "a"}, {"id": "b"}]}
    fitted = fit({"name": "m", "filled": "f", "items": [{"id": "a"}, {"id": "c"}]}, old)[0]
    assert fitted["items"][0] is old["items"][0]


def test_a_null_item_is_reported_even_at_the_end() -> None:
    """A list that grew by a null is not taken for what was there before."""
    assert fit({"name": "n", "items": [None]}, {"name": "n", "items": []})[1] == ["items[0]"]


LEAVES = st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["a", "b", "x"])
FIELDS = st.sampled_from([*PROPERTIES, "id", "n", "bogus"])
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(FIELDS, inner), max_leaves=6
)


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(FIELDS, VALUES), st.dictionaries(FIELDS, VALUES))
def test_fitting_is_idempotent_and_harmless(value: Any, other: Any) -> None:
    """What was fitted fits as it is, whatever it is compared with, and the input is never changed."""
    before = copy.deepcopy(value)
    fitted, problems, _ = fit(value)
    assert value == before
    assert fit(fitted)[0] == fitted
    old, old_problems, _ = fit(other)
    if not old_problems:
        again, same_problems, _ = fit(value, old)
        assert again == fitted
        assert len(same_problems) <= len(problems)
        assert bool(same_problems) == bool(problems)


def test_unusable_schemas_are_refused() -> None:
    """A type nobody knows, or endless depth, is refused when the schema is compiled."""
    with pytest.raises(ValueError, match="unknown type"):
        compile_schema({"type": "tuple"})
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(70):
        schema = {"type": "array", "items": schema}
    with pytest.raises(ValueError, match="deeper"):
        compile_schema(schema)


def test_render() -> None:
    """Paths look as Kubernetes writes them."""
    assert render((((None, "spec"), "sources"), 0)) == "spec.sources[0]"
    assert render(None) == ""
