"""Another CA, and a stolen key: one fleet of four processes, told by ``ctl`` alone, while objects change."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import trio

from trio_argoagent.cli import vaults
from trio_argoagent.errors import LinkRefused
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, SECRETS
from trio_argoagent.net.contexts import client_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import Bundle, fingerprint
from trio_argoagent.principal.clusters import secret_name
from trio_argoagent.principal.trust import TRUST, read_seen
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE, Machine

from .certified import Certified, held
from .programs import START_TIMEOUT, Program, Spoke, open_fleet
from .test_processes import create, edit, seen

pytestmark = pytest.mark.processes

DEADLINE: Final = 240.0
"""Seconds for the whole rotation, and for a link to end: many times what it takes."""
EDIT_EVERY: Final = 1.0
"""Seconds between two edits of one Application."""


def sides(fleet: Certified, spoke: Spoke) -> tuple[tuple[Machine, str], tuple[Machine, str]]:
    """Where the Application of this agent is owned, and where its copy is."""
    hub, own = (fleet.hub, spoke.name), (spoke.machine, NAMESPACE)
    return (own, hub) if spoke.mode is Mode.AUTONOMOUS else (hub, own)


class Editor:
    """Somebody changes the Application of one agent again and again, whenever the last change has arrived."""

    def __init__(self, fleet: Certified, spoke: Spoke) -> None:
        self._fleet, self.spoke = fleet, spoke
        self.source, self.copy = sides(fleet, spoke)
        self.scope = trio.CancelScope()
        self.arrived = 0

    async def run(self) -> None:
        """Do so until its scope is cancelled."""
        with self.scope:
            await create(*self.source, "shop")
            for number in itertools.count(1):
                await self.edit(f"v{number}")
                await self._wait_arrived(f"v{number}")
                self.arrived = number
                await trio.sleep(EDIT_EVERY)

    async def edit(self, revision: str) -> None:
        """Do so once."""
        await edit(*self.source, "shop", source={"targetRevision": revision})

    async def _wait_arrived(self, revision: str) -> None:
        local = self.copy[0].local("test")
        while not any(
            app.meta.name == "shop" and app.get("spec")["source"].get("targetRevision") == revision
            for app in (await local.list(APPLICATIONS, self.copy[1])).items
        ):
            await self._fleet.wait_written()

    async def wait_more(self, count: int = 2) -> None:
        """Wait until so many more have arrived."""
        wanted = self.arrived + count
        while self.arrived < wanted:
            await self._fleet.wait_written()


async def rotate(fleet: Certified) -> tuple[list[str], str, str]:
    """Run ``rotate-ca`` until it is over: its phases, the old root and the new one."""
    phases: list[str] = []
    old = new = ""
    while True:
        said: dict[str, Any] = json.loads(await fleet.ctl("pki", "rotate-ca", "-o", "json"))
        if said["phase"] is None:
            return phases, old, new
        assert not said["leavesBehind"]
        phases, old, new = [*phases, said["phase"]], said["old"], said["new"]
        if len(phases) == 1:
            shown = json.loads(await fleet.ctl("pki", "rotate-ca", "--status", "-o", "json"))
            assert (shown["phase"], shown["done"]) == ("trust", [])


def course(program: Program) -> str:
    """What has become of an agent's links: ``u``p, ``m``oving, ``e``nded, and ``x`` for whatever else."""
    letters = {"link-up": "u", "link-moving": "m", "link-ended": "e", "link-broken": "x", "link-refused": "x"}
    return "".join(letters.get(line.get("event", ""), "") for line in program.lines)


async def check_new_root(fleet: Certified, old: str, new: str) -> None:
    """Nothing is of the old root any more, and nothing trusts it."""
    hub = await held(fleet.hub, vaults.CA)
    assert set(hub) == {"tls.crt", "tls.key"}
    roots = Bundle.read(hub["tls.crt"])
    assert roots.fingerprints == (new,) and old != new
    own = await held(fleet.hub, vaults.PRINCIPAL)
    assert roots.issuer_of(keys.load_certificates(own["tls.crt"])[0]) is not None
    for spoke in fleet.spokes:
        assert Bundle.read((await held(spoke.machine, vaults.CA))["ca.crt"]).fingerprints == (new,)
        leaf = keys.load_certificates((await held(spoke.machine, vaults.CLIENT))["tls.crt"])[0]
        issuer = roots.issuer_of(leaf)
        assert issuer is not None and fingerprint(issuer) == new, spoke.name
        registered = await fleet.hub.local("test").get(SECRETS, NAMESPACE, secret_name(spoke.name))
        noted = read_seen(registered.annotations[TRUST])
        assert noted is not None and noted.issuer == new, spoke.name


async def wait_more(editors: Sequence[Editor]) -> None:
    """Wait until what these edit has arrived a few times more."""
    with trio.fail_after(START_TIMEOUT):
        for editor in editors:
            await editor.wait_more()


async def check_thief(fleet: Certified, stolen: dict[str, bytes]) -> None:
    """Whoever has a certificate of the old root is told that it does not count."""
    roots = (await held(fleet.west.machine, vaults.CA))["ca.crt"]
    context = client_context(
        ca=roots, certificate=stolen["tls.crt"], key=stolen["tls.key"], alpn=("h2",), verify=True
    )
    with (
        trio.fail_after(START_TIMEOUT),
        pytest.raises(LinkRefused, match=r"does not accept our client certificate \(unknown ca\)"),
    ):
        async with Http2Dialer(LOOPBACK, fleet.port, context).dial():
            raise AssertionError("a link by a certificate of the old root")


async def revoke(fleet: Certified, editors: Sequence[Editor]) -> None:
    """Block one agent's certificate: its link ends, nothing more arrives there, and the others go on."""
    others, victim, agent = editors[:-1], editors[-1], fleet.west.agent
    known = len(agent.lines)
    await fleet.ctl("blocklist", "add", "--agent", "west")
    with trio.fail_after(DEADLINE):
        decided = await fleet.principal.wait_said("revoked")
        refused = await agent.wait_said("link-refused", known)
    victim.scope.cancel()
    assert (decided["agent"], decided["asked"]) == ("west", "link")
    assert "is blocked on the hub" in refused["detail"]
    await wait_more(others)
    last = await seen(*victim.copy, "shop")
    await victim.edit("too-late")
    await wait_more(others)
    assert await seen(*victim.copy, "shop") == last


async def test_another_ca_and_a_stolen_key(tmp_path: Path) -> None:
    """Each link is left for the next one only; what is of the old root, or blocked, is let in no more."""
    async with open_fleet(tmp_path, Certified) as fleet, trio.open_nursery() as nursery:
        assert isinstance(fleet, Certified)
        editors = [Editor(fleet, spoke) for spoke in fleet.spokes]
        for editor in editors:
            nursery.start_soon(editor.run)
        await wait_more(editors)
        stolen = await held(fleet.west.machine, vaults.CLIENT)
        with trio.fail_after(DEADLINE):
            phases, old, new = await rotate(fleet)
        assert list(dict.fromkeys(phases)) == ["trust", "renew", "drop"]
        await check_new_root(fleet, old, new)
        await wait_more(editors)
        await check_thief(fleet, stolen)
        await revoke(fleet, editors)
        for editor in editors:
            editor.scope.cancel()
        for spoke in (fleet.east, fleet.edge):
            assert re.fullmatch(r"(ume)*u(m|me)?", course(spoke.agent)), (spoke.name, course(spoke.agent))
            assert course(spoke.agent).count("m") >= 2
        assert re.match(r"(ume)+u(m|me)?", course(fleet.west.agent))
