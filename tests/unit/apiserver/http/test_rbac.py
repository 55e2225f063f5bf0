"""Requests of those who may not do everything."""

from __future__ import annotations

import random
from typing import Any

import pytest

from trio_argoagent.apiserver.core.patches import APPLY_PATCH, MERGE_PATCH
from trio_argoagent.apiserver.core.rbac import open_rbac
from trio_argoagent.apiserver.core.rbactypes import ROLE_BINDINGS, ROLES
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.users import Tokens, User
from trio_argoagent.apiserver.http import Access, ApiHandler
from trio_argoagent.apiserver.http.handler import Audited
from trio_argoagent.ports.env import Env

from ..core.helpers import NOW, NS, make
from .exchanges import MemoryExchange, ask

MAPS = f"/api/v1/namespaces/{NS}/configmaps"
ROLE_PATH = f"/apis/rbac.authorization.k8s.io/v1/namespaces/{NS}/roles"
VALUE = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m"}, "data": {"a": "1"}}
REVIEWS = "/apis/authorization.k8s.io/v1"


class Guarded:
    """A handler that asks the rules, and what it has told of.

    ``bob`` (token ``b``) has the role ``r``; ``root`` (token ``r``) may do everything.
    """

    def __init__(self, server: ApiServer) -> None:
        chance = random.Random(2)
        env = Env(lambda: NOW, chance, chance.randbytes)
        access = Access({"b": User("bob"), "r": "root"}, (Tokens(server, chance.randbytes), env))
        self.told: list[Audited] = []
        self._server = server
        self._handler = ApiHandler(
            server, env=env, authenticate=access, authorizer=open_rbac(server, NOW), audit=self.told.append
        )
        ref = {"roleRef": {"kind": "Role", "name": "r"}}
        make(server, {"metadata": {"name": "r"}}, ROLES)
        make(
            server,
            {"metadata": {"name": "r"}, **ref, "subjects": [{"kind": "User", "name": "bob"}]},
            ROLE_BINDINGS,
        )

    def grant(self, *verbs: str, resource: str = "configmaps", group: str = "") -> None:
        """The one rule of ``r`` from now on."""
        rules = [{"verbs": [*verbs], "apiGroups": [group], "resources": [resource]}]
        self._server.patch(ROLES, NS, "r", {"rules": rules}, content_type=MERGE_PATCH, actor="test", now=NOW)

    async def ask(
        self, method: str, path: str, body: Any = None, token: str = "b", **headers: str
    ) -> MemoryExchange:
        """One request."""
        return await ask(self._handler, method, path, body, token=token, **headers)


@pytest.fixture
def guarded(server: ApiServer) -> Guarded:
    """See there."""
    return Guarded(server)


@pytest.mark.parametrize(
    ("verb", "method", "path", "body"),
    [
        ("get", "GET", f"{MAPS}/m", None),
        ("list", "GET", MAPS, None),
        ("create", "POST", MAPS, VALUE | {"metadata": {"name": "n"}}),
        ("update", "PUT", f"{MAPS}/m", VALUE),
        ("patch", "PATCH", f"{MAPS}/m", {"data": {"a": "2"}}),
        ("delete", "DELETE", f"{MAPS}/m", None),
        ("deletecollection", "DELETE", MAPS, None),
    ],
)
async def test_each_verb_is_a_right(
    guarded: Guarded, server: ApiServer, verb: str, method: str, path: str, body: Any
) -> None:
    """With it, it is done; with all the others, it is not."""
    make(server, VALUE, server.resource("", "v1", "configmaps").resource)
    every = ("get", "list", "watch", "create", "update", "patch", "delete", "deletecollection")
    guarded.grant(*(each for each in every if each != verb))
    before = server.rv
    form = MERGE_PATCH if method == "PATCH" else "application/json"
    refused = await guarded.ask(method, path, body, content_type=form)
    assert (refused.status, refused.value["reason"], server.rv) == (403, "Forbidden", before)
    guarded.grant(verb)
    assert (await guarded.ask(method, path, body, content_type=form)).status in (200, 201)
    assert [(each.user.name, each.wanted.verb, each.code // 100) for each in guarded.told] == [
        ("bob", verb, 4),
        ("bob", verb, 2),
    ]


async def test_a_refusal(guarded: Guarded) -> None:
    """The Status that a real server writes."""
    answer = await guarded.ask("GET", f"{MAPS}/m")
    assert answer.value == {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": 'configmaps "m" is forbidden: User "bob" cannot get resource "configmaps" in API group "" '
        f'in the namespace "{NS}"',
        "reason": "Forbidden",
        "details": {"name": "m", "kind": "configmaps"},
        "code": 403,
    }


async def test_an_apply_that_creates(guarded: Guarded) -> None:
    """Needs the right to create besides; one that changes does not."""
    guarded.grant("patch")
    path, kind = f"{MAPS}/m?fieldManager=x", {"content_type": APPLY_PATCH}
    assert (await guarded.ask("PATCH", path, VALUE, **kind)).status == 403
    guarded.grant("patch", "create")
    assert (await guarded.ask("PATCH", path, VALUE, **kind)).status == 201
    guarded.grant("patch")
    assert (await guarded.ask("PATCH", path, VALUE | {"data": {"a": "3"}}, **kind)).status == 200


async def test_a_grant(guarded: Guarded) -> None:
    """Who may write roles hands on what he has, and nothing else."""
    guarded.grant("create", "get", resource="roles", group="rbac.authorization.k8s.io")
    rules = [{"verbs": ["get"], "apiGroups": ["rbac.authorization.k8s.io"], "resources": ["roles"]}]
    assert (await guarded.ask("POST", ROLE_PATH, {"metadata": {"name": "a"}, "rules": rules})).status == 201
    rules[0]["resources"] = ["roles", "rolebindings"]
    refused = await guarded.ask("POST", ROLE_PATH, {"metadata": {"name": "b"}, "rules": rules})
    assert (refused.status, "not currently held" in refused.value["message"]) == (403, True)


async def test_impersonation(guarded: Guarded) -> None:
    """A right like others; and who acts as somebody else has that one's rights."""
    assert (await guarded.ask("GET", MAPS, impersonate_user="root")).status == 403
    assert (await guarded.ask("GET", MAPS, token="r", impersonate_user="bob")).status == 403
    guarded.grant("list")
    assert (await guarded.ask("GET", MAPS, token="r", impersonate_user="bob")).status == 200
    groups = {"impersonate_user": "x", "impersonate_group": "system:masters"}
    assert (await guarded.ask("GET", "/api/v1/namespaces", token="r", **groups)).status == 200
    assert (await guarded.ask("GET", "/api/v1/namespaces", **groups)).status == 403


async def test_a_token_of_an_account(guarded: Guarded) -> None:
    """Made by who may; whoever has it is that account."""
    accounts = f"/api/v1/namespaces/{NS}/serviceaccounts"
    await guarded.ask("POST", accounts, {"metadata": {"name": "agent"}}, token="r")
    assert (await guarded.ask("POST", f"{accounts}/agent/token", {})).status == 403
    made = await guarded.ask("POST", f"{accounts}/agent/token", {}, token="r")
    assert made.status == 201
    token = made.value["status"]["token"]
    who = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    told = (await guarded.ask("POST", who, {}, token=token)).value["status"]["userInfo"]
    assert told["username"] == f"system:serviceaccount:{NS}:agent"
    assert f"system:serviceaccounts:{NS}" in told["groups"]
    assert (await guarded.ask("GET", f"{accounts}/agent/token", token="r")).status == 405
    assert (await guarded.ask("POST", f"{accounts}/gone/token", {}, token="r")).status == 404


async def test_reviews(guarded: Guarded) -> None:
    """Say what would be answered, of oneself and, to who may ask, of others."""
    guarded.grant("get")
    about = {"resourceAttributes": {"verb": "get", "resource": "configmaps", "namespace": NS}}
    mine = await guarded.ask("POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": about})
    assert mine.value["status"] == {
        "allowed": True,
        "reason": f'RBAC: allowed by RoleBinding "r/{NS}" of Role "r" to User "bob"',
    }
    assert (await guarded.ask("POST", f"{REVIEWS}/subjectaccessreviews", {"spec": about})).status == 403
    of_bob = {"spec": {**about, "user": "bob"}}
    told = await guarded.ask("POST", f"{REVIEWS}/subjectaccessreviews", of_bob, token="r")
    assert told.value["status"]["allowed"] is True
    about["resourceAttributes"]["verb"] = "list"
    told = await guarded.ask("POST", f"{REVIEWS}/subjectaccessreviews", of_bob, token="r")
    assert told.value["status"] == {"allowed": False}
    rules = await guarded.ask("POST", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": NS}})
    found = {"verbs": ["get"], "apiGroups": [""], "resources": ["configmaps"]}
    assert found in rules.value["status"]["resourceRules"]
