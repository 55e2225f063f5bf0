"""Bounds, patterns, formats and ``anyOf``, as a definition's schema states them."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.schema import Report, compile_schema


def problems(schema: dict[str, Any], value: Any) -> list[tuple[str, str]]:
    """(reason, text) of what is wrong with the field ``x``."""
    report = Report()
    whole = {"type": "object", "properties": {"x": schema}}
    compile_schema(whole).fit({"x": value}, None, None, report)
    assert all(problem.field.startswith(("x", "<nil>")) for problem in report.problems)
    return [(problem.reason, problem.message) for problem in report.problems]


TEXT = {"type": "string"}
NUMBER = {"type": "number"}
LIST = {"type": "array", "items": TEXT}
MAP = {"type": "object", "additionalProperties": TEXT}
POINTS = {
    "type": "array",
    "items": {"type": "object", "properties": {"a": TEXT, "b": TEXT}},
    "x-kubernetes-list-type": "map",
    "x-kubernetes-list-map-keys": ["a"],
}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "says"),
    [
        ({**TEXT, "pattern": "^a+$"}, "aa", "ab", "x in body should match '^a+$'"),
        ({**TEXT, "pattern": "b"}, "abc", "ac", "should match 'b'"),
        ({**TEXT, "minLength": 2}, "ab", "a", "should be at least 2 chars long"),
        ({**TEXT, "maxLength": 2}, "ab", "abc", "Too long: may not be more than 2 bytes"),
        ({**TEXT, "format": "date-time"}, "2026-01-02T03:04:05.5+01:00", "now", "of type date-time"),
        ({**TEXT, "format": "date-time"}, "2026-01-02T03:04:05Z", "2026-13-02T03:04:05Z", "date-time"),
        ({**TEXT, "format": "byte"}, "YQ==", "?", "must be of type byte"),
        ({"type": "integer", "format": "int32"}, 2**31 - 1, 2**31, "must be of type integer with format"),
        ({"type": "integer", "format": "int64"}, -(2**63), 2**63, "int64 in x"),
        ({**NUMBER, "minimum": 1}, 1, 0, "should be greater than or equal to 1"),
        ({**NUMBER, "minimum": 1, "exclusiveMinimum": True}, 1.5, 1, "should be greater than 1"),
        ({**NUMBER, "maximum": 1}, 1, 2, "should be less than or equal to 1"),
        ({**NUMBER, "maximum": 1, "exclusiveMaximum": True}, 0.5, 1, "should be less than 1"),
        ({**NUMBER, "multipleOf": 3}, 6, 7, "should be a multiple of 3"),
        ({**LIST, "minItems": 1}, ["a"], [], "should have at least 1 items"),
        ({**LIST, "maxItems": 1}, ["a"], ["a", "b"], "Too many: 2: must have at most 1 item"),
        ({**LIST, "x-kubernetes-list-type": "set"}, ["a", "b"], ["a", "a"], 'Duplicate value: "a"'),
        (POINTS, [{"a": "1"}, {"a": "2"}], [{"a": "1"}, {"a": "1"}], 'Duplicate value: {"a": "1"}'),
        ({**MAP, "minProperties": 1}, {"a": "b"}, {}, "should have at least 1 properties"),
        ({**MAP, "maxProperties": 1}, {"a": "b"}, {"a": "b", "c": "d"}, "must have at most 1 item"),
        ({**NUMBER, "not": {"enum": [3]}}, 2, 3, "must not validate the schema (not)"),
        ({**TEXT, "anyOf": [{"pattern": "^a"}, {"pattern": "z$"}]}, "az", "b", "one schema (anyOf)"),
        ({**TEXT, "oneOf": [{"pattern": "^a"}, {"pattern": "z$"}]}, "a", "az", "(oneOf). Found 2 valid"),
        ({**TEXT, "allOf": [{"pattern": "^a"}, {"pattern": "z$"}]}, "az", "a", "all the schemas (allOf)"),
        ({**MAP, "oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": ""}, {}, "(oneOf)"),
        ({**MAP, "anyOf": [{"properties": {"a": {"pattern": "^1"}}}]}, {"a": "1"}, {"a": "2"}, "(anyOf)"),
        ({**LIST, "not": {"items": {"enum": ["a"]}}}, ["b"], ["a"], "(not)"),
    ],
)  # fmt: skip
def test_a_rule(schema: dict[str, Any], good: Any, bad: Any, says: str) -> None:
    """It lets the good value pass and says what is wrong with the bad one."""
    assert problems(schema, good) == []
    assert says in " ".join(text for _, text in problems(schema, bad))


def test_a_wrong_type_is_enough() -> None:
    """What has the wrong type is not judged further."""
    assert [reason for reason, _ in problems({**TEXT, "minLength": 1}, 5)] == ["FieldValueTypeInvalid"]


def test_int_or_string() -> None:
    """Both, and no more; the ``anyOf`` that definitions repeat it in says nothing new."""
    schema = {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert problems(schema, 1) == problems(schema, "1") == []
    assert problems(schema, True)


def test_what_is_stored_is_not_judged_again() -> None:
    """An object that became unacceptable by a stricter schema can still be changed elsewhere."""
    shape = compile_schema({"type": "object", "properties": {"x": {**LIST, "maxItems": 1}, "y": TEXT}})
    stored = {"x": ["a", "b"]}
    report = Report()
    shape.fit({**stored, "y": "z"}, stored, None, report)
    assert not report.problems


@pytest.mark.parametrize("schema", [{**TEXT, "pattern": "("}, {**NUMBER, "multipleOf": 0}])
def test_rules_that_cannot_be(schema: dict[str, Any]) -> None:
    """They are refused with the definition."""
    with pytest.raises(ValueError):
        compile_schema(schema)
