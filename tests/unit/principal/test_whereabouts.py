"""Where an agent's Applications are looked for: nothing of its own is missed, few of others are seen."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import nesting
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.principal.whereabouts import Whereabouts
from trio_argoagent.sync.destinations import DestinationMapping
from trio_argoagent.sync.mapping import NamespaceMapping, Style
from trio_argoagent.sync.patterns import Patterns

HUB = "argocd"
BY_NAMESPACE = NamespaceMapping("east", "argocd", HUB, autonomous=False)
BY_DESTINATION = DestinationMapping("east", "argocd", HUB, autonomous=False, allowed=Patterns(("*",)))


def app(name: str, namespace: str = "east", destination: Any = "east") -> Object:
    """An Application of the hub."""
    metadata = {"name": name, "namespace": namespace, "uid": f"uid-{name}"}
    return Object.of({"metadata": metadata, "spec": {"destination": {"name": destination}}})


def deep(name: str) -> Object:
    """One that cannot be read."""
    levels = nesting.MAX_DEPTH + 1
    spec = b'{"a":' * levels + b"1" + b"}" * levels
    return Object.parse(b'{"metadata":{"name":"%s","namespace":"any"},"spec":%s}' % (name.encode(), spec))


def names(where: Whereabouts, mapping: NamespaceMapping) -> list[str]:
    """Of what is near."""
    return [name for _, name in where.near(mapping)]


def filled(style: Style, *apps: Object) -> Whereabouts:
    """What has seen these come."""
    where = Whereabouts(style)
    for each in apps:
        where.changed(Kind.APPLICATION, Change(None, each))
    return where


def test_by_namespace() -> None:
    """What lies in the agent's, whatever cluster it names."""
    where = filled(Style.NAMESPACE, app("a"), app("b", "west"), app("c", destination="west"))
    assert names(where, BY_NAMESPACE) == ["a", "c"]


def test_by_destination() -> None:
    """What names the agent, wherever it lies; and what cannot be read, which may be anybody's."""
    where = filled(Style.DESTINATION, app("a"), app("b", "west"), app("c", destination="west"), deep("d"))
    assert names(where, BY_DESTINATION) == ["a", "b", "d"]
    assert names(where, BY_NAMESPACE) == ["a", "c"], "an autonomous agent beside it"


def test_what_moves_is_found_where_it_has_gone() -> None:
    """To another agent, and away."""
    where, mine, theirs = Whereabouts(Style.DESTINATION), app("a"), app("a", destination="west")
    where.changed(Kind.APPLICATION, Change(None, theirs))
    assert names(where, BY_DESTINATION) == []
    where.changed(Kind.APPLICATION, Change(theirs, mine))
    assert names(where, BY_DESTINATION) == ["a"]
    where.changed(Kind.APPLICATION, Change(mine, None))
    assert names(where, BY_DESTINATION) == names(where, BY_NAMESPACE) == []


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.APPLICATION])
def test_other_kinds_are_no_business_of_it(kind: Kind) -> None:
    """They are all agents'."""
    where = Whereabouts(Style.NAMESPACE)
    where.changed(kind, Change(None, app("a")))
    assert names(where, BY_NAMESPACE) == []
