"""An agent keeps its certificate valid, in virtual time."""

from __future__ import annotations

from itertools import pairwise

import attrs
import pytest
import trio
import trio.testing
from cryptography import x509

from trio_argoagent.agent.applying import trusting
from trio_argoagent.agent.keeping import Kept
from trio_argoagent.agent.renewal import HURRY, LOOK
from trio_argoagent.apiserver.local import Call
from trio_argoagent.errors import Forbidden, Unreachable
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.pki import bundles, keys, requests
from trio_argoagent.pki.authority import Authority
from trio_argoagent.principal import claims
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.stream.admission import Refusal, Shown
from trio_argoagent.stream.protocol.enrolment import Shown as ShownToken

from ..principal.enrolling import DAY, HUB, authority, make_hub, put_authority
from .enrolling import make_spoke


async def test_a_hundred_renewals(autojump_clock: trio.testing.MockClock) -> None:
    """Some 470 days: always valid, each time another key, and nothing that a person would have to read."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    seen = [await spoke.own()]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(spoke.renewer().run)
        while len(seen) <= 100:
            await trio.sleep(DAY / 2)
            own = await spoke.own()
            assert not own.validity.is_over(hub.env.now())
            if own != seen[-1]:
                seen.append(own)
        nursery.cancel_scope.cancel()
    assert len({own.key_hash for own in seen}) == len(seen) == 101
    assert set(spoke.names) == {"certificate-renewed"} and len(spoke.told) == 100
    gaps = [(b.validity.begins - a.validity.begins) / DAY for a, b in pairwise(seen)]
    assert 4.1 < min(gaps) < 4.5 and 4.8 < max(gaps) < 5.2
    assert all((message.name, message.proof) == ("", None) for message in spoke.office.asked)


async def test_a_restart_changes_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """What is due is due, whoever runs; what is not is not renewed."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    for _ in range(5):
        assert 0.0 < await spoke.renewer().look() <= LOOK
    assert spoke.office.asked == []
    await trio.sleep(6 * DAY)
    await spoke.renewer().look()
    assert len(spoke.office.asked) == 1


async def test_made_by_hand(autojump_clock: trio.testing.MockClock) -> None:
    """A certificate for half a year is renewed as well, unless nobody wants it; then it is warned of."""
    hub = await make_hub()
    await hub.add()
    for renews in (True, False):
        spoke = await make_spoke(hub)
        await spoke.put(lifetime=180 * DAY)
        with trio.move_on_after(181 * DAY):
            await spoke.renewer(renews=renews).run()
        expected = {"certificate-renewed"} if renews else {"certificate-expires", "certificate-expired"}
        assert set(spoke.names) == expected
        if not renews:
            lines = [event.text.rpartition("in less than ")[2] for event in spoke.told]
            assert lines[:3] == ["30 d", "7 d", "1 d"] and len(lines) == 4
            assert "ctl agent token" in lines[3]


async def test_a_hub_that_is_away(autojump_clock: trio.testing.MockClock) -> None:
    """It is asked ever more rarely, up to once an hour; when it is back there is a new certificate."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    attempts: list[float] = []

    async def away() -> None:
        attempts.append(trio.current_time())
        raise Unreachable("connection refused")

    back = spoke.office.before
    spoke.office.before = away
    async with trio.open_nursery() as nursery:
        nursery.start_soon(spoke.renewer().run)
        await trio.sleep(5.9 * DAY)
        assert 24 < len(attempts) < 90
        waits = [b - a for a, b in pairwise(attempts)]
        assert 30.0 <= waits[0] <= 60.0 and max(waits) <= 3600.0
        assert "certificate-expires" not in spoke.names
        spoke.office.before = back
        await trio.sleep(3600.0)
        nursery.cancel_scope.cancel()
    assert spoke.names[-1] == "certificate-renewed" and set(spoke.names[:-1]) == {"renewal-failed"}


async def test_a_hub_that_issues_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """It is asked once a day, and that is told once; the expiry is warned of all the same."""
    hub = await make_hub(Rules(issues=False))
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    with trio.move_on_after(14 * DAY):
        await spoke.renewer().run()
    assert spoke.names == ["renewal-off", "certificate-expires", "certificate-expired"]
    assert 8 <= len(spoke.office.asked) <= 10


async def test_who_is_refused_for_good(autojump_clock: trio.testing.MockClock) -> None:
    """A person has to act: told once, asked once an hour; then it goes on by itself."""
    blocked: list[str] = ["east"]

    hub = await make_hub(gate=lambda peer: Refusal(403, "revoked") if peer.name in blocked else None)
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    async with trio.open_nursery() as nursery:
        renewer = spoke.renewer()
        nursery.start_soon(renewer.run)
        await trio.sleep(5.5 * DAY)
        assert spoke.names == ["renewal-refused"] and "revoked" in spoke.told[0].text
        blocked.clear()
        await trio.sleep(3600.0 * 1.2)
        nursery.cancel_scope.cancel()
    assert spoke.names == ["renewal-refused", "certificate-renewed"]
    assert dict(renewer.outcomes) == {"refused": len(spoke.office.asked) - 1, "renewed": 1}


async def test_off_for_too_long(autojump_clock: trio.testing.MockClock) -> None:
    """Back after weeks it proves its last key, at once, and without a token."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    await trio.sleep(30 * DAY)
    await spoke.renewer().look()
    assert spoke.names == ["certificate-expired", "certificate-renewed"]
    assert spoke.office.asked[0].proof is not None
    assert (await spoke.own()).validity.ends > hub.env.now()
    await trio.sleep(60 * DAY)
    await spoke.renewer().look()
    assert spoke.names[2:] == ["certificate-expired", "renewal-refused"]
    assert "ctl agent token east --replace" in spoke.told[-1].text


async def test_clocks_that_differ(autojump_clock: trio.testing.MockClock) -> None:
    """Where the hub's clock says that it is over, the last key is proven, though ours does not say so."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    spoke.office.skew = 2 * DAY
    await trio.sleep(5.2 * DAY)
    renewer = spoke.renewer()
    await trio.sleep(await renewer.look())
    await renewer.look()
    assert spoke.names == ["renewal-failed", "certificate-renewed"]


@attrs.define
class Closed:
    """An API server that refuses the next writes."""

    times: int = 0

    async def before(self, call: Call) -> None:
        """See ``Gate``."""
        if self.times and call.verb == "patch":
            self.times -= 1
            raise Forbidden("secrets is forbidden")

    async def after(self, call: Call) -> None:
        """See ``Gate``."""


async def test_an_answer_that_is_lost(autojump_clock: trio.testing.MockClock) -> None:
    """It is asked for again with the same key; so is one that cannot be kept."""
    hub = await make_hub()
    await hub.add()
    closed = Closed()
    spoke = await make_spoke(hub, closed)
    await spoke.put(lifetime=7 * DAY)
    closed.times = 1
    spoke.office.lost = 1
    await trio.sleep(5.9 * DAY)
    renewer = spoke.renewer()
    for _ in range(3):
        await trio.sleep(await renewer.look())
    assert spoke.names == ["renewal-failed", "renewal-failed", "certificate-renewed"]
    assert "Secret argocd/argocd-agent-client-tls cannot be written" in spoke.told[1].text
    found = [requests.judge(message.request) for message in spoke.office.asked]
    hashes = {requests.key_hash(key) for key in found if isinstance(key, keys.PublicKey)}
    assert len(found) == 3 and hashes == {(await spoke.own()).key_hash}


async def test_another_certificate_by_hand(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever puts one there is noticed within the hour; its own life counts."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(spoke.renewer().run)
        await trio.sleep(DAY)
        await spoke.put(lifetime=100 * DAY, using="second")
        await trio.sleep(50 * DAY)
        assert spoke.told == []
        nursery.cancel_scope.cancel()


async def test_an_authority_that_ends(autojump_clock: trio.testing.MockClock) -> None:
    """Certificates get shorter and shorter with it: asked for once a minute at most, then no more."""
    hub = await make_hub()
    await hub.add()
    await hub.cluster.delete(SECRETS, HUB, "argocd-agent-ca")
    ending = Authority.create(keys.new_key(), name="ending", serial=1, now=0.0, lifetime=7 * DAY)
    await put_authority(hub.cluster, ending)
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=6 * DAY)
    asked: list[float] = []

    async def count() -> None:
        asked.append(trio.current_time())

    spoke.office.before = count
    with trio.move_on_after(8 * DAY):
        await spoke.renewer().run()
    attempts = asked[::2]  # A request, and a connection to try what has come of it.
    assert 10 < len(attempts) < 40 and min(b - a for a, b in pairwise(attempts)) >= 30.0
    assert spoke.names[-1] != "certificate-renewed"


@pytest.mark.parametrize("days", [5.9, 20.0], ids=["in-time", "too-late"])
async def test_another_name_in_the_certificate(days: float, autojump_clock: trio.testing.MockClock) -> None:
    """Whatever we read in our certificate: who we are says the hub, by what its --auth finds there."""

    def identify(shown: Shown) -> Peer | Refusal:
        return Peer("east", fingerprint(shown.certificate or b""), shown.address)

    hub = await make_hub(identify=identify)
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY, name="workload")
    await trio.sleep(days * DAY)
    await spoke.renewer().look()
    assert spoke.names[-1] == "certificate-renewed" and (await spoke.own()).name == "east"


async def test_an_agent_that_was_taken_off(autojump_clock: trio.testing.MockClock) -> None:
    """Without its cluster secret there is no certificate, by whichever way."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    await hub.cluster.delete(SECRETS, HUB, "cluster-east")
    await trio.sleep(6 * DAY)
    await spoke.renewer().look()
    await trio.sleep(6 * DAY)
    await spoke.renewer().look()
    told = [event.name for event in spoke.told if "secret labelled east" in event.text]
    assert told == ["renewal-refused"] * 2


async def test_the_hubs_port_has_another_root(autojump_clock: trio.testing.MockClock) -> None:
    """What the hub does not name among its roots, but shows itself, stays trusted."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=7 * DAY)
    await hub.cluster.delete(SECRETS, HUB, "argocd-agent-ca")
    await put_authority(hub.cluster, authority("new"))
    await trio.sleep(5.9 * DAY)
    await spoke.renewer().look()
    assert spoke.names == ["certificate-renewed"]
    kept = await spoke.applicant.store.read()
    assert kept.roots == authority().certificate_pem + authority("new").certificate_pem
    assert claims.CERTIFICATE in (await hub.secret()).annotations


async def test_further_roots_stay(autojump_clock: trio.testing.MockClock) -> None:
    """A renewal takes away none that somebody has put there, and a token begins anew with the hub's."""
    hub = await make_hub()
    await hub.add()
    spoke, other = await make_spoke(hub), authority("the proxy's").certificate_pem
    await spoke.put(lifetime=7 * DAY)
    await spoke.applicant.store.trust.write({"ca.crt": b"# two\n" + other + authority().certificate_pem})
    await trio.sleep(5.9 * DAY)
    await spoke.renewer().look()
    kept = await spoke.applicant.store.read()
    assert spoke.names == ["certificate-renewed"]
    assert kept.roots == b"# two\n" + other + authority().certificate_pem
    token = await hub.token(replaces=True)
    pinned = Kept(roots=authority().certificate_pem)
    await spoke.applicant.by_token(ShownToken(token.id, token.secret), pinned)
    assert (await spoke.applicant.store.read()).roots == authority().certificate_pem


def test_roots_that_cannot_be_followed() -> None:
    """What is trusted stays, and is no worse than it was; who trusted nothing trusts what there is."""
    ours, new = authority().certificate_pem, authority("new").certificate_pem
    assert trusting(ours, ours + new) == ours + new
    assert trusting(ours, b"no PEM") == ours
    assert trusting(b"no PEM", ours) == b"no PEM"
    assert trusting(b"", new) == new


@pytest.mark.parametrize("what", ["nothing", "nonsense"])
async def test_nothing_to_renew(what: str, autojump_clock: trio.testing.MockClock) -> None:
    """Others say that there is no certificate; here nothing is asked."""
    hub = await make_hub()
    spoke = await make_spoke(hub)
    if what == "nonsense":
        await spoke.applicant.store.identity.write({"tls.crt": b"x", "tls.key": b"y"})
    with trio.move_on_after(DAY):
        await spoke.renewer().run()
    assert spoke.told == [] and spoke.office.asked == []


async def test_a_fleet_after_a_weekend(autojump_clock: trio.testing.MockClock) -> None:
    """Two hundred agents whose time is up at one moment: all have a certificate soon, and nobody is lost."""
    hub = await make_hub()
    spokes = []
    for n in range(200):
        await hub.add(f"a{n}")
        spokes.append(await make_spoke(hub))
        await spokes[-1].put(lifetime=7 * DAY, name=f"a{n}")
    await trio.sleep(6 * DAY)
    async with trio.open_nursery() as nursery:
        for spoke in spokes:
            nursery.start_soon(spoke.renewer().run)
        await trio.sleep(900.0)
        nursery.cancel_scope.cancel()
    assert all(spoke.names.count("certificate-renewed") == 1 for spoke in spokes)
    assert {name for spoke in spokes for name in spoke.names} <= {
        "certificate-expires",
        "renewal-failed",
        "certificate-renewed",
    }
    assert any("renewal-failed" in spoke.names for spoke in spokes)  # More than can wait in line.


async def test_a_root_that_leaves(autojump_clock: trio.testing.MockClock) -> None:
    """The hub says which root issues: a certificate of another one is renewed within a minute, and once."""
    hub = await make_hub()
    await hub.add()
    spoke = await make_spoke(hub)
    await spoke.put(lifetime=180 * DAY)
    old, new = authority(), authority("another")
    renewer = spoke.renewer()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(renewer.run)
        await trio.sleep(LOOK)
        for nobodys in (bundles.fingerprint(old.certificate), ""):
            renewer.issued_by(nobodys)
            await trio.sleep(2 * HURRY)
            assert spoke.office.asked == []
        await hub.cluster.delete(SECRETS, HUB, "argocd-agent-ca")
        both = old.certificate_pem + new.certificate_pem
        await put_authority(hub.cluster, new, **{"ca.crt": both})
        renewer.issued_by(bundles.fingerprint(new.certificate))
        await trio.sleep(2 * HURRY)
        assert len(spoke.office.asked) == 1
        own = x509.load_der_x509_certificate((await spoke.own()).der)
        assert bundles.issued_by(own, new.certificate)
        assert (await spoke.applicant.store.read()).roots == both
        await trio.sleep(2 * LOOK)
        assert len(spoke.office.asked) == 1
        nursery.cancel_scope.cancel()
    assert spoke.names == ["certificate-renewed"]
