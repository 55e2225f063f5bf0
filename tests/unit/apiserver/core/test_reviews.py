"""Questions about oneself."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.apiserver.core import reviews
from trio_argoagent.apiserver.core.access import AlwaysAllow
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.errors import BadRequest, Invalid
from trio_argoagent.model.resources import Resource

ALICE = User.admin("alice")


def whose(token: str) -> User | None:
    """There is one good token."""
    return User("bob") if token == "good" else None


def ask(question: Resource, value: Any, user: User = ALICE) -> dict[str, Any]:
    """What is answered where everybody may do everything."""
    return reviews.answer(question, value, user, whose, AlwaysAllow())


def test_may_i() -> None:
    """Yes; and the question stands in the answer."""
    spec = {"resourceAttributes": {"verb": "get"}}
    found = ask(reviews.ACCESS, {"kind": "SelfSubjectAccessReview", "spec": spec})
    assert found["spec"] == spec
    assert found["status"]["allowed"] is True


def test_what_may_i() -> None:
    """Everything."""
    status = ask(reviews.RULES, {"spec": {"namespace": "a"}})["status"]
    assert status["resourceRules"] == [{"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}]


def test_who_am_i() -> None:
    """The one who asks."""
    status = ask(reviews.WHO, {})["status"]
    assert status["userInfo"]["username"] == "alice"


@pytest.mark.parametrize("value", [None, [], {"kind": "Secret"}])
def test_no_question(value: Any) -> None:
    """Something else is refused."""
    with pytest.raises(BadRequest):
        ask(reviews.ACCESS, value)


def test_find() -> None:
    """By path; nothing else is one."""
    assert reviews.find("authentication.k8s.io", "v1", "selfsubjectreviews") == reviews.WHO
    assert reviews.find("", "v1", "secrets") is None


def test_whose_token() -> None:
    """The owner of a good one; of a bad one nobody, without an error of the request."""
    good = ask(reviews.TOKEN, {"spec": {"token": "good"}})["status"]
    assert good["authenticated"] is True
    assert good["user"]["username"] == "bob"
    bad = ask(reviews.TOKEN, {"spec": {"token": "bad"}})["status"]
    assert not bad.get("authenticated")
    with pytest.raises(BadRequest, match="token is required"):
        ask(reviews.TOKEN, {"spec": {}})


@pytest.mark.parametrize("question", [reviews.SUBJECT, reviews.LOCAL])
def test_may_somebody_else(question: Resource) -> None:
    """Yes, likewise; but it has to be said who, and what."""
    about = {"resourceAttributes": {"verb": "get", "resource": "secrets"}}
    assert ask(question, {"spec": {"user": "bob", **about}})["status"]["allowed"] is True
    for spec in (about, {"user": "bob"}, {"user": "bob", **about, "nonResourceAttributes": {}}):
        with pytest.raises(Invalid):
            ask(question, {"spec": spec})
