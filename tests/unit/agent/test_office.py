"""The whole way to a certificate over TLS, on the loopback interface, with real sockets."""

from __future__ import annotations

import socket
from pathlib import Path

import attrs
import pytest
import trio

from trio_argoagent.agent.applying import Applicant, Certificate, NotIssued, read_certificate
from trio_argoagent.agent.enrolment import use_token
from trio_argoagent.agent.keeping import CERTIFICATE, KEY, ROOTS, CannotKeep, FileDrawer, Kept, Store
from trio_argoagent.agent.office import Expired, TlsOffice
from trio_argoagent.errors import LinkRefused, Unreachable, UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.model.rulings import Decision
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.pki.tokens import Token
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.runtime.events import Event
from trio_argoagent.stream.protocol.enrolment import Denial, Denied, Enrol, Issued

from ..principal.enrolling import put_authority
from .issuing import ENV, LOOPBACK, Issuer, make_authority, open_issuer

TIMEOUT = 60.0


def make_store(folder: Path) -> Store:
    """One in files."""
    names = {KEY: str(folder / "client.key"), CERTIFICATE: str(folder / "client.crt")}
    return Store(FileDrawer(names), FileDrawer({ROOTS: str(folder / "ca.crt")}))


def modes(folder: Path) -> dict[str, int]:
    """The files there, and who may do what with them."""
    return {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()}


async def start(issuer: Issuer, token: Token, store: Store) -> Applicant:
    """What an agent does when it starts with a token."""
    told: list[Event] = []
    applicant = Applicant(issuer.office(), store)
    with trio.fail_after(TIMEOUT):
        await use_token(token, applicant, issuer.office(), ENV, told.append)
    assert [event.name for event in told] == ["enrolled"]
    return applicant


@pytest.mark.parametrize("http1", [False, True])
async def test_token_renewal_and_last_key(tmp_path: Path, http1: bool) -> None:
    """Each certificate is for another key, and TLS takes it; files are for nobody but the agent."""
    store = make_store(tmp_path)
    async with open_issuer(http1=http1) as issuer:
        applicant = await start(issuer, await issuer.token(), store)
        seen = [await store.read()]
        for apply in (applicant.by_certificate, applicant.by_last_key, applicant.by_certificate):
            own = read_certificate(seen[-1].certificate)
            assert own is not None
            with trio.fail_after(TIMEOUT):
                assert (await apply(seen[-1], own)).name == "east"
            seen.append(await store.read())
    assert len({kept.key for kept in seen}) == 4
    assert {kept.roots for kept in seen} == {issuer.authority.certificate_pem}
    decisions = [ruling.decision for ruling in issuer.rulings]
    assert decisions == [Decision.ENROLLED, Decision.RENEWED, Decision.REJOINED, Decision.RENEWED]
    assert all(ruling.agent == "east" for ruling in issuer.rulings)
    assert modes(tmp_path) == {"ca.crt": 0o600, "client.crt": 0o600, "client.key": 0o600}


async def test_the_server_is_not_of_the_pinned_root(tmp_path: Path) -> None:
    """Whoever hands out the right root, and has no certificate of it, never sees the token."""
    store = make_store(tmp_path)
    async with open_issuer(port_authority=make_authority("theirs")) as issuer:
        with pytest.raises(UserError, match="trusting nothing but the root that it names"):
            await start(issuer, await issuer.token(), store)
    assert issuer.rulings == [] and await store.read() == Kept()


async def test_another_hubs_token(tmp_path: Path) -> None:
    """The root that it names is not there."""
    async with open_issuer() as issuer:
        token = attrs.evolve(await issuer.token(), pin="00" * 32)
        with pytest.raises(UserError, match="does not have the root that the token names"):
            await start(issuer, token, make_store(tmp_path))
    assert issuer.rulings == []


async def test_a_certificate_that_has_expired(tmp_path: Path) -> None:
    """TLS refuses it, and this is told apart from everything else: the last key is the way."""
    async with open_issuer() as issuer:
        key = keys.new_key()
        pem = issuer.authority.issue_client(
            key.public_key(), agent="east", serial=7, now=ENV.now() - 7200.0, lifetime=3600.0
        )
        kept = Kept(pem, keys.key_pem(key), issuer.authority.certificate_pem)
        own = read_certificate(pem)
        assert own is not None
        applicant = Applicant(issuer.office(), make_store(tmp_path))
        with trio.fail_after(TIMEOUT):
            with pytest.raises(Expired, match="expired"):
                await applicant.by_certificate(kept, own)
            assert (await applicant.by_last_key(kept, own)).validity.ends > ENV.now()
    assert [ruling.decision for ruling in issuer.rulings] == [Decision.REJOINED]


async def test_a_certificate_of_another_ca() -> None:
    """A certificate that does not verify fails the handshake, though none would be let through."""
    async with open_issuer() as issuer:
        key, theirs = keys.new_key(), make_authority("theirs")
        pem = theirs.issue_client(key.public_key(), agent="east", serial=7, now=ENV.now(), lifetime=3600.0)
        kept = Kept(pem, keys.key_pem(key), issuer.authority.certificate_pem)
        with trio.fail_after(TIMEOUT), pytest.raises(LinkRefused) as caught:
            await issuer.office().ask(Enrol(b"x"), kept, anonymous=False)
    assert not isinstance(caught.value, Expired) and issuer.rulings == []


@pytest.mark.parametrize("routes", [True, False], ids=["off", "old"])
async def test_a_principal_that_issues_nothing(routes: bool, tmp_path: Path) -> None:
    """By its option, or because it is older than all this: one answer for both."""
    async with open_issuer(rules=Rules(issues=False), routes=routes) as issuer:
        kept = Kept(roots=issuer.authority.certificate_pem)
        with trio.fail_after(TIMEOUT):
            answer = await issuer.office().ask(Enrol(b"x"), kept, anonymous=True)
            assert isinstance(answer, Denied) and answer.reason is Denial.NOT_ISSUING
            assert answer.retry_after == 86_400.0
            with pytest.raises(LinkRefused, match="does not know how to issue certificates"):
                await issuer.office().roots()


async def test_nobody_is_there() -> None:
    """As for a link."""
    with socket.socket() as taken:
        taken.bind((LOOPBACK, 0))
        office = TlsOffice(LOOPBACK, taken.getsockname()[1], ENV.now)
        with trio.fail_after(TIMEOUT), pytest.raises(Unreachable, match="connection refused"):
            await office.roots()


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """What was there is still there."""
    folder = tmp_path / "missing"
    drawer = FileDrawer({KEY: str(folder / "k")})
    assert await drawer.read() == {}
    with pytest.raises(CannotKeep, match=r"cannot write .*missing/k: No such file"):
        await drawer.write({KEY: b"x"})
    (tmp_path / "k").mkdir()
    with pytest.raises(CannotKeep, match="cannot read"):
        await FileDrawer({KEY: str(tmp_path / "k")}).read()


async def test_what_does_not_work_is_not_kept(tmp_path: Path) -> None:
    """A certificate that the port does not take is tried before, and thrown away."""
    store = make_store(tmp_path)
    async with open_issuer() as issuer:
        applicant = await start(issuer, await issuer.token(), store)
        before = await store.read()
        own = read_certificate(before.certificate)
        assert own is not None
        await issuer.cluster.delete(SECRETS, "argocd", "argocd-agent-ca")
        await put_authority(issuer.cluster, make_authority("new"))
        with trio.fail_after(TIMEOUT), pytest.raises(LinkRefused):
            await applicant.by_certificate(before, own)
        assert await store.read() == before


async def test_an_answer_for_another_key(tmp_path: Path) -> None:
    """What is no certificate for our key is refused, whoever has sent it."""

    class Confused(TlsOffice):
        async def ask(self, message: Enrol, kept: Kept, *, anonymous: bool) -> Issued:
            await trio.lowlevel.checkpoint()
            theirs = make_authority()
            pem = theirs.issue_client(
                keys.new_key().public_key(), agent="east", serial=1, now=ENV.now(), lifetime=60.0
            )
            return Issued(pem, theirs.certificate_pem)

    applicant = Applicant(Confused(LOOPBACK, 1, ENV.now), make_store(tmp_path))
    with pytest.raises(NotIssued, match="no certificate for our key and name"):
        await applicant.by_certificate(Kept(), own_of(make_authority()))


def own_of(authority: Authority) -> Certificate:
    """A certificate of east's."""
    pem = authority.issue_client(
        keys.new_key().public_key(), agent="east", serial=1, now=ENV.now(), lifetime=60.0
    )
    own = read_certificate(pem)
    assert own is not None
    return own
