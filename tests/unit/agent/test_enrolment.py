"""From a token to a certificate, in virtual time."""

from __future__ import annotations

import attrs
import pytest
import trio
import trio.testing
from cryptography.hazmat.primitives import hashes

from trio_argoagent.agent.applying import read_certificate
from trio_argoagent.agent.enrolment import Step, WrongPin, first_step, pinned, use_token
from trio_argoagent.agent.keeping import Kept
from trio_argoagent.errors import Unreachable, UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki.tokens import Token

from ..principal.enrolling import DAY, Hub, authority, make_hub
from .enrolling import SPOKE, Spoke, make_spoke

PIN = authority().certificate.fingerprint(hashes.SHA256()).hex()


async def make(name: str = "east") -> tuple[Hub, Spoke, Token]:
    """A hub, a spoke, and a token for it."""
    hub = await make_hub()
    await hub.add(name)
    return hub, await make_spoke(hub), attrs.evolve(await hub.token(name), pin=PIN)


async def start(spoke: Spoke, token: Token) -> None:
    """What an agent does when it starts with a token."""
    await use_token(token, spoke.applicant, spoke.office, spoke.office.hub.env, spoke.told.append)


async def test_first_contact(autojump_clock: trio.testing.MockClock) -> None:
    """Afterwards all that a link needs is in the usual Secrets; the token is ignored from then on."""
    _, spoke, token = await make()
    await start(spoke, token)
    kept = await spoke.applicant.store.read()
    assert kept.is_whole and kept.roots == authority().certificate_pem
    assert (await spoke.own()).name == "east" and spoke.office.tried == [kept]
    identity = await spoke.cluster.get(SECRETS, SPOKE, "argocd-agent-client-tls")
    assert identity.get("type") == "kubernetes.io/tls"
    assert spoke.names == ["enrolled"]
    await start(spoke, token)
    assert spoke.names == ["enrolled", "token-ignored"] and len(spoke.office.asked) == 1
    assert all(token.secret not in event.text for event in spoke.told)


async def test_a_hub_that_is_not_there_yet(autojump_clock: trio.testing.MockClock) -> None:
    """It is tried again until it is; an answer that was lost does not use the token up."""
    _, spoke, token = await make()
    failures = iter(range(3))

    async def before() -> None:
        await trio.lowlevel.checkpoint()
        if next(failures, None) is not None:
            raise Unreachable("connection refused")

    spoke.office.before = before
    spoke.office.lost = 1
    await start(spoke, token)
    assert spoke.names == ["enrolment-failed"] * 4 + ["enrolled"]
    assert len({message.token for message in spoke.office.asked}) == 1


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("used", "the token has been used already"),
        ("expired", "the token has expired"),
        ("secret", "the hub has no such token"),
        ("id", "the hub has no such token"),
        ("pin", "does not have the root that the token names"),
        ("agent", "no cluster secret labelled east"),
    ],
)
async def test_tokens_that_are_no_good(
    what: str, said: str, autojump_clock: trio.testing.MockClock
) -> None:
    """One line that says why; nothing is kept, and whoever is not the hub does not see the secret."""
    hub, spoke, token = await make()
    if what == "used":
        await hub.by_token(token)
    elif what == "expired":
        await trio.sleep(3601.0)
    elif what == "agent":
        await hub.cluster.delete(SECRETS, "argocd", "cluster-east")
    else:
        token = attrs.evolve(token, **{what: "00" * (8 if what == "id" else 32)})
    with pytest.raises(UserError, match=r"^--bootstrap-token: ") as caught:
        await start(spoke, token)
    assert said in str(caught.value) and token.secret not in str(caught.value)
    assert await spoke.applicant.store.read() == Kept()
    assert len(spoke.office.asked) == (0 if what == "pin" else 1)


async def test_somebody_with_the_right_root_and_another_certificate(
    autojump_clock: trio.testing.MockClock,
) -> None:
    """Roots are public: whoever says the right one has to have a certificate of it, too."""
    _, spoke, token = await make()
    theirs = authority("theirs").certificate.fingerprint(hashes.SHA256()).hex()
    spoke.office.offered = authority("theirs").certificate_pem
    with pytest.raises(UserError, match=r"nothing but the root that it names: .*no CA that we trust"):
        await start(spoke, attrs.evolve(token, pin=theirs))
    assert spoke.office.asked == []


async def test_back_after_months(autojump_clock: trio.testing.MockClock) -> None:
    """A new token works where the last key is of no use any more; the name that it had is compared."""
    hub, spoke, _ = await make()
    await spoke.put(lifetime=7 * DAY)
    await trio.sleep(120 * DAY)
    await hub.add("west")
    other = attrs.evolve(await hub.token("west"), pin=PIN)
    await start(spoke, other)  # A line, and the agent goes on: the last key may do.
    assert spoke.names == ["token-ignored"] and "another agent's" in spoke.told[0].text
    token = attrs.evolve(await hub.token(replaces=True), pin=PIN)
    await start(spoke, token)
    assert spoke.names[1:] == ["enrolled"]
    assert (await spoke.own()).validity.ends > hub.env.now()
    await trio.sleep(20 * DAY)
    await start(spoke, token)  # It stands in the pod's settings still, and has done its work.
    assert spoke.names[2:] == ["token-ignored"]
    await spoke.renewer().look()
    assert spoke.names[-1] == "certificate-renewed"


def test_the_first_step(autojump_clock: trio.testing.MockClock) -> None:
    """By what there is."""
    pem = authority().issue_client(authority().key.public_key(), agent="e", serial=1, now=0.0, lifetime=DAY)
    own, whole = read_certificate(pem), Kept(pem, b"k", b"r")
    assert first_step(Kept(), None, 0.0) is Step.USE
    assert first_step(Kept(b"nonsense", b"k", b"r"), read_certificate(b"nonsense"), 0.0) is Step.USE
    for part in ("key", "roots"):
        assert first_step(attrs.evolve(whole, **{part: b""}), own, 0.0) is Step.USE
    assert first_step(whole, own, DAY - 1) is Step.IGNORE
    assert first_step(whole, own, DAY) is Step.TRY


def test_the_pin() -> None:
    """One of several, whatever stands round it; anything else is nobody's."""
    pem = authority().certificate_pem
    bundle = b"# roots\n" + authority("x").certificate_pem + b"text" + pem
    assert pinned(bundle, PIN).split() == pem.split()
    broken = b"-----BEGIN CERTIFICATE-----\n\xff\n-----END CERTIFICATE-----\n"
    for offered in (b"", b"nonsense", broken, authority("x").certificate_pem, broken * 1000 + pem):
        with pytest.raises(WrongPin, match="does not have the root"):
            pinned(offered, PIN)
