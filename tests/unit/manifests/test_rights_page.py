"""docs/install.md says which rights there are, and says it right."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from trio_argoagent.cli.manifests import Objects, built
from trio_argoagent.cli.manifests_command import COMPONENTS, OVERLAYS

PAGE = Path(__file__).parents[3] / "docs" / "install.md"
ROW = re.compile(r"\| ([-a-z ]+) \| (Role|ClusterRole) \| ([^|]+) \| ([^|]+) \| [^|]+ \|")
Right = tuple[str, str, tuple[str, ...]]
FORBIDDEN = {"*", "update", "deletecollection", "escalate", "bind", "impersonate"}
"""Verbs that no program has a use for."""


def told(who: str) -> set[Right]:
    """What the page says of it: role, resource, verbs."""
    rows = ROW.findall(PAGE.read_text())
    return {(role, what, tuple(verbs.split(", "))) for name, role, what, verbs in rows if name == who}


def granted(objects: Objects) -> Iterator[Right]:
    """What the roles grant."""
    for each in objects:
        for rule in each.get("rules", ()):
            for resource in rule["resources"]:
                (group,) = rule["apiGroups"]
                named = f" named {', '.join(rule['resourceNames'])}" if "resourceNames" in rule else ""
                yield each["kind"], f"{resource}{'.' if group else ''}{group}{named}", tuple(rule["verbs"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_table_is_what_is_granted(overlay: str) -> None:
    """Row by row; and what only some have use for stands with the component."""
    plain = [*granted(built(overlay))]
    assert len(plain) == len(set(plain))
    assert set(plain) == told(overlay)
    for component in COMPONENTS:
        if overlay != "agent-autonomous":
            more = set(granted(built(overlay, (component,)))) - set(plain)
            assert more == told(f"{overlay} with {component}")


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_nothing_is_granted_wholesale(overlay: str) -> None:
    """No stars, and none of the verbs that make others mighty."""
    for _, resource, verbs in granted(built(overlay, COMPONENTS)):
        assert "*" not in resource
        assert not FORBIDDEN & set(verbs)
