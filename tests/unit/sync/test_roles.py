"""The roles of a spoke's AppProject: rebuilt for the hub, or refused with a reason."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.sync.roles import Roles

ROLES = Roles("team", "edge-team", "edge")


def up(*lines: str, **parts: Any) -> dict[str, Any]:
    """A role with these policies."""
    return ROLES.up({"name": "dev", "policies": list(lines), **parts})


LINES = {
    "p, proj:team:dev, applications, sync, team/*, allow": (
        "p, proj:edge-team:dev, applications, sync, edge-team/edge/*, allow"
    ),
    "p,proj:team:dev,logs,get,team/web,deny": "p, proj:edge-team:dev, logs, get, edge-team/edge/web, deny",
    "p, proj:team:dev, applications, *, team/web-?, allow": (
        "p, proj:edge-team:dev, applications, *, edge-team/edge/web-?, allow"
    ),
    "p, proj:team:dev, applications, action/apps/Deployment/restart, team/*, allow": (
        "p, proj:edge-team:dev, applications, action/apps/Deployment/restart, edge-team/edge/*, allow"
    ),
    "p, proj:team:dev, clusters, get, team/*, allow": (
        "p, proj:edge-team:dev, clusters, get, edge-team/*, allow"
    ),
    "p, proj:team:dev, repositories, get, team/https://git.example.com:8443/a, allow": (
        "p, proj:edge-team:dev, repositories, get, edge-team/https://git.example.com:8443/a, allow"
    ),
    "p, proj:team:dev, clusters, *, team/*, deny": "p, proj:edge-team:dev, clusters, *, edge-team/*, deny",
    "p, proj:team:dev, repositories, delete, team/*, deny": (
        "p, proj:edge-team:dev, repositories, delete, edge-team/*, deny"
    ),
}


@pytest.mark.parametrize("line", LINES)
def test_what_goes_up(line: str) -> None:
    """With this agent's names, whatever it is about."""
    assert up(line)["policies"] == [LINES[line]]


REFUSED = {
    "": "it has not 6 fields",
    "g, someone, role:admin": "it has not 6 fields",
    "p, proj:team:dev, applications, get, team/*, allow, x": "it has not 6 fields",
    "g, proj:team:dev, applications, get, team/*, allow": "it does not begin with p",
    "p, role:admin, applications, get, team/*, allow": "it is not about proj:team:dev",
    "p, proj:team:ops, applications, get, team/*, allow": "it is not about proj:team:dev",
    "p, proj:default:dev, applications, get, team/*, allow": "it is not about proj:team:dev",
    "p, *, applications, get, team/*, allow": "it is not about proj:team:dev",
    "p, proj:team:dev, *, get, team/*, allow": "a project has no '*'",
    "p, proj:team:dev, accounts, get, team/*, allow": "a project has no 'accounts'",
    "p, proj:team:dev, applications, get, other/*, allow": "its object is not of project team",
    "p, proj:team:dev, applications, get, */*, allow": "its object is not of project team",
    "p, proj:team:dev, applications, get, team, allow": "'team' is no object",
    "p, proj:team:dev, applications, get, team/, allow": "'team/' is no object",
    "p, proj:team:dev, applications, get, team/x|.*, allow": "'team/x|.*' is no object",
    "p, proj:team:dev, applications, get|.*, team/*, allow": "'get|.*' is no action",
    "p, proj:team:dev, applications, get, team/*, maybe": "'maybe' is no effect",
    "p, proj:team:dev, clusters, create, team/*, allow": "the hub's clusters are its own: get alone",
    "p, proj:team:dev, clusters, update, team/*, allow": "the hub's clusters are its own: get alone",
    "p, proj:team:dev, clusters, *, team/*, allow": "the hub's clusters are its own: get alone",
    "p, proj:team:dev, repositories, create, team/*, allow": "the hub's repositories are its own: get alone",
    "p, proj:team:dev, repositories, delete, team/x, allow": "the hub's repositories are its own: get alone",
    "p, proj:team:dev, applications, get, team/*, allow\np, role:x, *, *, */*, allow": "it has not 6 fields",
    "p, proj:team:dev, applications, get, team/*\ng, allow": "is no object",
}


@pytest.mark.parametrize("line", REFUSED)
def test_what_does_not(line: str) -> None:
    """The reason is one line, and names the role and the policy."""
    with pytest.raises(ValueError, match=re.escape(REFUSED[line])) as caught:
        up(line)
    assert str(caught.value).startswith("role dev: the policy ") and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"name": "dev\ng, x, role:admin"}, "is no name of a role"),
        ({"name": 5}, "is no name of a role"),
        ({"name": "a, b"}, "is no name of a role"),
        ({"groups": ["x\np, role:x, *, *, */*, allow"]}, "is no name of a group"),
        ({"groups": ["alice, role:admin"]}, "is no name of a group"),
        ({"groups": ["everyone", "role:readonly"]}, "is the name of a role"),
        ({"groups": ["proj:other:dev"]}, "is the name of a role"),
        ({"groups": "all"}, "groups of a role are not a list of texts"),
        ({"groups": [5]}, "groups of a role are not a list of texts"),
        ({"policies": [5]}, "policies of a role are not a list of texts"),
        ({"policies": 5}, "policies of a role are not a list of texts"),
    ],
)
def test_other_fields(parts: dict[str, Any], reason: str) -> None:
    """Argo CD writes names and groups into lines of their own."""
    with pytest.raises(ValueError, match=reason) as caught:
        up(**parts)
    assert "\n" not in str(caught.value)


def test_what_is_carried() -> None:
    """Groups and a description; no tokens, and nothing that is not known."""
    tokens = [{"iat": 1, "id": "x"}]
    made = up(groups=["my team", "a:b"], description="text", jwtTokens=tokens, later={"x": 1})
    assert made == {"name": "dev", "policies": [], "groups": ["my team", "a:b"], "description": "text"}


WORDS = st.sampled_from(
    [
        "p", "g", "*", "proj:team:dev", "proj:team", "role:admin", "applications", "clusters", "get",
        "create", "team/*", "team/x", "allow", "deny", "other/*", "team", "x", "/", "\n", ",", "|", "#", '"',
        " ",
    ]
)  # fmt: skip
ANY = st.lists(WORDS, max_size=9)
TEXTS = ANY.map(", ".join) | ANY.map("".join) | st.text(max_size=30)
GOOD = re.compile(
    r"p, proj:edge-team:dev, (applications|applicationsets|logs|exec|clusters|repositories), [^,|\s]+,"
    r" edge-team/[^,|\s]+, (allow|deny)"
)


@settings(deadline=None, max_examples=300)
@given(TEXTS, TEXTS)
def test_nothing_else_gets_through(line: str, group: str) -> None:
    """Whatever is written there, what comes out is a policy of this project of this agent, on one line."""
    with suppress(ValueError):
        for shown in up(line)["policies"]:
            assert GOOD.fullmatch(shown)
            assert ", get, " in shown or "deny" in shown or not re.search("clusters|repositories", shown)
    with suppress(ValueError):
        for shown in up(groups=[group])["groups"]:
            assert not set(shown) & set(',"\n\r\t')
            assert not shown.startswith(("role:", "proj:"))
