"""``trio-argoagent ctl blocklist``: what it writes, what it refuses, and whose certificate is found."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.cli import ctl_blocklist
from trio_argoagent.cli.ctl_blocklist import Shown
from trio_argoagent.errors import UserError
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.resources import CONFIG_MAPS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.blocklist import read_blocklist
from trio_argoagent.principal.claims import CERTIFICATE
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.principal.presence import ANSWER, ASK, PATIENCE, About, Answer, Live, encode
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
    ("connected", "about", "what"),
    [
        (True, About(ONE), Shown((ONE,))),
        (True, About(), Shown(bare=True)),
        (False, About(), Shown()),
        (False, None, Shown()),
        (False, "silence", Shown()),
    ],
    ids=["by certificate", "without one", "known", "never came", "no principal"],
)
async def test_an_agents_certificate(
    connected: bool, about: About | str | None, what: Shown, autojump_clock: MockClock
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
                live = {"edge": Live(1)} if connected else {}
                answer = encode(Answer(data[ASK], live, about))
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
    assert await ctl_blocklist.known(hub, HUB, "edge", "word") == Shown((TWO,))


async def test_all_that_an_agent_has() -> None:
    """What was issued until now, with the fingerprints that are known; never less than before."""
    hub = await make_cluster()
    await ctl_blocklist.add(hub, HUB, ONE)
    said = await ctl_blocklist.add_agent(hub, HUB, "edge", AT, Shown((TWO,)))
    assert said == f"blocked: all certificates of edge that were issued until {MOMENT}"
    found = dict(await ctl_blocklist.read(hub, HUB))
    assert found == {ONE: "", TWO: "", "agent.edge": f"{MOMENT} {TWO}"}
    assert read_blocklist(found).agents == {"edge": AT}
    assert ctl_blocklist.as_text(found).splitlines() == [ONE, TWO, f"agent edge: until {MOMENT}"]
    assert await ctl_blocklist.add_agent(hub, HUB, "edge", AT - 5.0) == said
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
    assert await ctl_blocklist.add_agent(hub, HUB, "edge", AT) == "edge is blocked already, for good"
    found = await ctl_blocklist.read(hub, HUB)
    assert found == {ONE: "", "agent.edge": ""}
    assert ctl_blocklist.as_text(found).splitlines() == [ONE, "agent edge: for good"]


@pytest.mark.parametrize("written", ["", "stolen laptop"])
async def test_a_certificate_of_an_agent_for_good(written: str) -> None:
    """It comes with the entry, and goes with it."""
    hub = await make_cluster()
    await ctl_blocklist.add(hub, HUB, ONE)
    await hub.patch(CONFIG_MAPS, HUB, BLOCKLIST, MergePatch({"data": {"agent.edge": written}}))
    await ctl_blocklist.add_agent(hub, HUB, "edge", AT, Shown((TWO,)))
    found = await ctl_blocklist.read(hub, HUB)
    assert found == {ONE: "", TWO: "", "agent.edge": f"{written} {TWO}"}
    assert read_blocklist(found).agents == {"edge": math.inf}
    await ctl_blocklist.remove_agent(hub, HUB, "edge")
    assert await ctl_blocklist.read(hub, HUB) == {ONE: ""}


async def test_a_new_certificate_is_blocked_as_well() -> None:
    """Both go with the entry, which has noted both."""
    hub = await make_cluster()
    await ctl_blocklist.add_agent(hub, HUB, "edge", AT, Shown((ONE,)))
    await ctl_blocklist.add_agent(hub, HUB, "edge", AT + 60.0, Shown((TWO,)))
    found = await ctl_blocklist.read(hub, HUB)
    assert found == {ONE: "", TWO: "", "agent.edge": f"2026-01-01T00:01:00Z {ONE} {TWO}"}
    await ctl_blocklist.remove_agent(hub, HUB, "edge")
    assert await ctl_blocklist.read(hub, HUB) == {}


@pytest.mark.parametrize("order", ["before", "after"])
@pytest.mark.parametrize("spelt", [ONE, ONE.lower()], ids=["as we write it", "in lower case"])
async def test_what_somebody_has_blocked_by_itself(order: str, spelt: str) -> None:
    """It does not go with the agent's entry, in whatever order the two came."""
    hub = await make_cluster()
    if order == "before":
        await ctl_blocklist.add(hub, HUB, ONE)
        await hub.patch(CONFIG_MAPS, HUB, BLOCKLIST, MergePatch({"data": {ONE: None, spelt: ""}}))
    await ctl_blocklist.add_agent(hub, HUB, "edge", AT, Shown((ONE, TWO)))
    if order == "after":
        assert await ctl_blocklist.add(hub, HUB, spelt) == f"{ONE} is blocked already"
        spelt = ONE
    await ctl_blocklist.remove_agent(hub, HUB, "edge")
    assert await ctl_blocklist.read(hub, HUB) == {spelt: ""}


async def test_an_agent_that_shows_no_certificate() -> None:
    """While it is connected it is blocked whatever it shows; else nobody knows, and that is said."""
    hub = await make_cluster()
    said = await ctl_blocklist.add_agent(hub, HUB, "edge", AT, Shown())
    assert said.startswith(
        f"blocked: all certificates of edge that were issued until {MOMENT}; none is known"
    )
    assert await ctl_blocklist.read(hub, HUB) == {"agent.edge": MOMENT}
    said = await ctl_blocklist.add_agent(hub, HUB, "edge", AT, Shown(bare=True))
    assert said.startswith("blocked: edge, for good, as it is connected without a certificate; to let")
    assert read_blocklist(await ctl_blocklist.read(hub, HUB)).names(Peer("edge"))
    await ctl_blocklist.remove_agent(hub, HUB, "edge")
    assert await ctl_blocklist.read(hub, HUB) == {}


@pytest.mark.parametrize(
    ("now", "date", "found"),
    [
        (AT, "Thu, 01 Jan 2026 00:01:00 GMT", AT + 60.0),
        (AT + 90.0, "Thu, 01 Jan 2026 00:01:00 GMT", AT + 90.0),
        (AT, "", AT),
        (AT, "soon", AT),
        (AT, "Thu, 01 Jan 99999 00:00:00 GMT", AT),
    ],
)
def test_whose_clock_counts(now: float, date: str, found: float) -> None:
    """The later one's: the certificate may be from after the operator's."""
    assert ctl_blocklist.latest(now, date) == found


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
