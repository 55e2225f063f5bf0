"""Strategic merge patches of core kinds."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core.strategic import apply_strategic
from trio_argoagent.errors import BadRequest


@pytest.mark.parametrize(
    ("document", "patch", "expected"),
    [
        ({"data": {"a": "1"}}, {"data": {"b": "2", "a": None}}, {"data": {"b": "2"}}),
        ({"finalizers": ["a"]}, {"finalizers": ["b", "a"]}, {"finalizers": ["a", "b"]}),
        ({"finalizers": ["a", "b"]}, {"$deleteFromPrimitiveList/finalizers": ["a"]}, {"finalizers": ["b"]}),
        (
            {"ownerReferences": [{"uid": "1", "name": "x"}]},
            {"ownerReferences": [{"uid": "1", "name": "y"}, {"uid": "2"}]},
            {"ownerReferences": [{"uid": "1", "name": "y"}, {"uid": "2"}]},
        ),
        (
            {"ownerReferences": [{"uid": "1"}, {"uid": "2"}]},
            {"ownerReferences": [{"$patch": "delete", "uid": "1"}]},
            {"ownerReferences": [{"uid": "2"}]},
        ),
        (
            {"conditions": [{"type": "A"}]},
            {"conditions": [{"$patch": "replace"}, {"type": "B"}]},
            {"conditions": [{"type": "B"}]},
        ),
        ({"data": {"a": "1"}}, {"data": {"$patch": "replace", "b": "2"}}, {"data": {"b": "2"}}),
        ({"data": {"a": "1"}}, {"data": {"$patch": "delete"}}, {"data": {}}),
        ({"data": {"a": "1", "b": "2"}}, {"data": {"$retainKeys": ["b"], "b": "3"}}, {"data": {"b": "3"}}),
        ({"other": [1, 2]}, {"other": [3]}, {"other": [3]}),
    ],
)
def test_what_it_makes(document: Any, patch: Any, expected: Any) -> None:
    """Maps merge, known lists merge by their key, directives do what they say, other lists are replaced."""
    assert apply_strategic(document, patch) == expected


def test_nothing_new_is_the_document_itself() -> None:
    """A patch that changes nothing returns what it was given."""
    document = {"data": {"a": "1"}}
    assert apply_strategic(document, {"data": {"a": "1"}}) is document


def test_an_unknown_directive_is_a_bad_request() -> None:
    """A directive that nobody knows is refused."""
    with pytest.raises(BadRequest):
        apply_strategic({}, {"data": {"$patch": "bogus"}})
