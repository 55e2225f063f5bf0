"""Destination-based mapping: names go there and back, and nobody gets beyond what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import names
from trio_argoagent.sync.destinations import DestinationMapping, destination_of
from trio_argoagent.sync.patterns import Patterns

TEAMS = Patterns(("team-*", "/^shop$/", "argocd-spoke"))
MAPPING = DestinationMapping("m1", "argocd-spoke", "argocd", autonomous=False, allowed=TEAMS)
SAME = DestinationMapping("m1", "argocd", "argocd", autonomous=False, allowed=TEAMS)
NAMESPACES = (
    "argocd",
    "argocd-spoke",
    "team-a",
    "team-b",
    "shop",
    "shopping",
    "kube-system",
    "default",
    "a/b",
)


def app(namespace: str = "team-a", name: str = "web", *, to: Any = "m1") -> Object:
    """An Application of the hub with that destination name (None: without one)."""
    destination = {"server": "https://x"} if to is None else {"name": to}
    metadata = {"namespace": namespace, "name": name}
    return Object.of({"kind": "Application", "metadata": metadata, "spec": {"destination": destination}})


@pytest.mark.parametrize(
    ("obj", "expected"),
    [
        (app(), Key(Kind.APPLICATION, "team-a", "web")),
        (app("shop"), Key(Kind.APPLICATION, "shop", "web")),
        (app("argocd"), Key(Kind.APPLICATION, "argocd-spoke", "web")),
        (app("argocd-spoke"), None),
        (app("kube-system"), None),
        (app("shopping"), None),
        (app(to="m2"), None),
        (app(to=""), None),
        (app(to="in-cluster"), None),
        (app(to=None), None),
        (app(to=7), None),
        (Object.of({"metadata": {"namespace": "team-a", "name": "web"}}), None),
    ],
)
def test_whose_an_application_is(obj: Object, expected: Key | None) -> None:
    """The destination says it, in namespaces that take part; nobody's are those for the hub's own cluster."""
    assert MAPPING.find(Kind.APPLICATION, obj) == expected


def test_an_application_that_cannot_be_read_may_be_anybodys() -> None:
    """Else it would look as if it had moved away from whoever has it."""
    obj = app(to="m2")
    unreadable = Object(obj.api_version, obj.kind, obj.meta, {}, "is nested deeper than 64 levels")
    assert MAPPING.find(Kind.APPLICATION, unreadable) == Key(Kind.APPLICATION, "team-a", "web")


@given(
    kind=st.sampled_from((Kind.APPLICATION, Kind.STATUS, Kind.INTENT, Kind.APP_PROJECT)),
    namespace=st.sampled_from(NAMESPACES),
    name=st.sampled_from(("web", "team", "a.b-c", "../x", "")),
    which=st.sampled_from((MAPPING, SAME)),
)
@settings(max_examples=200, deadline=None)
def test_names_go_there_and_back(kind: Kind, namespace: str, name: str, which: DestinationMapping) -> None:
    """No two names of the hub have one key; a key in scope has one name, in a namespace that takes part."""
    key = which.key(kind, namespace, name)
    if key is not None:
        assert which.hub_name(key) == (namespace, name)
        assert namespace == "argocd" or TEAMS.match(namespace)
    spoken = Key(kind, namespace, name)
    if which.in_scope(spoken):
        where = which.hub_name(spoken)
        assert which.key(kind, *where) == spoken
        assert where[0] == "argocd" or TEAMS.match(where[0])


def test_what_an_agent_may_speak_of() -> None:
    """Applications of namespaces that take part, projects of Argo CD's own, and names that can be names."""
    allowed = (("team-a", "web"), ("argocd-spoke", "web"))
    denied = (("kube-system", "web"), ("argocd", "web"), ("team-a", "../x"), ("a/b", "web"), ("", "web"))
    for verdict, places in ((True, allowed), (False, denied)):
        for namespace, name in places:
            assert MAPPING.in_scope(Key(Kind.STATUS, namespace, name)) is verdict, (namespace, name)
    assert MAPPING.in_scope(Key(Kind.APP_PROJECT, "argocd-spoke", "team"))
    assert not MAPPING.in_scope(Key(Kind.APP_PROJECT, "team-a", "team"))


def test_only_what_is_moved_into_argo_cds_own_namespace_is_stamped() -> None:
    """As with argocd-agent."""
    body = {
        "annotations": {"a": "1"},
        "finalizers": [],
        "labels": {},
        "spec": {"destination": {"name": "m1"}},
    }
    there = MAPPING.down(Key(Kind.APPLICATION, "argocd-spoke", "web"), body)
    assert there["annotations"] == {"a": "1", names.REMAPPED: "true"}
    assert there["spec"]["destination"] == {"name": "in-cluster"}
    assert MAPPING.down(Key(Kind.APPLICATION, "team-a", "web"), body)["annotations"] == {"a": "1"}


def test_a_project_keeps_the_namespaces_that_use_it() -> None:
    """They are the same on both sides; they do not say whose it is."""
    spec = {"destinations": [{"name": "m*"}], "sourceNamespaces": ["team-a"], "roles": [{"name": "r"}]}
    assert MAPPING.admits(spec) and MAPPING.admits({"destinations": [{"name": "m1"}]})
    assert not MAPPING.admits({"destinations": [{"name": "m*"}, {"name": "!m1"}], "sourceNamespaces": ["*"]})
    shown = {"annotations": {}, "finalizers": [], "labels": {}, "spec": spec}
    down = MAPPING.down(Key(Kind.APP_PROJECT, "argocd-spoke", "team"), shown)["spec"]
    assert down["sourceNamespaces"] == ["team-a"] and "roles" not in down


@pytest.mark.parametrize(
    ("obj", "said"),
    [
        (app("argocd-spoke"), True),
        (app("argocd-spoke", to="m2"), False),
        (app("argocd"), False),
        (app("team-a"), False),
    ],
)
def test_what_would_fall_onto_another_says_so(obj: Object, said: bool) -> None:
    """Only where the two sides call Argo CD's own namespace differently, and only of what takes part."""
    assert bool(MAPPING.shadowed(obj)) is said
    assert SAME.shadowed(obj) == ""


def test_another_mapping_is_another_view() -> None:
    """What is missing then may not have been deleted; the order of the patterns says nothing."""
    fewer = DestinationMapping("m1", "argocd-spoke", "argocd", False, allowed=Patterns(("team-*",)))
    turned = DestinationMapping("m1", "argocd-spoke", "argocd", False, allowed=Patterns(TEAMS.patterns[::-1]))
    assert MAPPING.said() != fewer.said()
    assert MAPPING.said() == turned.said()
    assert destination_of(app(to="m9")) == "m9"
