"""Which agent gets credentials, and which credentials an Application waits for."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import kinds, repositories
from trio_argoagent.sync.entitlement import Entitlement, entitlement, project_of
from trio_argoagent.testing.argocd.repositories import repo_creds, repository


@pytest.mark.parametrize(
    ("named", "exists", "theirs", "wanted"),
    [
        ("", False, False, Entitlement.DENIED),
        ("", True, True, Entitlement.DENIED),
        ("team", False, False, Entitlement.ORPHANED),
        ("team", True, False, Entitlement.DENIED),
        ("team", True, True, Entitlement.GRANTED),
    ],
)
def test_entitlement(named: str, exists: bool, theirs: bool, wanted: Entitlement) -> None:
    """Cell by cell."""
    assert entitlement(named, exists, theirs) is wanted


def told(data: Any) -> Object:
    """A Secret with this data."""
    return Object.of({"kind": "Secret", "metadata": {"name": "x"}, "data": data})


@pytest.mark.parametrize(
    ("data", "project"),
    [
        ({"project": base64.b64encode(b"team").decode()}, "team"),
        ({}, ""),
        (None, ""),
        ({"project": "not base64!"}, ""),
        ({"project": base64.b64encode(b"\xff\xfe").decode()}, ""),
        ({"project": base64.b64encode(b"x" * 300).decode()}, ""),
        ({"project": 7}, ""),
    ],
)
def test_project_of(data: Any, project: str) -> None:
    """What is no project's name is none: it never matches by accident."""
    assert project_of(told(data)) == project


def test_kinds_of_secrets() -> None:
    """The label tells them apart; without it a Secret is of no kind."""
    one, many = Object.of(repository("x")), Object.of(repo_creds("x"))
    rows = (kinds.BASE[Kind.REPOSITORY], kinds.BASE[Kind.REPO_CREDS])
    assert [row.selects(one) for row in rows] == [True, False]
    assert [row.selects(many) for row in rows] == [False, True]
    assert not any(row.selects(told({})) for row in rows)


@pytest.mark.parametrize(
    ("kind", "url", "asked", "serves"),
    [
        (Kind.REPOSITORY, "https://git.example.com/a", "https://git.example.com/a.git", True),
        (Kind.REPOSITORY, "https://git.example.com/a/", "HTTPS://git.example.com/A", True),
        (Kind.REPOSITORY, "https://git.example.com/a", "https://git.example.com/ab", False),
        (Kind.REPOSITORY, "git@git.example.com:a/b.git", "ssh://git@git.example.com/a/b", True),
        (Kind.REPO_CREDS, "https://git.example.com/a", "https://git.example.com/a/b", True),
        (Kind.REPO_CREDS, "https://git.example.com/a", "https://git.example.org/a/b", False),
    ],
)
def test_credentials_serve(kind: Kind, url: str, asked: str, serves: bool) -> None:
    """By the normal form of both URLs."""
    found = repositories.credentials(kind, repository("x", url=url)["data"])
    assert found is not None
    assert [found.serve(each) for each in repositories.needed({"source": {"repoURL": asked}})] == [serves]


@pytest.mark.parametrize(
    "data", [{}, {"url": "!"}, {"url": None}, {"url": base64.b64encode(b"\xff").decode()}]
)
def test_credentials_for_nothing(data: Any) -> None:
    """Nobody can tell what they are for: nobody waits for them."""
    assert repositories.credentials(Kind.REPOSITORY, data) is None


@pytest.mark.parametrize(
    "spec", [{}, {"source": None}, {"sources": "x"}, {"sources": [1]}, {"source": {"repoURL": 5}}]
)
def test_nothing_needed(spec: Any) -> None:
    """A spec that makes no sense needs nothing."""
    assert list(repositories.needed(spec)) == []
