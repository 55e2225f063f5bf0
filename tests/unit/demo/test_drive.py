"""What the drive does with the first objects and the user's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from trio_argoagent.demo.documents import Document
from trio_argoagent.demo.drive import Drive
from trio_argoagent.demo.fleet import Fleet
from trio_argoagent.demo.settings import agent_names
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.testing.argocd.applications import application
from trio_argoagent.testing.machine import NAMESPACE
from trio_argoagent.testing.workload import TEAM

from .fleets import idle_fleet


async def ready(folder: Path, **changes: Any) -> Fleet:
    """A fleet whose clusters have the namespaces that the demo makes."""
    fleet = idle_fleet(folder, **changes)
    await fleet.hub.make_namespaces(NAMESPACE, *fleet.nodes)
    for node in fleet.nodes.values():
        await node.machine.make_namespaces(NAMESPACE)
    return fleet


@pytest.mark.parametrize("apps", [1, 6, 50])
async def test_the_first_applications(tmp_path: Path, apps: int) -> None:
    """As many as asked for, on the side that owns them; most sync themselves, some wait for a sync."""
    fleet = await ready(tmp_path, apps=apps)
    drive = Drive(fleet, ())
    await drive.apply_samples()
    for name in ("east", "west"):
        found = fleet.hub.server.list(APPLICATIONS, name).items
        assert len(found) == apps
        assert not fleet.nodes[name].machine.server.list(APPLICATIONS, NAMESPACE).items
    edge = fleet.nodes["edge"].machine.server.list(APPLICATIONS, NAMESPACE).items
    assert len(edge) == apps
    manual = [app for app in edge if "automated" not in app.value["spec"].get("syncPolicy", {})]
    assert apps < 3 or 0 < len(manual) <= apps / 2
    assert drive.counted().changes == 3 * apps
    for machine in (fleet.hub, fleet.nodes["edge"].machine):
        projects = {item.name for item in machine.server.list(APP_PROJECTS, NAMESPACE).items}
        assert projects == {"demo", TEAM}


async def test_the_users_own_objects(tmp_path: Path) -> None:
    """Each on its cluster; one that is there already takes over what the document says."""
    fleet = await ready(tmp_path, agents=agent_names(3))
    taken = application("guestbook", namespace="east", metadata={"labels": {"kept": "yes"}})
    await fleet.hub.local("you").create(APPLICATIONS, taken)
    mine = application("guestbook", "helm-guestbook", namespace="east", metadata={"labels": {"mine": "yes"}})
    own = application("own", namespace=NAMESPACE)
    drive = Drive(fleet, (Document("", APPLICATIONS, mine), Document("edge", APPLICATIONS, own)))
    await drive.apply_documents()
    (found,) = fleet.hub.server.list(APPLICATIONS, "east").items
    assert found.value["spec"]["source"]["path"] == "helm-guestbook"
    assert found.value["metadata"]["labels"] == {"kept": "yes", "mine": "yes"}
    (app,) = fleet.nodes["edge"].machine.server.list(APPLICATIONS, NAMESPACE).items
    assert app.name == "own"
    assert drive.counted().changes == 2


async def test_the_projects_stay(tmp_path: Path, autojump_clock: object) -> None:
    """What people do to the fleet never takes a project away: what waits for one would spoil the figures."""
    fleet = await ready(tmp_path, apps=1)
    drive = Drive(fleet, ())
    await drive.apply_samples()
    for _ in range(150):
        await drive._workload.act()
    workload = drive._workload
    assert sum((workload.done + workload.refused).values()) == 150
    assert not (workload.done + workload.refused)["unproject"]
