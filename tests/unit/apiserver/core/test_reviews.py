"""Questions about oneself."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core import reviews
from trio_argoagent.errors import BadRequest


def test_may_i() -> None:
    """Yes; and the question stands in the answer."""
    spec = {"resourceAttributes": {"verb": "get"}}
    found = reviews.answer(reviews.ACCESS, {"kind": "SelfSubjectAccessReview", "spec": spec}, "alice")
    assert found["spec"] == spec
    assert found["status"]["allowed"] is True


def test_what_may_i() -> None:
    """Everything."""
    status = reviews.answer(reviews.RULES, {"spec": {"namespace": "a"}}, "alice")["status"]
    assert status["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


def test_who_am_i() -> None:
    """The one who asks."""
    status = reviews.answer(reviews.WHO, {}, "alice")["status"]
    assert status["userInfo"]["username"] == "alice"


@pytest.mark.parametrize("value", [None, [], {"kind": "Secret"}])
def test_no_question(value: Any) -> None:
    """Something else is refused."""
    with pytest.raises(BadRequest):
        reviews.answer(reviews.ACCESS, value, "alice")


def test_find() -> None:
    """By path; nothing else is one."""
    assert reviews.find("authentication.k8s.io", "v1", "selfsubjectreviews") == reviews.WHO
    assert reviews.find("", "v1", "secrets") is None
