"""docs/getting-started.md, from the first command to the last."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import trio
import yaml

from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, CONFIG_MAPS, SECRETS, Resource
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import NAMESPACE, Machine, Pki
from trio_argoagent.testing.processes.fleet import reserved_port

from .kubectl_kit import MARKS
from .walk import Walk, commands, environment

pytestmark = [pytest.mark.processes, *MARKS]

TOP = Path(__file__).parents[2]
PORT = "8443"
"""Of the principal, on the page."""
PROGRAMS = {"trio-argoagent principal ": " listening ", "trio-argoagent agent ": " in-step "}


def merged(machines: list[Machine]) -> dict[str, Any]:
    """One kubeconfig with a context for each cluster."""
    lists = ("clusters", "contexts", "users")
    found: dict[str, Any] = {"apiVersion": "v1", "kind": "Config", **{name: [] for name in lists}}
    for machine in machines:
        one = yaml.safe_load(Path(machine.kubeconfig).read_text())
        for name in lists:
            (entry,) = one[name]
            entry["name"] = machine.name
            found[name].append(entry)
        found["contexts"][-1]["context"] |= {"cluster": machine.name, "user": machine.name}
    return found


async def present(machine: Machine, resource: Resource, namespace: str, name: str) -> None:
    """Wait until it is there."""
    written = trio.Event()
    machine.server.subscribe(lambda entry: written.set())
    while name not in [item.name for item in machine.server.list(resource, namespace).items]:
        await written.wait()
        written = trio.Event()


async def test_the_page(tmp_path: Path) -> None:
    """Each command does what the page says, and what the programs made can be taken away as it says."""
    env = real_env()
    pki = Pki.create(env)
    hub, east, _ = machines = [Machine(name, pki, env, tmp_path) for name in ("hub", "east", "edge")]
    (tmp_path / "examples").symlink_to(TOP / "examples")
    kubeconfig = tmp_path / ".kube" / "config"
    kubeconfig.parent.mkdir()
    with reserved_port() as port:
        text = (TOP / "docs" / "getting-started.md").read_text()
        async with trio.open_nursery() as clusters:
            for machine in machines:
                await clusters.start(machine.run)
                await machine.make_namespaces(NAMESPACE)
            kubeconfig.write_text(yaml.safe_dump(merged(machines)))
            walk = Walk(tmp_path, environment(tmp_path), PROGRAMS)
            async with trio.open_nursery() as programs:
                for command in commands(text.replace(PORT, str(port))):
                    if command.line.startswith(
                        "kubectl --context east get"
                    ):  # A reader is slower than we are.
                        with trio.fail_after(60):
                            await present(east, APPLICATIONS, NAMESPACE, "guestbook")
                            await present(hub, APPLICATIONS, "edge", "guestbook")
                    if " delete " in command.line:
                        programs.cancel_scope.cancel()
                        break
                    await walk.run(command, programs)
            async with trio.open_nursery() as none:
                for command in commands(text):
                    if " delete " in command.line:
                        await walk.run(command, none)
            left = [
                (machine.name, item.name)
                for machine in machines
                for resource in (APPLICATIONS, APP_PROJECTS, SECRETS, CONFIG_MAPS)
                for item in machine.server.list(resource, NAMESPACE).items
            ]
            assert left == []
            clusters.cancel_scope.cancel()
