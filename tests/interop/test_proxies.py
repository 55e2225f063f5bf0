"""Agents as processes, over WebSockets and through the proxy that ``HTTPS_PROXY`` names."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
import trio

from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.pki import keys
from trio_argoagent.testing.forwardproxy import ForwardProxy
from trio_argoagent.testing.machine import LIFETIME, LOOPBACK, NAMESPACE, Pki

from .programs import Fleet, Spoke, open_fleet
from .test_processes import DEADLINE, create, edit, seen

pytestmark = pytest.mark.processes

HUB = "hub.example"
"""A name that the proxy alone can resolve."""


class Behind(Fleet):
    """A fleet whose agents know the hub by that name, and have WebSockets."""

    proxy = ""

    def principal_arguments(self, port: int, pki: Pki | None = None) -> Sequence[str]:
        """With a certificate for the name."""
        key = keys.new_key()
        serial = keys.serial_number(self.env.entropy(keys.SERIAL_SIZE))
        certificate = self.pki.authority.issue_server(
            key.public_key(), name="p", hosts=[HUB], serial=serial, now=self.env.now(), lifetime=LIFETIME
        )
        paths = self._pem("named", (certificate, keys.key_pem(key)))
        arguments = super().principal_arguments(port, pki)
        return (*arguments, f"--tls-cert={paths[0]}", f"--tls-key={paths[1]}", "--enable-websocket")

    def agent_arguments(self, spoke: Spoke, port: int, pki: Pki | None = None) -> Sequence[str]:
        """With the proxy; the cluster is on loopback, which is never proxied."""
        spoke.agent.environ = {"HTTPS_PROXY": self.proxy}
        arguments = super().agent_arguments(spoke, port, pki)
        return (*arguments, f"--server-address={HUB}", "--enable-websocket")


async def test_a_fleet_over_websockets_through_a_proxy(tmp_path: Path, nursery: trio.Nursery) -> None:
    """What is made, edited and deleted on the hub arrives; the proxy was asked for nothing but the hub."""
    fleet: Fleet

    async def connect(host: str, port: int) -> trio.abc.Stream:
        return await trio.open_tcp_stream(LOOPBACK, port)

    proxy = ForwardProxy(connect, authorization="Basic bWU6c2VjcmV0")
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    await nursery.start(trio.serve_listeners, proxy.serve, listeners)
    Behind.proxy = f"http://me:secret@{LOOPBACK}:{listeners[0].socket.getsockname()[1]}"
    async with open_fleet(tmp_path, Behind) as fleet:
        await create(fleet.hub, "east", "shop")
        with trio.fail_after(DEADLINE):
            await fleet.converge()
        await edit(fleet.hub, "east", "shop", source={"targetRevision": "v2"})
        with trio.fail_after(DEADLINE):
            await fleet.converge()
        assert await seen(fleet.east.machine, NAMESPACE, "shop") == "v2"
        await fleet.hub.local("somebody").delete(APPLICATIONS, "east", "shop")
        with trio.fail_after(DEADLINE):
            await fleet.converge()
        said = await fleet.east.agent.wait_said("proxy")
        assert "secret" not in said["detail"] and Behind.proxy.rpartition("@")[2] in said["detail"]
        assert len({*proxy.asked}) == 1 and proxy.asked[0].startswith(f"{HUB}:")
