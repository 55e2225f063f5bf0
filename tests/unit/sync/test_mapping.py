"""Hub names and specs <-> spoke names and specs: argocd-agent's tables, namespace-based."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.sync.mapping import NamespaceMapping

MANAGED = NamespaceMapping("agent-1", "argocd", "hub-argocd", autonomous=False)
AUTONOMOUS = NamespaceMapping("agent-1", "argocd", "hub-argocd", autonomous=True)
ANY = ({"name": "*", "server": "*", "namespace": "*"},)


@pytest.mark.parametrize(
    ("destinations", "namespaces", "expected"),
    [
        (ANY, ["*"], True),
        (ANY, ["agent-1"], True),
        (ANY, ["/^agent-[0-9]$/"], True),
        (ANY, ["other", "agent-*"], True),
        (ANY, [], False),
        (ANY, None, False),
        (ANY, ["other"], False),
        (ANY, ["/^other/"], False),
        (ANY, ["/(/"], False),
        ([], ["*"], False),
        (None, ["*"], False),
        ([{"name": "agent-*"}], ["*"], True),
        ([{"name": "other"}, {"name": "agent-1"}], ["*"], True),
        ([{"name": "other"}], ["*"], False),
        ([{"name": "AGENT-1"}], ["*"], False),
        ([{"server": "*"}], ["*"], True),
        ([{"name": "other", "server": "*"}], ["*"], False),
        ([{"server": "https://proxy:9090?agentName=agent-1"}], ["*"], True),
        ([{"server": "https://proxy:9090?agentName=agent-*"}], ["*"], True),
        ([{"server": "https://proxy:9090?agentName=other"}], ["*"], False),
        ([{"server": "https://kubernetes.default.svc"}], ["*"], False),
        ([{}], ["*"], False),
        ([*ANY, {"name": "!agent-1"}], ["*"], False),
        ([*ANY, {"name": "!agent-*"}], ["*"], False),
        ([*ANY, {"name": "!other"}], ["*"], True),
    ],
)
def test_which_agents_have_a_project(destinations: Any, namespaces: Any, expected: bool) -> None:
    """A destination and a source namespace must match; a ``!`` that matches withholds."""
    spec = {"destinations": destinations, "sourceNamespaces": namespaces}
    assert MANAGED.admits(spec) is expected


@pytest.mark.parametrize(
    ("which", "kind", "name", "hub"),
    [
        (MANAGED, Kind.APPLICATION, "web", ("agent-1", "web")),
        (MANAGED, Kind.STATUS, "web", ("agent-1", "web")),
        (MANAGED, Kind.APP_PROJECT, "team", ("hub-argocd", "team")),
        (AUTONOMOUS, Kind.APPLICATION, "web", ("agent-1", "web")),
        (AUTONOMOUS, Kind.APP_PROJECT, "team", ("hub-argocd", "agent-1-team")),
    ],
)
def test_names_go_there_and_back(
    which: NamespaceMapping, kind: Kind, name: str, hub: tuple[str, str]
) -> None:
    """Every key has one hub name, and that one key."""
    key = Key(kind, "argocd", name)
    assert which.hub_name(key) == hub and which.key(kind, *hub) == key


@pytest.mark.parametrize("name", ["team", "agent-1", "agent-1-", "agent-2-team"])
def test_a_project_without_the_prefix_is_not_an_autonomous_agents(name: str) -> None:
    """Nor is one whose name is the prefix."""
    assert AUTONOMOUS.key(Kind.APP_PROJECT, "hub-argocd", name) is None


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (Key(Kind.APPLICATION, "argocd", "web"), True),
        (Key(Kind.APPLICATION, "argocd", "web.example-1"), True),
        (Key(Kind.APPLICATION, "kube-system", "web"), False),
        (Key(Kind.APPLICATION, "argocd", ""), False),
        (Key(Kind.APPLICATION, "argocd", "../../secrets/key"), False),
        (Key(Kind.APPLICATION, "argocd", "a?b"), False),
        (Key(Kind.APPLICATION, "argocd", "a\n"), False),
        (Key(Kind.APPLICATION, "argocd", "a" * 253), True),
        (Key(Kind.APPLICATION, "argocd", "a" * 254), False),
        (Key(Kind.APP_PROJECT, "argocd", "a" * 245), True),
        (Key(Kind.APP_PROJECT, "argocd", "a" * 246), False),
    ],
)
def test_what_an_agent_may_speak_of(key: Key, expected: bool) -> None:
    """Its own namespace, names that can be names, and no longer on the hub than the hub can store."""
    assert AUTONOMOUS.in_scope(key) is expected


def projection(spec: dict[str, Any]) -> dict[str, Any]:
    """A copy projection with that spec."""
    return {"annotations": {"a": "1"}, "finalizers": ["f"], "labels": {"l": "1"}, "spec": spec}


def test_an_application_goes_down_to_in_cluster() -> None:
    """The destination's cluster is where the agent is, its namespace stays, and the spec is normal."""
    hub = projection(
        {"project": "", "destination": {"server": "https://x", "name": "agent-1", "namespace": "n"}}
    )
    down = MANAGED.down(Key(Kind.APPLICATION, "argocd", "web"), hub)
    assert down == hub | {
        "spec": {"project": "default", "destination": {"name": "in-cluster", "namespace": "n"}}
    }
    assert hub["spec"]["destination"]["name"] == "agent-1", "the hub's own value belongs to the caller"


def test_a_project_goes_down_as_this_agent_may_see_it() -> None:
    """Matching destinations only, as in-cluster; no source namespaces, no roles."""
    spec = {
        "description": "d",
        "destinations": [
            {"name": "agent-*", "server": "https://x", "namespace": "n1"},
            {"name": "other", "namespace": "n2"},
            {"name": "!other"},
        ],
        "sourceNamespaces": ["agent-1"],
        "roles": [{"name": "r"}],
    }
    assert MANAGED.down(Key(Kind.APP_PROJECT, "argocd", "team"), projection(spec))["spec"] == {
        "description": "d",
        "destinations": [
            {"name": "in-cluster", "server": "https://kubernetes.default.svc", "namespace": "n1"}
        ],
    }


@pytest.mark.parametrize(("project", "shown"), [("team", "agent-1-team"), ("", "agent-1-default")])
def test_an_application_goes_up_as_the_agents(project: str, shown: str) -> None:
    """Destination: the agent; project: the prefixed one; never a finalizer."""
    spec = {"project": project, "destination": {"server": "https://kubernetes.default.svc", "namespace": "n"}}
    up = AUTONOMOUS.up(Key(Kind.APPLICATION, "argocd", "web"), projection(spec))
    assert up["spec"] == {"project": shown, "destination": {"name": "agent-1", "namespace": "n"}}
    assert up["finalizers"] == [] and up["labels"] == {"l": "1"}


def test_a_project_goes_up_for_its_agent_alone() -> None:
    """Its source namespace is the agent's; every destination is the agent, whatever it was."""
    spec = {"destinations": [{"server": "https://x", "namespace": "n"}], "sourceNamespaces": ["*"]}
    assert AUTONOMOUS.up(Key(Kind.APP_PROJECT, "argocd", "team"), projection(spec))["spec"] == {
        "destinations": [{"name": "agent-1", "server": "*", "namespace": "n"}],
        "sourceNamespaces": ["agent-1"],
    }


def test_children_of_a_mirror_live_beside_it() -> None:
    """App of apps: child Applications move to the mirrors' namespace and back; nothing else moves."""
    child = {"kind": "Application", "namespace": "argocd", "name": "c"}
    others = [{"kind": "Deployment", "namespace": "argocd"}, {"kind": "Application", "namespace": "else"}]
    up = AUTONOMOUS.status_up({"resources": [dict(child), *others]})
    assert up == {"resources": [child | {"namespace": "agent-1"}, *others]}
    assert AUTONOMOUS.status_down(up) == {"resources": [child, *others]}
    assert MANAGED.status_up({"resources": [dict(child)]}) == {"resources": [child]}
    assert AUTONOMOUS.status_up({"resources": None}) == {"resources": None}
