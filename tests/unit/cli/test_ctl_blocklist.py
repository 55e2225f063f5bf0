"""``trio-argoagent ctl blocklist``: what it writes, what it refuses, and whose certificate is found."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.cli import ctl_blocklist
from trio_argoagent.errors import UserError
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.resources import CONFIG_MAPS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.blocklist import read_blocklist
from trio_argoagent.principal.claims import CERTIFICATE
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.principal.presence import ANSWER, ASK, PATIENCE, About, Answer, encode
from trio_argoagent.replication.memory import name_of

from .conftest import Run
from .hubs import HUB, make_cluster

ONE = "0123456789ABCDEF" * 4
TWO = "F" * 64
AT = 1_767_225_600.0
MOMENT = "2026-01-01T00:00:00Z"


async def test_adding_and_removing() -> None:
    """The ConfigMap is made, others' entries stay, and each word says what was done."""
    hub = await make_cluster()
    assert await ctl_blocklist.read(hub, HUB) == {}
    assert ctl_blocklist.as_text({}) == "no certificate is blocked"
    assert await ctl_blocklist.add(hub, HUB, TWO.lower()) == f"blocked: {TWO}"
    assert await ctl_blocklist.add(hub, HUB, f"sha256 Fingerprint={ONE}") == f"blocked: {ONE}"
    assert (await hub.get(CONFIG_MAPS, HUB, BLOCKLIST)).get("data") == {ONE: "", TWO: ""}
    assert await ctl_blocklist.add(hub, HUB, ONE) == f"{ONE} is blocked already"
    assert await ctl_blocklist.remove(hub, HUB, TWO) == f"not blocked any more: {TWO}"
    assert await ctl_blocklist.read(hub, HUB) == {ONE: ""}
    with pytest.raises(UserError, match="is not blocked; see: "):
        await ctl_blocklist.remove(hub, HUB, TWO)


async def test_what_is_no_fingerprint() -> None:
    """It is refused and nothing is written; what somebody else has put there shows, and can be removed."""
    hub = await make_cluster()
    before = hub.server.rv
    with pytest.raises(UserError, match="it is as long as a SHA-1"):
        await ctl_blocklist.add(hub, HUB, "AB" * 20)
    assert hub.server.rv == before
    await ctl_blocklist.add(hub, HUB, ONE)
    await hub.patch(CONFIG_MAPS, HUB, BLOCKLIST, MergePatch({"data": {"edge": "", TWO.lower(): ""}}))
    blocked = await ctl_blocklist.read(hub, HUB)
    shown = ctl_blocklist.as_text(blocked).splitlines()
    assert shown == [ONE, "edge: no SHA-256 fingerprint, so it blocks nothing", TWO.lower()]
    await ctl_blocklist.remove(hub, HUB, "edge")
    assert await ctl_blocklist.remove(hub, HUB, TWO) == f"not blocked any more: {TWO}"
    assert await ctl_blocklist.read(hub, HUB) == {ONE: ""}


@pytest.mark.parametrize(
    ("about", "what"),
    [
        (About(ONE), [ONE]),
        (About(), []),
        (None, []),
        ("silence", []),
    ],
    ids=["connected", "known", "never came", "no principal"],
)
async def test_an_agents_certificate(
    about: About | str | None, what: list[str], autojump_clock: MockClock
) -> None:
    """The principal knows whom it talks to, or nobody does; that there is no such agent is told."""
    hub = await make_cluster()
    await hub.create(SECRETS, make_secret("edge", HUB))

    async def principal() -> None:
        while True:
            await trio.sleep(1)
            found = {each.meta.name: each for each in (await hub.list(CONFIG_MAPS, HUB)).items}
            data = found[name_of("")].get("data") if name_of("") in found else {}
            if data.get(ASK) and not isinstance(about, str):
                answer = encode(Answer(data[ASK], {}, about))
                await hub.patch(CONFIG_MAPS, HUB, name_of(""), MergePatch({"data": {ANSWER: answer}}))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(principal)
        started = trio.current_time()
        assert await ctl_blocklist.known(hub, HUB, "edge", "word") == what
        assert trio.current_time() - started <= PATIENCE + 1
        nursery.cancel_scope.cancel()
    with pytest.raises(UserError, match="the hub knows no agent 'west'"):
        await ctl_blocklist.known(hub, HUB, "west", "word")


async def test_the_certificate_that_was_issued_last(autojump_clock: MockClock) -> None:
    """The hub has noted it on the cluster secret; who is away is known by it, too."""
    hub = await make_cluster()
    secret = make_secret("edge", HUB)
    secret["metadata"]["annotations"][CERTIFICATE] = f"{TWO} 2027-01-01T00:00:00Z"
    await hub.create(SECRETS, secret)
    assert await ctl_blocklist.known(hub, HUB, "edge", "word") == [TWO]


async def test_all_that_an_agent_has() -> None:
    """What was issued until now, with the fingerprints that are known; never less than before."""
    hub = await make_cluster()
    await ctl_blocklist.add(hub, HUB, ONE)
    said = await ctl_blocklist.add_agent(hub, HUB, "edge", AT, [TWO])
    assert said == f"blocked: all certificates of edge that were issued until {MOMENT}"
    found = dict(await ctl_blocklist.read(hub, HUB))
    assert found == {ONE: "", TWO: "", "agent.edge": f"{MOMENT} {TWO}"}
    assert read_blocklist(found).agents == {"edge": AT}
    assert ctl_blocklist.as_text(found).splitlines() == [ONE, TWO, f"agent edge: until {MOMENT}"]
    await ctl_blocklist.add_agent(hub, HUB, "edge", AT - 5.0)
    assert await ctl_blocklist.read(hub, HUB) == found
    assert await ctl_blocklist.remove_agent(hub, HUB, "edge") == "not blocked any more: edge"
    assert await ctl_blocklist.read(hub, HUB) == {ONE: ""}
    with pytest.raises(UserError, match="agent edge is not blocked; see: "):
        await ctl_blocklist.remove_agent(hub, HUB, "edge")


async def test_an_agent_for_good() -> None:
    """What somebody has written so stays so."""
    hub = await make_cluster()
    await ctl_blocklist.add(hub, HUB, ONE)
    await hub.patch(CONFIG_MAPS, HUB, BLOCKLIST, MergePatch({"data": {"agent.edge": ""}}))
    await ctl_blocklist.add_agent(hub, HUB, "edge", AT)
    found = await ctl_blocklist.read(hub, HUB)
    assert found == {ONE: "", "agent.edge": ""}
    assert ctl_blocklist.as_text(found).splitlines() == [ONE, "agent edge: for good"]


def test_one_of_both_is_named(run: Run) -> None:
    """A fingerprint or an agent; argocd-agentctl's spelling is the same command."""
    for spelling in (("blocklist",), ("blocklist", "tls")):
        for command in ("add", "remove"):
            assert "or --agent" in run("ctl", *spelling, command).line
            assert "or --agent" in run("ctl", *spelling, command, ONE, "--agent", "edge").line


@pytest.mark.parametrize("command", ["add", "remove", "list"])
def test_a_hub_that_cannot_be_found(run: Run, tmp_path: Path, command: str) -> None:
    """One line."""
    missing = str(tmp_path / "missing")
    given = () if command == "list" else (ONE,)
    for spelling in (("blocklist",), ("blocklist", "tls")):
        assert missing in run("ctl", *spelling, command, *given, "--kubeconfig", missing).line
