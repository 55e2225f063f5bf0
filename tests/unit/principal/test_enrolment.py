"""Who gets a certificate, and what everybody else is told; in virtual time."""

from __future__ import annotations

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import attrs
import pytest
import trio
import trio.testing
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from trio_argoagent.apiserver.local import Call
from trio_argoagent.errors import Forbidden, NotFound, Unavailable
from trio_argoagent.model.identity import Mode, Peer
from trio_argoagent.model.resources import EVENTS, SECRETS
from trio_argoagent.model.rulings import Decision
from trio_argoagent.net.tls import fingerprint
from trio_argoagent.pki import requests
from trio_argoagent.pki.names import agent_name
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import claims, tokens
from trio_argoagent.principal.blocklist import Blocklist
from trio_argoagent.principal.clusters import HOME, Pin
from trio_argoagent.principal.enrolment import AT_ONCE, IN_LINE, PATIENCE, SAME_TIME
from trio_argoagent.principal.gatekeeper import Gatekeeper
from trio_argoagent.principal.issuing import SECRET
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.stream.admission import Refusal
from trio_argoagent.stream.protocol.enrolment import Answer, Denial, Denied, Issued

from .enrolling import DAY, HUB, all_at_once, authority, der, key, leaf, make_hub, put_authority, reason

PIN = Pin(Mode.MANAGED, "argocd", "uid-1")


async def test_a_first_contact(autojump_clock: trio.testing.MockClock) -> None:
    """Name and purpose are the hub's word, the key is the agent's; it stands on the hub before it leaves."""
    hub = await make_hub()
    await hub.add()
    token = await hub.token()
    answer = await hub.by_token(token)
    assert isinstance(answer, Issued) and answer.roots == authority().certificate_pem
    certificate = x509.load_der_x509_certificate(leaf(answer))
    assert agent_name(certificate) == "east"
    assert certificate.public_key() == key("first").public_key()
    assert certificate.not_valid_after_utc.timestamp() == int(hub.env.now() + 7 * DAY)
    noted = (await hub.secret()).annotations[claims.CERTIFICATE]
    until, holder = tokens.written(hub.env.now() + 7 * DAY), requests.key_hash(key("first").public_key())
    assert noted == f"{fingerprint(leaf(answer))} {until} {holder}"
    (ruling,) = hub.rulings
    assert (ruling.decision, ruling.agent, ruling.address) == (Decision.ENROLLED, "east", "192.0.2.1:1")
    assert fingerprint(leaf(answer)) in ruling.reason


async def test_a_token_is_good_for_one_key(autojump_clock: trio.testing.MockClock) -> None:
    """An answer that was lost can be asked for again, with the same key; anybody else is too late."""
    hub = await make_hub()
    await hub.add()
    token = await hub.token()
    first, again = await hub.by_token(token), await hub.by_token(token)
    assert isinstance(first, Issued) and isinstance(again, Issued)
    denied = await hub.by_token(token, "second")
    assert reason(denied) == "used"
    secret = await hub.secret(tokens.secret_name(token.id))
    assert token.secret not in str(dict(secret.get("data") or {}))
    kept = tokens.read_secret(secret)
    assert kept is not None and kept.used == requests.key_hash(key("first").public_key())


async def test_a_hundred_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """One token, a hundred keys: exactly one wins, and the others hear why they do not."""
    hub = await make_hub()
    await hub.add()
    token = await hub.token()
    asking = [hub.by_token(token, f"k{n}", address=f"192.0.2.{n}:1") for n in range(100)]
    answers = await all_at_once(*asking)
    assert Counter(map(reason, answers)) == {"": 1, "used": 99}


async def test_what_a_guess_gets(autojump_clock: trio.testing.MockClock) -> None:
    """An id that does not exist and a secret that is wrong look the same, to the moment."""
    hub = await make_hub()
    await hub.add()
    token = await hub.token()
    guesses = (attrs.evolve(token, secret="00" * 32), attrs.evolve(token, id="00" * 8))
    seen = []
    for guess in guesses:
        began = trio.current_time()
        answer = await hub.by_token(guess)
        seen.append((answer, trio.current_time() - began))
    assert seen[0] == seen[1] and reason(seen[0][0]) == "token" and seen[0][1] == SAME_TIME
    assert [ruling.reason.partition(":")[0] for ruling in hub.rulings] == ["wrong", "unknown"]
    assert isinstance(await hub.by_token(token), Issued)


async def test_tokens_that_are_not_granted(autojump_clock: trio.testing.MockClock) -> None:
    """Each says why, and what to do."""
    hub = await make_hub()
    await hub.add()
    await hub.add("west")
    token = await hub.token()
    assert reason(await hub.by_token(token, name="west")) == "name"
    assert reason(await hub.by_token(token, certificate=hub.issue("west"))) == "name"
    await trio.sleep(3600.0)
    answer = await hub.by_token(token)
    assert isinstance(answer, Denied) and answer.reason == "expired" and "ctl agent token" in answer.detail
    assert (await hub.cluster.list(EVENTS, HUB)).items == []  # Nobody has proven to be an agent.
    assert reason(await hub.by_token(await hub.token("north"))) == "unknown-agent"
    assert {ruling.decision for ruling in hub.rulings} == {Decision.REFUSED}


async def test_a_name_that_is_taken(autojump_clock: trio.testing.MockClock) -> None:
    """A second agent under a name that has a valid certificate needs an operator's word."""
    hub = await make_hub()
    await hub.add()
    await hub.by_token(await hub.token())
    for _ in range(2):
        assert reason(await hub.by_token(await hub.token(), "second")) == "taken"
    (told,) = (await hub.cluster.list(EVENTS, HUB)).items
    assert told.get("involvedObject")["uid"] == (await hub.secret()).meta.uid
    assert told.get("message").startswith("agent east gets no certificate: the agent has a certificate")
    await trio.sleep(8 * DAY)  # What was issued here has expired.
    assert isinstance(await hub.by_token(await hub.token(), "second"), Issued)
    await hub.add("west", PIN)  # Somebody has come, with a certificate of which nothing is known.
    assert reason(await hub.by_token(await hub.token("west"))) == "taken"
    assert isinstance(await hub.by_token(await hub.token("west", replaces=True)), Issued)


async def test_a_name_that_somebody_claims(autojump_clock: trio.testing.MockClock) -> None:
    """He is told it, and the audit log has it; on the hub it is one Event, without his words."""
    hub = await make_hub()
    await hub.add()
    for claimed in ("west", "north"):
        denied = await hub.ask(certificate=hub.issue(), name=claimed)
        assert isinstance(denied, Denied) and claimed in denied.detail
        assert claimed in hub.rulings[-1].reason
    (told,) = (await hub.cluster.list(EVENTS, HUB)).items
    assert told.get("message").startswith("agent east gets no certificate: it calls itself by another name")
    assert told.get("involvedObject")["uid"] == (await hub.secret()).meta.uid


async def test_a_cluster_secret_that_cannot_be_used(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever has written into it is told on it; of an agent that has none there is nobody to tell."""
    hub = await make_hub()
    assert reason(await hub.ask(certificate=hub.issue())) == "unknown-agent"
    assert (await hub.cluster.list(EVENTS, HUB)).items == []
    await hub.add()
    broken = MergePatch({"metadata": {"annotations": {HOME: "Not A Namespace"}}})
    await hub.cluster.patch(SECRETS, HUB, "cluster-east", broken)
    denied = await hub.ask(certificate=hub.issue())
    assert isinstance(denied, Denied) and denied.reason == "unknown-agent"
    (told,) = (await hub.cluster.list(EVENTS, HUB)).items
    assert told.get("message") == f"agent east gets no certificate: {denied.detail}"
    assert told.get("involvedObject")["name"] == "cluster-east"


async def test_what_was_replaced_is_over(autojump_clock: trio.testing.MockClock) -> None:
    """Who lost the name to a token with --replace gets nothing more by the old certificate, or its key."""
    hub = await make_hub()
    await hub.add()
    old = leaf(await hub.by_token(await hub.token()))
    await trio.sleep(DAY)
    new = leaf(await hub.by_token(await hub.token(replaces=True), "second"))
    assert reason(await hub.ask("third", certificate=old)) == "revoked"
    assert hub.rulings[-1].decision is Decision.REVOKED
    assert reason(await hub.by_last_key(old, "first", "third")) == "revoked"
    assert isinstance(await hub.ask("third", certificate=new), Issued)


async def test_a_token_is_an_operators_word(autojump_clock: trio.testing.MockClock) -> None:
    """Who was the agent before gets nothing more, also where its certificate had expired by itself."""
    hub = await make_hub()
    await hub.add()
    old = leaf(await hub.by_token(await hub.token()))
    await trio.sleep(10 * DAY)
    assert isinstance(await hub.by_token(await hub.token(), "second"), Issued)
    assert reason(await hub.by_last_key(old, "first", "third")) == "revoked"


async def test_who_was_replaced_comes_back_by_no_token(autojump_clock: trio.testing.MockClock) -> None:
    """What was lost can be asked for again, as long as nobody else has the name."""
    hub = await make_hub()
    await hub.add()
    first = await hub.token()
    await hub.by_token(first)
    second = await hub.token(replaces=True)
    assert isinstance(await hub.by_token(second, "second"), Issued)
    assert reason(await hub.by_token(first)) == "used"
    assert isinstance(await hub.by_token(second, "second"), Issued)


class Notes:
    """An API server that is slow, or fails, when something is noted on a cluster secret."""

    def __init__(self) -> None:
        self.fails = False
        self.held: trio.Event | None = None
        self.released = trio.Event()

    async def before(self, call: Call) -> None:
        """See ``Gate``. The first note is held, where that is wanted."""
        if call.verb == "patch" and call.name == "cluster-east":
            if self.fails:
                raise Unavailable("etcd")
            if self.held is not None and not self.held.is_set():
                self.held.set()
                await self.released.wait()

    async def after(self, call: Call) -> None:
        """See ``Gate``."""


async def test_a_token_that_replaces_outlives_a_bad_moment(autojump_clock: trio.testing.MockClock) -> None:
    """Used, but nothing came of it: whoever has used it comes again with the same key."""
    notes = Notes()
    hub = await make_hub(access=notes)
    await hub.add()
    old = leaf(await hub.by_token(await hub.token()))
    await trio.sleep(DAY)
    token = await hub.token(replaces=True)
    notes.fails = True
    assert reason(await hub.by_token(token, "second")) == "busy"
    notes.fails = False
    assert reason(await hub.by_token(token, "third")) == "used"
    assert isinstance(await hub.by_token(token, "second"), Issued)
    assert reason(await hub.ask("third", certificate=old)) == "revoked"


async def test_a_renewal_that_a_token_overtakes(autojump_clock: trio.testing.MockClock) -> None:
    """Who is replaced while his request is worked on gets nothing by it."""
    notes = Notes()
    hub = await make_hub(access=notes)
    await hub.add()
    old = leaf(await hub.by_token(await hub.token()))
    await trio.sleep(DAY)
    notes.held = trio.Event()
    answers: list[Answer] = []
    async with trio.open_nursery() as nursery:

        async def renew() -> None:
            answers.append(await hub.ask("mine", certificate=old))

        nursery.start_soon(renew)
        await notes.held.wait()
        await trio.sleep(2.0)
        assert isinstance(await hub.by_token(await hub.token(replaces=True), "second"), Issued)
        notes.released.set()
    assert list(map(reason, answers)) == ["revoked"]


async def test_a_renewal_while_its_certificate_is_blocked(autojump_clock: trio.testing.MockClock) -> None:
    """What is blocked while a request is worked on leads to nothing any more."""
    notes, blocked = Notes(), list[str]()
    hub = await make_hub(
        access=notes, gate=lambda peer: Refusal(403, "no") if peer.fingerprint in blocked else None
    )
    await hub.add()
    own, notes.held = hub.issue(), trio.Event()
    answers: list[Answer] = []
    async with trio.open_nursery() as nursery:

        async def renew() -> None:
            answers.append(await hub.ask("second", certificate=own))

        nursery.start_soon(renew)
        await notes.held.wait()
        blocked.append(fingerprint(own))
        notes.released.set()
    assert list(map(reason, answers)) == ["revoked"]


async def test_a_slow_hub(autojump_clock: trio.testing.MockClock) -> None:
    """However long it takes to note a certificate, it is not from before itself."""
    hub = await make_hub(tick=1.5)
    await hub.add()
    own = leaf(await hub.by_token(await hub.token()))
    assert isinstance(await hub.ask("second", certificate=own), Issued)


async def test_two_tokens_of_one_name_at_once(autojump_clock: trio.testing.MockClock) -> None:
    """Each is good, but the name is given once."""
    hub = await make_hub()
    await hub.add()
    both = [await hub.token(), await hub.token()]
    answers = await all_at_once(hub.by_token(both[0]), hub.by_token(both[1], "second"))
    assert Counter(map(reason, answers)) == {"": 1, "taken": 1}


async def test_renewal(autojump_clock: trio.testing.MockClock) -> None:
    """Who one is says the connection alone; a certificate that was made by hand is renewed, too."""
    hub = await make_hub()
    await hub.add()
    by_hand = hub.issue()
    answer = await hub.ask("second", certificate=by_hand, name="east")
    assert agent_name(leaf(answer)) == "east"
    assert hub.rulings[-1].decision is Decision.RENEWED
    assert hub.rulings[-1].fingerprint == fingerprint(by_hand)
    assert reason(await hub.ask("second", certificate=by_hand, name="west")) == "name"
    assert reason(await hub.ask("second", certificate=hub.issue("west"))) == "unknown-agent"
    assert reason(await hub.ask("second")) == "nobody"
    server = authority().issue_server(
        key("first").public_key(), name="No Agent", hosts=["h"], serial=9, now=hub.env.now(), lifetime=DAY
    )
    assert reason(await hub.ask("second", certificate=der(server))) == "nobody"


async def test_the_way_back(autojump_clock: trio.testing.MockClock) -> None:
    """The last key is good for a month after its certificate expired; each time is counted."""
    hub = await make_hub()
    await hub.add()
    last = leaf(await hub.by_token(await hub.token()))
    await trio.sleep(36 * DAY)
    second = leaf(await hub.by_last_key(last, "first", "second"))
    assert agent_name(second) == "east"
    assert (await hub.secret()).annotations[claims.REJOINED].startswith("1 ")
    assert hub.rulings[-1].decision is Decision.REJOINED
    # The same message again is of no use to whoever says it: the certificate is for the same key.
    again = x509.load_der_x509_certificate(leaf(await hub.by_last_key(last, "first", "second")))
    assert again.public_key() == key("second").public_key()
    assert (await hub.secret()).annotations[claims.REJOINED].startswith("2 ")
    assert reason(await hub.by_last_key(last, "another", "second")) == "proof"
    await trio.sleep(2 * DAY)
    late = await hub.by_last_key(last, "first", "third")
    assert isinstance(late, Denied) and late.reason == "late"
    assert "ctl agent token east --replace" in late.detail
    await hub.cluster.delete(SECRETS, HUB, "cluster-east")
    assert reason(await hub.by_last_key(second, "second", "third")) == "unknown-agent"


async def test_the_window_is_the_operators(autojump_clock: trio.testing.MockClock) -> None:
    """Nobody comes back by a last key where that is not wanted; nor does self-registration help."""
    hub = await make_hub(Rules(window=0.0, registers=True))
    await hub.add()
    last = hub.issue(lifetime=DAY)
    await trio.sleep(DAY + 60)
    assert reason(await hub.by_last_key(last, "first", "second")) == "late"
    hub = await make_hub(Rules(registers=True))
    assert reason(await hub.by_last_key(hub.issue(), "first", "second")) == "unknown-agent"
    assert isinstance(await hub.ask("second", certificate=hub.issue()), Issued)
    assert isinstance(await hub.by_token(await hub.token()), Issued)


@pytest.mark.parametrize("way", ["token", "connection", "last key"])
async def test_the_gate_is_asked_every_time(way: str, autojump_clock: trio.testing.MockClock) -> None:
    """Who is blocked or banned gets no certificate, whichever way he comes."""
    asked: list[Peer] = []

    def gate(peer: Peer) -> Refusal:
        asked.append(peer)
        return Refusal(403, "this certificate was revoked", 60.0)

    hub = await make_hub(gate=gate)
    await hub.add()
    certificate, token = hub.issue(), await hub.token()
    if way == "token":
        answer = await hub.by_token(token)
    elif way == "connection":
        answer = await hub.ask(certificate=certificate)
    else:
        answer = await hub.by_last_key(certificate, "first", "second")
    assert isinstance(answer, Denied) and answer.reason == "revoked" and answer.retry_after == 60.0
    (peer,) = asked
    proven = "" if way == "token" else fingerprint(certificate)
    assert (peer.name, peer.fingerprint, peer.address) == ("east", proven, "192.0.2.1:1")
    assert peer.issued == pytest.approx(hub.env.now(), abs=1.0)
    assert hub.rulings == []  # The gate tells the auditor itself.
    kept = tokens.read_secret(await hub.secret(tokens.secret_name(token.id)))
    assert kept is not None and not kept.used


async def test_who_is_banned_may_come_again(autojump_clock: trio.testing.MockClock) -> None:
    """He is told when, as everybody is who has to wait; nothing of his is revoked."""
    hub = await make_hub(gate=lambda peer: Refusal(429, "too often", 40.0))
    await hub.add()
    assert await hub.ask(certificate=hub.issue()) == Denied(Denial.BUSY, "too often", 40.0)


async def test_two_certificates_of_one_second(autojump_clock: trio.testing.MockClock) -> None:
    """A moment is a whole second: what was replaced is over, and whatever follows from its heir goes on."""
    hub = await make_hub()
    await hub.add()
    await trio.sleep(DAY)
    old = leaf(await hub.by_token(await hub.token()))
    heir = leaf(await hub.by_token(await hub.token(replaces=True), "second"))
    assert reason(await hub.ask("third", certificate=old)) == "revoked"
    child = leaf(await hub.ask("third", certificate=heir))
    for each in (heir, child):
        assert isinstance(await hub.ask("fourth", certificate=each), Issued)


async def test_a_cas_own_certificate(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever has the CA's certificate is not the agent that it names."""
    hub = await make_hub(identify=lambda shown: Peer("east", "F", shown.address))
    await hub.add()
    root = authority().certificate.public_bytes(Encoding.DER)
    assert reason(await hub.ask(certificate=root)) == "nobody"


@pytest.mark.parametrize("way", ["token", "connection", "last key"])
async def test_an_agent_that_is_blocked(way: str, autojump_clock: trio.testing.MockClock) -> None:
    """What was made until then is good for nothing, whichever way it is shown; what is made afterwards is."""
    keeper = Gatekeeper()
    hub = await make_hub(gate=keeper)
    await hub.add()

    async def attempt(*, since: float) -> Answer:
        certificate, token = hub.issue(lifetime=since + 60.0), await hub.token(replaces=True)
        await trio.sleep(since)
        if way == "token":
            return await hub.by_token(token)
        if way == "connection":
            return await hub.ask("second", certificate=certificate)
        await trio.sleep(120.0)
        return await hub.by_last_key(certificate, "first", "second")

    keeper.blocked = Blocklist(agents={"east": hub.env.now() + 10.0})
    assert reason(await attempt(since=20.0)) == "revoked"
    assert isinstance(await attempt(since=20.0), Issued)
    keeper.blocked = Blocklist(agents={"east": math.inf})
    assert reason(await attempt(since=20.0)) == "revoked"


async def test_certificates_of_another_authoritys_tool(autojump_clock: trio.testing.MockClock) -> None:
    """They are not dated back, or do not say so: what was made just before the moment counts no more."""
    keeper = Gatekeeper()
    hub = await make_hub(gate=keeper)
    await hub.add()
    await trio.sleep(DAY)
    now = datetime.fromtimestamp(int(hub.env.now()), UTC)
    east, until = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "east")]), now + timedelta(days=1)
    issuer, public = authority().certificate.subject, key("first").public_key()
    own = x509.CertificateBuilder(issuer, east, public, 7, now, until)
    theirs = own.sign(authority().key, hashes.SHA256()).public_bytes(Encoding.DER)
    assert isinstance(await hub.ask("second", certificate=theirs), Issued)
    keeper.blocked = Blocklist(agents={"east": hub.env.now() + 10.0})
    assert reason(await hub.ask("second", certificate=theirs)) == "revoked"
    await trio.sleep(11.0)
    assert isinstance(await hub.ask("second", certificate=hub.issue()), Issued)  # Ours of this very moment.


async def test_bad_requests(autojump_clock: trio.testing.MockClock) -> None:
    """A request that is none, and a key that is not taken; a token that came with it is still good."""
    hub = await make_hub()
    await hub.add()
    token = await hub.token()
    weak = x509.CertificateSigningRequestBuilder(x509.Name([]))
    signed = weak.sign(rsa.generate_private_key(65_537, 1024), hashes.SHA256())
    bad = {"request": b"none", "weak-key": signed.public_bytes(Encoding.DER)}
    for why, request in bad.items():
        assert reason(await hub.by_token(token, request=request)) == why
    assert isinstance(await hub.by_token(token), Issued)


class Closed:
    """An API server that says no to some of it."""

    def __init__(self, name: str, error: Exception) -> None:
        self.name, self.error = name, error

    async def before(self, call: Call) -> None:
        """See ``Gate``."""
        if call.name == self.name:
            raise self.error

    async def after(self, call: Call) -> None:
        """See ``Gate``."""


async def test_a_principal_that_issues_nothing(autojump_clock: trio.testing.MockClock) -> None:
    """By its option, for lack of the right, without a Secret, without a key: one answer, and once a day."""
    hubs = [
        await make_hub(Rules(issues=False)),
        await make_hub(access=Closed(SECRET, Forbidden("secrets is forbidden"))),
        await make_hub(),
        await make_hub(),
    ]
    await hubs[2].cluster.delete(SECRETS, HUB, SECRET)
    await hubs[3].cluster.patch(SECRETS, HUB, SECRET, MergePatch({"data": {"tls.key": None}}))
    for hub in hubs:
        await hub.add()
        answer = await hub.ask(certificate=hub.issue())
        assert answer == Denied(answer.reason, claims.NOT_ISSUING, DAY)  # type: ignore[union-attr]
        assert reason(answer) == "not-issuing"
        assert hub.rulings[-1].reason != claims.NOT_ISSUING
    assert [await hub.desk.roots() for hub in hubs] == [b"", b"", b"", authority().certificate_pem]


async def test_a_hub_that_does_not_answer(autojump_clock: trio.testing.MockClock) -> None:
    """Come again soon; nothing was used up."""

    class Silent(Closed):
        async def before(self, call: Call) -> None:
            if call.name == self.name:
                await trio.sleep_forever()

    for access in (Closed(SECRET, Unavailable("etcd")), Silent(SECRET, Unavailable(""))):
        hub = await make_hub(access=access)
        await hub.add()
        token = await hub.token()
        began = trio.current_time()
        assert reason(await hub.by_token(token)) == "busy"
        assert trio.current_time() <= began + PATIENCE
        kept = tokens.read_secret(await hub.secret(tokens.secret_name(token.id)))
        assert kept is not None and not kept.used


async def test_what_the_port_would_not_take(autojump_clock: trio.testing.MockClock) -> None:
    """A certificate that --auth does not take is not issued: it would lock the agent out."""
    hub = await make_hub(identify=lambda shown: Refusal(403, "no URI of ours"))
    await hub.add()
    assert reason(await hub.by_token(await hub.token())) == "not-issuing"
    assert "--auth does not take" in hub.rulings[-1].reason


async def test_too_many_from_one_address(autojump_clock: trio.testing.MockClock) -> None:
    """Guessing has a price, good requests have none; other addresses do not pay."""
    hub = await make_hub()
    for n in range(40):
        await hub.add(f"a{n}")
        assert isinstance(await hub.by_token(await hub.token(f"a{n}")), Issued)
    bogus = attrs.evolve(await hub.token("a0"), secret="00" * 32)
    answers = await all_at_once(*(hub.by_token(bogus) for _ in range(30)))
    assert Counter(map(reason, answers)) == {"token": 20, "busy": 10}
    await hub.add()
    good = await hub.token()
    denied = await hub.by_token(good)
    assert isinstance(denied, Denied) and 0 < denied.retry_after <= 3.0
    assert isinstance(await hub.by_token(good, address="192.0.2.2:1"), Issued)


async def test_too_many_for_one_name(autojump_clock: trio.testing.MockClock) -> None:
    """An agent gone mad is told when it may ask again; the others are not concerned."""
    hub = await make_hub()
    await hub.add()
    await hub.add("west")
    certificate = hub.issue()
    answers = [await hub.ask(certificate=certificate) for _ in range(8)]
    assert Counter(map(reason, answers)) == {"": 6, "busy": 2}
    assert hub.desk.denials == {"busy": 2}
    assert isinstance(await hub.ask(certificate=hub.issue("west")), Issued)
    denied = answers[-1]
    assert isinstance(denied, Denied)
    await trio.sleep(denied.retry_after)
    assert isinstance(await hub.ask(certificate=certificate), Issued)


@pytest.mark.parametrize("end", ["blocked", "replaced"])
async def test_who_is_out_keeps_nobody_else_out(end: str, autojump_clock: trio.testing.MockClock) -> None:
    """However often he asks: what is refused to one certificate counts for no other of that name."""
    blocked: list[str] = []
    hub = await make_hub(gate=lambda peer: Refusal(403, "no") if peer.fingerprint in blocked else None)
    await hub.add()
    old = leaf(await hub.by_token(await hub.token()))
    await trio.sleep(DAY)
    if end == "blocked":
        blocked.append(fingerprint(old))
    else:
        await hub.by_token(await hub.token(replaces=True), "second")
    answers = [await hub.ask("third", certificate=old) for _ in range(20)]
    assert Counter(map(reason, answers)).keys() <= {"revoked", "busy"}
    new = leaf(await hub.by_token(await hub.token(replaces=True), "fourth"))
    assert isinstance(await hub.ask("fifth", certificate=new), Issued)


async def test_who_renews_without_end(autojump_clock: trio.testing.MockClock) -> None:
    """Each certificate leads to the next one, and none of them counts for itself alone."""
    hub = await make_hub()
    await hub.add()
    own, answers = hub.issue(), list[Answer]()
    for _ in range(10):
        answers.append(await hub.ask(certificate=own))
        own = leaf(answers[-1]) if isinstance(answers[-1], Issued) else own
    assert Counter(map(reason, answers)) == {"": 6, "busy": 4}
    assert isinstance(await hub.by_token(await hub.token(replaces=True), "second"), Issued)


async def test_a_token_is_no_licence_to_ask_without_end(autojump_clock: trio.testing.MockClock) -> None:
    """What it led to is had again a few times."""
    hub = await make_hub()
    await hub.add()
    token = await hub.token()
    answers = [await hub.by_token(token) for _ in range(10)]
    assert Counter(map(reason, answers)) == {"": 6, "busy": 4}


async def test_strangers_take_nobodys_turn(autojump_clock: trio.testing.MockClock) -> None:
    """However many guess tokens at a slow API server, from wherever: who renews is served at once."""

    class Slow:
        async def before(self, call: Call) -> None:
            if call.name.startswith(tokens.secret_name("")):
                await trio.sleep(5.0)

        async def after(self, call: Call) -> None:
            pass

    hub = await make_hub(access=Slow())
    await hub.add()
    bogus = attrs.evolve(await hub.token(), secret="00" * 32)
    answers: list[Answer] = []

    async def guess(number: int) -> None:
        answers.append(await hub.by_token(bogus, address=f"192.0.2.{number}:1"))

    async with trio.open_nursery() as nursery:
        for number in range(AT_ONCE + IN_LINE + 5):
            nursery.start_soon(guess, number)
        await trio.sleep(0.1)
        assert Counter(map(reason, answers)) == {"busy": 5}
        began = trio.current_time()
        assert isinstance(await hub.ask(certificate=hub.issue()), Issued)
        assert trio.current_time() == began
        nursery.cancel_scope.cancel()


async def test_a_certificate_is_no_licence_to_guess(autojump_clock: trio.testing.MockClock) -> None:
    """Tokens are guessed at the same price by whoever has a certificate; bad requests count, too."""
    hub = await make_hub()
    await hub.add()
    bogus, certificate = attrs.evolve(await hub.token(), secret="00" * 32), hub.issue()
    answers = await all_at_once(*(hub.by_token(bogus, certificate=certificate) for _ in range(30)))
    assert Counter(map(reason, answers)) == {"token": 20, "busy": 10}
    answers = [await hub.ask(certificate=certificate, request=b"none") for _ in range(8)]
    assert Counter(map(reason, answers)) == {"request": 6, "busy": 2}


async def test_a_rotation_of_the_authority(autojump_clock: trio.testing.MockClock) -> None:
    """The newest one signs, all of the bundle are to be trusted, last keys of the old one are good."""
    hub = await make_hub()
    await hub.add()
    last = hub.issue(lifetime=DAY)
    await trio.sleep(2 * DAY)
    await hub.cluster.delete(SECRETS, HUB, SECRET)
    new, both = authority("new"), authority("new").certificate_pem + authority().certificate_pem
    await put_authority(hub.cluster, new, **{"ca.crt": both})
    answer = await hub.by_last_key(last, "first", "second")
    assert isinstance(answer, Issued) and answer.roots == both
    x509.load_der_x509_certificate(leaf(answer)).verify_directly_issued_by(new.certificate)


async def test_old_tokens_go(autojump_clock: trio.testing.MockClock) -> None:
    """Used or not, a day after their expiry; what somebody else has labelled stays."""
    hub = await make_hub()
    token, later = await hub.token(), await hub.token(ttl=3 * DAY)
    head = {"name": "other", "namespace": HUB, "labels": {tokens.LABEL: "east"}}
    await hub.cluster.create(SECRETS, {"apiVersion": "v1", "kind": "Secret", "metadata": head})
    async with trio.open_nursery() as nursery:
        nursery.start_soon(hub.desk.run)
        await trio.sleep(DAY + 3600.0 - 600.0)
        await hub.secret(tokens.secret_name(token.id))
        await trio.sleep(1300.0)
        with pytest.raises(NotFound):
            await hub.secret(tokens.secret_name(token.id))
        nursery.cancel_scope.cancel()
    await hub.secret(tokens.secret_name(later.id))
    await hub.secret("other")
