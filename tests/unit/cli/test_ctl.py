"""``trio-argoagent ctl``: what is held, and the word of a person for it."""

from __future__ import annotations

import json
import random
from pathlib import Path

import msgspec
import pytest

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli import ctl
from trio_argoagent.errors import UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES
from trio_argoagent.ports.env import Env
from trio_argoagent.principal.holds import CONFIRM, HELD, HeldEntry
from trio_argoagent.replication.memory import LABEL, name_of

from .conftest import Run

SET = "a" * 32
EAST = HeldEntry(SET, "because", 3, ("Application argocd/one", "Application argocd/two"))


async def make_hub(**held: HeldEntry) -> tuple[ApiServer, LocalCluster]:
    """A hub whose principal has written down what these agents hold."""
    chance = random.Random(1)
    server = argocd_server(entropy=chance.randbytes)
    env = Env(now=lambda: 0.0, random=chance, entropy=chance.randbytes)
    hub = LocalCluster(server, env=env, actor="user")
    await hub.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}})
    for agent, entry in held.items():
        metadata = {"name": name_of(agent), "namespace": "argocd", "labels": {LABEL: "true"}}
        data = {HELD: msgspec.json.encode(entry).decode(), "sessions": "1 0"}
        value = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data}
        await hub.create(CONFIG_MAPS, value)
    return server, hub


async def test_nothing_is_held() -> None:
    """A hub without any state, too, has an answer."""
    _, hub = await make_hub()
    held = await ctl.read_all(hub, "argocd")
    assert held == {}
    assert ctl.as_text(held) == "no deletion is held"
    assert ctl.as_text(held, "east") == "no deletion of east is held"
    assert json.loads(ctl.as_document(held)) == {}


async def test_what_is_held_is_told_with_the_way_out() -> None:
    """Per agent: how many, why, which, and the command that lets it happen."""
    _, hub = await make_hub(west=HeldEntry("b" * 32, "why", 1, ("AppProject argocd/team",)), east=EAST)
    held = await ctl.read_all(hub, "argocd")
    assert list(held) == ["east", "west"]
    text = ctl.as_text(held).splitlines()
    assert text[:5] == [
        "east: 3 deletions are held: because",
        "  Application argocd/one",
        "  Application argocd/two",
        "  and 1 more",
        f"  to delete them: trio-argoagent ctl deletes confirm east --set {SET}",
    ]
    assert json.loads(ctl.as_document(held))["east"]["total"] == 3


async def test_confirming() -> None:
    """It is written down with the time, beside what is held."""
    server, hub = await make_hub(east=EAST)
    assert await ctl.confirm(hub, "argocd", "east", SET) == 3
    data = Object.parse(server.get(CONFIG_MAPS, "argocd", name_of("east")).json).get("data")
    name, _, at = data[CONFIRM].partition(" ")
    assert name == SET
    assert float(at) > 1.7e9
    assert data["sessions"] == "1 0"


@pytest.mark.parametrize(
    ("agent", "name", "what"),
    [("west", SET, "no deletion of west is held"), ("east", "b" * 32, "east holds another set now")],
)
async def test_only_what_is_held_can_be_confirmed(agent: str, name: str, what: str) -> None:
    """Another set, or another agent's, is refused, and nothing is written."""
    server, hub = await make_hub(east=EAST)
    before = server.rv
    with pytest.raises(UserError, match=what):
        await ctl.confirm(hub, "argocd", agent, name)
    assert server.rv == before


@pytest.mark.parametrize(
    "arguments", [("list",), ("list", "east", "--json"), ("confirm", "east", "--set", SET)], ids=" ".join
)
def test_a_hub_that_cannot_be_found(run: Run, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    """One line."""
    missing = str(tmp_path / "missing")
    assert missing in run("ctl", "deletes", *arguments, "--kubeconfig", missing).line


def test_a_confirmation_names_its_set(run: Run) -> None:
    """There is no way to confirm whatever is held."""
    assert "--set" in run("ctl", "deletes", "confirm", "east").line
