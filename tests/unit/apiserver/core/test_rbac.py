"""Who may do what, by roles and bindings."""

from __future__ import annotations

import random
from typing import Any

import pytest

from trio_argoagent.apiserver.core import grants, users
from trio_argoagent.apiserver.core.access import Attributes, check, of_request
from trio_argoagent.apiserver.core.rbac import Rbac, allows, open_rbac
from trio_argoagent.apiserver.core.rbactypes import CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, ROLE_BINDINGS, ROLES
from trio_argoagent.apiserver.core.routing import parse, split
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.users import MASTERS, Tokens, User
from trio_argoagent.errors import ApiError, Forbidden, Invalid, NotFound
from trio_argoagent.model.resources import Resource

from .helpers import NOW, NS, make, new_server

SOMEBODY = User("somebody", ("devs",))
AGENT = User.account(NS, "agent")
SECRET = Attributes("get", "", "secrets", namespace=NS, name="s")
ACCOUNTS = Resource("", "v1", "serviceaccounts", "ServiceAccount")


def rule(
    verbs: str, resources: str = "", groups: str = "", names: str = "", urls: str = ""
) -> dict[str, Any]:
    """A rule from words."""
    found = {
        "verbs": verbs.split(),
        "apiGroups": groups.split(",") if resources else [],
        "resources": resources.split(),
        "resourceNames": names.split(),
        "nonResourceURLs": urls.split(),
    }
    return {field: values for field, values in found.items() if values}


def role(server: ApiServer, name: str, *rules: dict[str, Any], of: Resource = ROLES, ns: str = NS) -> None:
    """Make one."""
    make(server, {"metadata": {"name": name}, "rules": [*rules]}, of, ns if of is ROLES else "")


def bind(
    server: ApiServer,
    name: str,
    to: dict[str, Any],
    ref: str = "Role",
    of: Resource = ROLE_BINDINGS,
    ns: str = NS,
) -> None:
    """Bind the role of that name."""
    value = {"metadata": {"name": name}, "roleRef": {"kind": ref, "name": name}, "subjects": [to]}
    make(server, value, of, ns if of is ROLE_BINDINGS else "")


@pytest.fixture
def server() -> ApiServer:
    """With the namespace ``argocd``."""
    return new_server()


@pytest.fixture
def rbac(server: ApiServer) -> Rbac:
    """Its authorizer."""
    return open_rbac(server, NOW)


@pytest.mark.parametrize(
    ("given", "wanted", "allowed"),
    [
        (rule("get", "secrets"), SECRET, True),
        (rule("*", "*", "*"), SECRET, True),
        (rule("list", "secrets"), SECRET, False),
        (rule("get", "configmaps"), SECRET, False),
        (rule("get", "secrets", "apps"), SECRET, False),
        (rule("get", "secrets", names="s t"), SECRET, True),
        (rule("get", "secrets", names="t"), SECRET, False),
        (rule("create", "secrets", names="s"), Attributes("create", "", "secrets", namespace=NS), False),
        (rule("get", "pods"), Attributes("get", "", "pods", "log", NS, "p"), False),
        (rule("get", "pods/log"), Attributes("get", "", "pods", "log", NS, "p"), True),
        (rule("get", "*/log"), Attributes("get", "", "pods", "log", NS, "p"), True),
        (rule("get", "*"), Attributes("get", "", "pods", "log", NS, "p"), True),
        (rule("get", urls="/metrics"), Attributes("get", path="/metrics"), True),
        (rule("get", urls="/metrics"), Attributes("get", path="/metrics/x"), False),
        (rule("get", urls="/apis/*"), Attributes("get", path="/apis/x"), True),
        (rule("get", urls="/apis/*"), Attributes("get", path="/api"), False),
        (rule("get", urls="*"), Attributes("get", path="/x"), True),
        (rule("*", "*", "*"), Attributes("get", path="/x"), False),
        (rule("get", urls="*"), SECRET, False),
    ],
)
def test_rules(given: dict[str, Any], wanted: Attributes, allowed: bool) -> None:
    """Verb, group, resource with its subresource, and name; or verb and path."""
    assert allows(given, wanted) is allowed


@pytest.mark.parametrize(
    ("subject", "user", "bound"),
    [
        ({"kind": "User", "name": "somebody"}, SOMEBODY, True),
        ({"kind": "User", "name": "devs"}, SOMEBODY, False),
        ({"kind": "Group", "name": "devs"}, SOMEBODY, True),
        ({"kind": "Group", "name": "system:authenticated"}, SOMEBODY, True),
        ({"kind": "Group", "name": "somebody"}, SOMEBODY, False),
        ({"kind": "ServiceAccount", "name": "agent", "namespace": NS}, AGENT, True),
        ({"kind": "ServiceAccount", "name": "agent"}, AGENT, True),
        ({"kind": "ServiceAccount", "name": "agent", "namespace": "other"}, AGENT, False),
        ({"kind": "User", "name": AGENT.name}, AGENT, True),
        ({"kind": "Group", "name": f"system:serviceaccounts:{NS}"}, AGENT, True),
        ({"kind": "Group", "name": "system:serviceaccounts"}, SOMEBODY, False),
    ],
)
def test_subjects(server: ApiServer, rbac: Rbac, subject: dict[str, Any], user: User, bound: bool) -> None:
    """Users, groups and ServiceAccounts, each by its kind."""
    role(server, "r", rule("get", "secrets"))
    bind(server, "r", subject)
    assert rbac.decide(user, SECRET).allowed is bound


def test_where_a_binding_holds(server: ApiServer, rbac: Rbac) -> None:
    """A RoleBinding in its namespace, also of a ClusterRole; a ClusterRoleBinding everywhere."""
    subject = {"kind": "User", "name": "somebody"}
    everywhere = Attributes("list", "", "secrets")
    role(server, "reader", rule("get list", "secrets"), of=CLUSTER_ROLES)
    bind(server, "reader", subject, "ClusterRole")
    assert rbac.decide(SOMEBODY, SECRET).reason == (
        'RBAC: allowed by RoleBinding "reader/argocd" of ClusterRole "reader" to User "somebody"'
    )
    assert not rbac.decide(SOMEBODY, everywhere).allowed
    assert not rbac.decide(SOMEBODY, Attributes("get", "", "secrets", namespace="default", name="s")).allowed
    bind(server, "reader", subject, "ClusterRole", CLUSTER_ROLE_BINDINGS)
    assert rbac.decide(SOMEBODY, everywhere).allowed


def test_a_role_that_is_missing(server: ApiServer, rbac: Rbac) -> None:
    """It grants nothing, and the refusal says that it is missing."""
    bind(server, "gone", {"kind": "User", "name": "somebody"})
    with pytest.raises(Forbidden) as caught:
        check(rbac, SOMEBODY, SECRET)
    assert caught.value.message == (
        'secrets "s" is forbidden: User "somebody" cannot get resource "secrets" in API group "" in the '
        'namespace "argocd": RBAC: role.rbac.authorization.k8s.io "gone" not found'
    )
    assert caught.value.details == {"name": "s", "kind": "secrets"}


def test_refusals() -> None:
    """In Kubernetes' words: of a cluster's resource, and of a path."""
    wanted = Attributes("list", "argoproj.io", "applications")
    assert wanted.denied("u").message == (
        'applications.argoproj.io is forbidden: User "u" cannot list resource "applications" in API group '
        '"argoproj.io" at the cluster scope'
    )
    assert Attributes("get", path="/metrics").denied("u").message == (
        'forbidden: User "u" cannot get path "/metrics"'
    )


@pytest.mark.parametrize(
    ("method", "path", "query", "wanted"),
    [
        ("GET", "/api/v1/namespaces/a", {}, Attributes("get", "", "namespaces", "", "a", "a")),
        ("GET", "/api/v1/namespaces", {}, Attributes("list", "", "namespaces")),
        (
            "PATCH",
            "/api/v1/namespaces/a/status",
            {},
            Attributes("patch", "", "namespaces", "status", "a", "a"),
        ),
        (
            "GET",
            "/api/v1/namespaces/a/secrets",
            {"watch": ["true"]},
            Attributes("watch", "", "secrets", "", "a"),
        ),
        (
            "GET",
            "/api/v1/namespaces/a/secrets",
            {"fieldSelector": ["type=x,metadata.name=s"]},
            Attributes("list", "", "secrets", "", "a", "s"),
        ),
        (
            "GET",
            "/api/v1/namespaces/a/secrets",
            {"fieldSelector": ["metadata.name!=s"]},
            Attributes("list", "", "secrets", "", "a"),
        ),
        (
            "DELETE",
            "/api/v1/namespaces/a/secrets",
            {},
            Attributes("deletecollection", "", "secrets", "", "a"),
        ),
        ("POST", "/api/v1/namespaces/a/secrets", {}, Attributes("create", "", "secrets", "", "a")),
        ("PUT", "/apis/g/v1/ns/n", {}, Attributes("update", "g", "ns", "", "", "n")),
        ("GET", "/apis/g/v1", {}, Attributes("get", path="/apis/g/v1")),
        ("POST", "/faults", {}, Attributes("post", path="/faults")),
    ],
)
def test_what_a_request_wants(
    method: str, path: str, query: dict[str, list[str]], wanted: Attributes
) -> None:
    """A namespace is inside itself; a list of one name is about that name."""
    assert of_request(method, path, parse(split(path)), query) == wanted


def test_masters_and_everybody(rbac: Rbac) -> None:
    """What a server is born with: masters may do all, whoever is known may look at the API and at himself."""
    assert rbac.decide(User.admin("root"), SECRET).allowed
    assert rbac.decide(SOMEBODY, Attributes("get", path="/apis/argoproj.io")).allowed
    review = Attributes("create", "authorization.k8s.io", "selfsubjectaccessreviews")
    assert rbac.decide(SOMEBODY, review).allowed
    assert not rbac.decide(SOMEBODY, Attributes("get", path="/metrics")).allowed
    assert not rbac.decide(SOMEBODY, SECRET).allowed


# --- handing on -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owned", "given", "missing"),
    [
        ([rule("get list", "secrets")], [rule("get", "secrets")], []),
        (
            [rule("get", "secrets")],
            [rule("get list watch", "secrets")],
            ['Resources:["secrets"], Verbs:["list" "watch"]'],
        ),
        ([rule("*", "*", "*")], [rule("get", "pods/log")], []),
        ([rule("get", "secrets")], [rule("*", "secrets")], ['Resources:["secrets"], Verbs:["*"]']),
        ([rule("get", "secrets", names="a")], [rule("get", "secrets", names="a")], []),
        (
            [rule("get", "secrets", names="a")],
            [rule("get", "secrets")],
            ['Resources:["secrets"], Verbs:["get"]'],
        ),
        ([rule("get", "*/log")], [rule("get", "pods/log")], []),
        ([rule("get", "pods"), rule("get", "secrets")], [rule("get", "pods secrets")], []),
        (
            [rule("get", urls="/apis/*")],
            [rule("get", urls="/apis/x /metrics")],
            ['NonResourceURLs:["/metrics"], Verbs:["get"]'],
        ),
    ],
)
def test_what_is_lacking(owned: list[Any], given: list[Any], missing: list[str]) -> None:
    """Each right on its own has to be there, in one rule or another."""
    found = grants.refusal(SOMEBODY, grants.lacking(owned, given)).splitlines()[1:]
    assert [each.replace('{APIGroups:[""], ', "{") for each in found] == [f"{{{each}}}" for each in missing]


def test_nobody_hands_on_what_he_has_not(server: ApiServer, rbac: Rbac) -> None:
    """A role, or a binding of it; unless he has it, or may escalate or bind."""
    mine = {"metadata": {"name": "mine", "namespace": NS}, "rules": [rule("get", "secrets")]}
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "mine"}
    binding = {"metadata": {"name": "b", "namespace": NS}, "roleRef": ref}
    role(server, "mine", rule("get", "secrets"))
    for resource, value in ((ROLES, mine), (ROLE_BINDINGS, binding)):
        with pytest.raises(Forbidden, match="attempting to grant RBAC permissions not currently held"):
            rbac.check_grant(SOMEBODY, resource, value)
        rbac.check_grant(User.admin("root"), resource, value)
    for number, (verb, resource, value) in enumerate(
        (("escalate", ROLES, mine), ("bind", ROLE_BINDINGS, binding))
    ):
        user = User(f"u{number}")
        role(server, user.name, rule(verb, "roles", "rbac.authorization.k8s.io", "mine"))
        bind(server, user.name, {"kind": "User", "name": user.name})
        rbac.check_grant(user, resource, value)
    bind(server, "mine", {"kind": "User", "name": "somebody"})
    for resource, value in ((ROLES, mine), (ROLE_BINDINGS, binding)):
        rbac.check_grant(SOMEBODY, resource, value)
    gone = {**binding, "roleRef": {**ref, "name": "gone"}}
    with pytest.raises(NotFound):
        rbac.check_grant(SOMEBODY, ROLE_BINDINGS, gone)


# --- what may be stored -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "value", "says"),
    [
        (ROLES, {"rules": [{"apiGroups": [""], "resources": ["x"]}]}, "rules[0].verbs: Required value"),
        (ROLES, {"rules": [rule("get", "x") | {"apiGroups": []}]}, "at least one api group"),
        (ROLES, {"rules": [{"verbs": ["get"], "apiGroups": [""]}]}, "at least one resource"),
        (ROLES, {"rules": [rule("get", urls="/x")]}, "namespaced rules cannot apply to non-resource URLs"),
        (CLUSTER_ROLES, {"rules": [rule("get", "x", urls="/x")]}, "both regular resources and non-resource"),
        (ROLE_BINDINGS, {"roleRef": {"kind": "X", "name": "r"}}, 'roleRef.kind: Unsupported value: "X"'),
        (CLUSTER_ROLE_BINDINGS, {"roleRef": {"kind": "Role", "name": "r"}}, "roleRef.kind: Unsupported"),
        (ROLE_BINDINGS, {"roleRef": {"kind": "Role"}}, "roleRef.name: Required value"),
        (
            ROLE_BINDINGS,
            {"roleRef": {"kind": "Role", "name": "r", "apiGroup": "x"}},
            'roleRef.apiGroup: Unsupported value: "x"',
        ),
        (
            CLUSTER_ROLE_BINDINGS,
            {
                "roleRef": {"kind": "ClusterRole", "name": "r"},
                "subjects": [{"kind": "ServiceAccount", "name": "x"}],
            },
            "subjects[0].namespace: Required value",
        ),
        (
            ROLE_BINDINGS,
            {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "Pod", "name": "x"}]},
            'subjects[0].kind: Unsupported value: "Pod"',
        ),
        (
            ROLE_BINDINGS,
            {"roleRef": {"kind": "Role", "name": "r"}, "subjects": [{"kind": "User"}]},
            "subjects[0].name: Required value",
        ),
        (
            ROLE_BINDINGS,
            {
                "roleRef": {"kind": "Role", "name": "r"},
                "subjects": [{"kind": "User", "name": "x", "apiGroup": "y"}],
            },
            "subjects[0].apiGroup: Unsupported",
        ),
    ],
)
def test_what_makes_no_sense(server: ApiServer, resource: Resource, value: dict[str, Any], says: str) -> None:
    """Is refused, and says where."""
    with pytest.raises(Invalid) as caught:
        make(server, {"metadata": {"name": "r"}, **value}, resource, NS if resource.namespaced else "")
    assert says in caught.value.message


def test_a_binding_keeps_its_role(server: ApiServer) -> None:
    """What goes without saying is filled in; the role never changes."""
    bind(server, "b", {"kind": "User", "name": "x"})
    stored = server.get(ROLE_BINDINGS, NS, "b").value
    group = "rbac.authorization.k8s.io"
    assert stored["subjects"] == [{"apiGroup": group, "kind": "User", "name": "x"}]
    assert stored["roleRef"] == {"apiGroup": group, "kind": "Role", "name": "b"}
    with pytest.raises(Invalid, match="cannot change roleRef"):
        server.update(
            ROLE_BINDINGS, NS, "b", {**stored, "roleRef": {"kind": "Role", "name": "c"}}, actor="x", now=NOW
        )


@pytest.mark.parametrize(
    ("name", "fine"), [("system:a:B_c", True), ("a/b", False), ("..", False), ("a%", False)]
)
def test_names(server: ApiServer, name: str, fine: bool) -> None:
    """Whatever can be one step of a path."""
    if fine:
        role(server, name)
        return
    with pytest.raises(Invalid, match="may not"):
        role(server, name)


# --- tokens -----------------------------------------------------------------------------------------------


def test_tokens_of_accounts(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Good until their time is up, or the account is gone, or so many others have been made."""
    monkeypatch.setattr(users, "MAX_TOKENS", 2)
    tokens = Tokens(server, random.Random(3).randbytes)
    make(server, {"metadata": {"name": "agent"}}, ACCOUNTS)
    first, second, third = (
        tokens.issue(NS, "agent", {"spec": {"expirationSeconds": 600 * n}}, NOW)["status"]["token"]
        for n in (1, 2, 3)
    )
    assert tokens.user_of(first, NOW) is None
    assert tokens.user_of(second, NOW + 1199) == AGENT
    assert tokens.user_of(second, NOW + 1200) is None
    server.delete(ACCOUNTS, NS, "agent", actor="x", now=NOW)
    assert tokens.user_of(third, NOW) is None
    make(server, {"metadata": {"name": "agent"}}, ACCOUNTS)
    assert tokens.user_of(third, NOW) is None


@pytest.mark.parametrize(
    "value",
    [[], {"kind": "Pod"}, {"spec": {"expirationSeconds": 5}}, {"spec": {"expirationSeconds": 1 << 40}}],
)
def test_no_token(server: ApiServer, value: Any) -> None:
    """For what is no request of one."""
    make(server, {"metadata": {"name": "agent"}}, ACCOUNTS)
    with pytest.raises(ApiError):
        Tokens(server, bytes).issue(NS, "agent", value, NOW)


def test_who_acts_as_an_account() -> None:
    """Has its groups, unless he says others."""
    assert User.named(AGENT.name, ()) == AGENT
    assert User.named("x", (MASTERS,)) == User.admin("x")
