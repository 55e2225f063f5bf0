"""Questions about oneself."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core import reviews
from trio_argoagent.errors import BadRequest
from trio_argoagent.model.resources import Resource


def whose(token: str) -> str:
    """There is one good token."""
    return "bob" if token == "good" else ""


def test_may_i() -> None:
    """Yes; and the question stands in the answer."""
    spec = {"resourceAttributes": {"verb": "get"}}
    found = reviews.answer(reviews.ACCESS, {"kind": "SelfSubjectAccessReview", "spec": spec}, "alice", whose)
    assert found["spec"] == spec
    assert found["status"]["allowed"] is True


def test_what_may_i() -> None:
    """Everything."""
    status = reviews.answer(reviews.RULES, {"spec": {"namespace": "a"}}, "alice", whose)["status"]
    assert status["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


def test_who_am_i() -> None:
    """The one who asks."""
    status = reviews.answer(reviews.WHO, {}, "alice", whose)["status"]
    assert status["userInfo"]["username"] == "alice"


@pytest.mark.parametrize("value", [None, [], {"kind": "Secret"}])
def test_no_question(value: Any) -> None:
    """Something else is refused."""
    with pytest.raises(BadRequest):
        reviews.answer(reviews.ACCESS, value, "alice", whose)


def test_find() -> None:
    """By path; nothing else is one."""
    assert reviews.find("authentication.k8s.io", "v1", "selfsubjectreviews") == reviews.WHO
    assert reviews.find("", "v1", "secrets") is None


def test_whose_token() -> None:
    """The owner of a good one; of a bad one nobody, without an error of the request."""
    good = reviews.answer(reviews.TOKEN, {"spec": {"token": "good"}}, "alice", whose)["status"]
    assert good["authenticated"] is True
    assert good["user"]["username"] == "bob"
    bad = reviews.answer(reviews.TOKEN, {"spec": {"token": "bad"}}, "alice", whose)["status"]
    assert not bad.get("authenticated")
    with pytest.raises(BadRequest, match="token is required"):
        reviews.answer(reviews.TOKEN, {"spec": {}}, "alice", whose)


@pytest.mark.parametrize("question", [reviews.SUBJECT, reviews.LOCAL])
def test_may_somebody_else(question: Resource) -> None:
    """Yes, likewise."""
    assert reviews.answer(question, {"spec": {"user": "bob"}}, "alice", whose)["status"]["allowed"] is True
