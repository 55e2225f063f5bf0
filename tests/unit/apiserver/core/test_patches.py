"""JSON patches and merge patches."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core.patches import MAX_OPERATIONS, apply_json, apply_merge
from trio_argoagent.apiserver.core.values import same
from trio_argoagent.errors import ApiError, BadRequest, Invalid

# The table of RFC 7386, appendix A (without those whose document is not an object).
RFC_7386 = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]

SCALARS = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["", "x"])
KEYS = st.sampled_from(["a", "b", "c"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner), max_leaves=8
)
OBJECTS = st.dictionaries(KEYS, JSON)


def naive_merge(target: Any, patch: Any) -> Any:
    """The pseudo-code of RFC 7386, section 2."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = naive_merge(result.get(key), value)
    return result


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_7386)
def test_rfc_7386(document: Any, patch: Any, expected: Any) -> None:
    """The examples of the RFC come out as it says."""
    assert apply_merge(document, patch) == expected


@settings(deadline=None, max_examples=150)
@given(OBJECTS, OBJECTS)
def test_merge_agrees_with_the_rfc(document: Any, patch: Any) -> None:
    """A merge gives what the RFC's pseudo-code gives, and changes neither of its inputs."""
    before = copy.deepcopy((document, patch))
    result = apply_merge(document, patch)
    assert same(result, naive_merge(document, patch))
    assert (document, patch) == before


@settings(deadline=None)
@given(OBJECTS)
def test_a_merge_of_nothing_new_returns_the_document_itself(document: Any) -> None:
    """A merge that changes nothing is recognised by identity, and parts it does not touch are shared."""
    assert apply_merge(document, {}) is document
    assert apply_merge({"keep": document}, {"other": 1})["keep"] is document


def test_merge_tells_true_from_one() -> None:
    """Python takes True for 1; JSON does not."""
    assert apply_merge({"a": 1}, {"a": True})["a"] is True


@pytest.mark.parametrize(
    ("document", "operation", "expected"),
    [
        ({"a": 1}, {"op": "add", "path": "/b", "value": 2}, {"a": 1, "b": 2}),
        ({"a": 1}, {"op": "add", "path": "/a", "value": 2}, {"a": 2}),
        ({"a": [1, 3]}, {"op": "add", "path": "/a/1", "value": 2}, {"a": [1, 2, 3]}),
        ({"a": [1]}, {"op": "add", "path": "/a/-", "value": 2}, {"a": [1, 2]}),
        ({"a": 1}, {"op": "remove", "path": "/a"}, {}),
        ({"a": [1, 2]}, {"op": "remove", "path": "/a/0"}, {"a": [2]}),
        ({"a": {"b": 1}}, {"op": "replace", "path": "/a/b", "value": 2}, {"a": {"b": 2}}),
        ({"a": [1, 2]}, {"op": "replace", "path": "/a/1", "value": 3}, {"a": [1, 3]}),
        ({"a": 1}, {"op": "move", "from": "/a", "path": "/b"}, {"b": 1}),
        ({"a": [1, 2]}, {"op": "move", "from": "/a/0", "path": "/a/1"}, {"a": [2, 1]}),
        ({"a": {"b": 1}}, {"op": "copy", "from": "/a", "path": "/c"}, {"a": {"b": 1}, "c": {"b": 1}}),
        ({"a/b": {"c~d": 1}}, {"op": "remove", "path": "/a~1b/c~0d"}, {"a/b": {}}),
        ({"a": 1}, {"op": "replace", "path": "", "value": {"b": 1}}, {"b": 1}),
        ({"a": {"b": [1]}}, {"op": "test", "path": "/a", "value": {"b": [1]}}, {"a": {"b": [1]}}),
        ({"a": 1}, {"op": "test", "path": "/b", "value": None}, {"a": 1}),
    ],
)
def test_operations(document: Any, operation: Any, expected: Any) -> None:
    """Each operation does what RFC 6902 says, and leaves the document it was given as it was."""
    before = copy.deepcopy(document)
    assert apply_json(document, [operation]) == expected
    assert document == before


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "test", "path": "/a", "value": 2},
        {"op": "test", "path": "/a", "value": True},
        {"op": "test", "path": "/a"},
        {"op": "test", "path": "/x/y", "value": None},
        {"op": "remove", "path": "/x"},
        {"op": "remove", "path": ""},
        {"op": "replace", "path": "/x", "value": 1},
        {"op": "add", "path": "/x/y", "value": 1},
        {"op": "add", "path": "/a/y", "value": 1},
        {"op": "add", "path": "/l/3", "value": 1},
        {"op": "add", "path": "/l/01", "value": 1},
        {"op": "remove", "path": "/l/-"},
        {"op": "add", "path": "/b"},
        {"op": "add", "path": "b", "value": 1},
        {"op": "move", "from": "/x", "path": "/y"},
        {"op": "move", "from": "/d", "path": "/d/e"},
        {"op": "copy", "from": 3, "path": "/y"},
        {"op": "bogus", "path": "/a"},
        {"path": "/a"},
    ],
)
def test_what_does_not_apply_is_invalid(operation: Any) -> None:
    """An operation that does not apply is Invalid in the server's words, with the reason as its cause."""
    with pytest.raises(Invalid) as caught:
        apply_json({"a": 1, "l": [1, 2], "d": {"e": 1}}, [operation])
    assert caught.value.message == "the server rejected our request due to an error in our request"
    assert caught.value.details["causes"][0]["reason"] == "UnexpectedServerResponse"


@pytest.mark.parametrize("patch", [{}, "x", None, [1], [[]]])
def test_what_is_not_a_json_patch_is_a_bad_request(patch: Any) -> None:
    """A patch must be a list of objects."""
    with pytest.raises(BadRequest):
        apply_json({}, patch)


def test_a_json_patch_is_bounded() -> None:
    """Too many operations are refused before the first is done."""
    with pytest.raises(ApiError) as caught:
        apply_json({}, [{"op": "test", "path": ""}] * (MAX_OPERATIONS + 1))
    assert caught.value.status_code == 413


def test_a_merge_patch_is_bounded() -> None:
    """Endless nesting is refused, not a stack overflow."""
    patch: dict[str, Any] = {}
    for _ in range(600):
        patch = {"a": patch}
    with pytest.raises(BadRequest):
        apply_merge({}, patch)
