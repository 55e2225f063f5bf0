"""An agent follows the hub's authorities, and says what it trusts; all over the Secret of its CA bundle."""

from __future__ import annotations

import base64
import random
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import attrs
import trio
import trio.testing
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.agent.trust import RETRY, Trust
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli.secretdata import opaque
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.pki.authority import Authority
from trio_argoagent.runtime.material import LOOK, open_material
from trio_argoagent.runtime.tlssources import Fixed, Secret
from trio_argoagent.runtime.tlsvalues import Part
from trio_argoagent.stream.protocol.messages import Authorities, Trusted
from trio_argoagent.testing.faults import Faults, FaultyCluster, Limbo
from trio_argoagent.testing.scheduling import make_env

from ..pki.certificates import START, authority, client

NAME, SPACE = "argocd-agent-ca", "argocd"
OLD, NEW, OTHER = authority(), authority(), authority("another")


def sha(root: object) -> bytes:
    """Of a root's certificate, as it travels."""
    from trio_argoagent.pki.bundles import fingerprint

    return bytes.fromhex(fingerprint(root.certificate))  # type: ignore[attr-defined]


@attrs.define
class Scene:
    """An agent's trust at work, the Secret it comes from, and what it has told of."""

    trust: Trust
    cluster: FaultyCluster
    log: list[str]
    woken: int = 0

    async def roots(self) -> bytes:
        """What the Secret holds."""
        found = await self.cluster.get(SECRETS, SPACE, NAME)
        return base64.b64decode((found.get("data") or {})["ca.crt"])

    def wake(self) -> None:
        """There is something new to say."""
        self.woken += 1


@asynccontextmanager
async def scene(*, files: bool = False) -> AsyncIterator[Scene]:
    """An agent that trusts the old root."""
    env = make_env(1, "agent")
    server = argocd_server(entropy=env.entropy, history=0, now=START)
    limbo = Limbo()
    local = LocalCluster(server, env=env, actor="agent")
    cluster = FaultyCluster(local, limbo, random.Random(1))
    await local.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    await local.create(SECRETS, opaque(SPACE, NAME, {"ca.crt": OLD.certificate_pem, "mine": b"stays"}))
    log: list[str] = []
    async with trio.open_nursery() as nursery, open_material(env, lambda event: None) as material:
        nursery.start_soon(limbo.run)
        source = Secret(cluster, SPACE, NAME, "--root-ca-secret-name")
        fixed = Fixed({"ca.crt": Part("--root-ca-path", "ca.pem", OLD.certificate_pem)}, "ca.pem")
        held = await material.trust("links", fixed if files else source)
        trust = Trust(held, lambda name, text, level: log.append(name))
        play = Scene(trust, cluster, log)
        nursery.start_soon(trust.run)
        nursery.start_soon(trust.watch, play.wake)
        yield play
        nursery.cancel_scope.cancel()


async def test_a_rotation(autojump_clock: trio.testing.MockClock) -> None:
    """The new root is added, used and said; the old one goes when it is dropped, and not before."""
    async with scene() as play:
        assert play.trust.said() == Trusted((sha(OLD),))
        assert play.trust.signer == ""
        both = OLD.certificate_pem + NEW.certificate_pem
        play.trust.hear(Authorities(both, sha(OLD)))
        await trio.sleep(LOOK + 1)
        assert await play.roots() == both
        assert play.trust.said() == Trusted((sha(OLD), sha(NEW)))
        assert (play.log, play.woken) == (["ca-followed"], 1)
        play.trust.hear(Authorities(NEW.certificate_pem, sha(NEW)))
        await trio.sleep(LOOK + 1)
        assert await play.roots() == both
        assert bytes.fromhex(play.trust.signer) == sha(NEW)
        play.trust.hear(Authorities(NEW.certificate_pem, sha(NEW), (sha(OLD),)))
        await trio.sleep(LOOK + 1)
        assert await play.roots() == NEW.certificate_pem
        assert play.trust.said() == Trusted((sha(NEW),))
        assert play.woken == 2
        found = await play.cluster.get(SECRETS, SPACE, NAME)
        assert (found.get("data") or {})["mine"] == base64.b64encode(b"stays").decode()
        play.trust.link_up()
        assert play.trust.signer == ""


def strange(root: Authority) -> bytes:
    """The same root with a key of a curve that does not exist."""
    der = root.certificate.public_bytes(Encoding.DER)
    odd = der.replace(bytes.fromhex("06082a8648ce3d030107"), bytes.fromhex("06082a8648ce3d03017f"))
    assert odd != der
    return ssl.DER_cert_to_PEM_cert(odd).encode()


async def test_what_it_does_not_follow(autojump_clock: trio.testing.MockClock) -> None:
    """Told once each; the Secret stays as it is, and the next word is heard."""
    async with scene() as play:
        for said in (
            Authorities(client(OLD), sha(OLD)),
            Authorities(b"", sha(OLD), (sha(OLD),)),
            Authorities(OLD.certificate_pem, sha(OLD), (sha(OLD),)),
            Authorities(strange(OLD), sha(OLD)),
        ):
            play.trust.hear(said)
            await trio.sleep(LOOK)
        assert play.log == ["ca-not-followed"] * 4
        assert await play.roots() == OLD.certificate_pem
        play.trust.hear(Authorities(OTHER.certificate_pem, sha(OTHER)))
        await trio.sleep(LOOK)
        assert await play.roots() == OLD.certificate_pem + OTHER.certificate_pem


async def test_an_api_server_that_does_not_answer(autojump_clock: trio.testing.MockClock) -> None:
    """It is tried again until it does."""
    async with scene() as play:
        play.cluster.faults = Faults(reads=1.0)
        play.trust.hear(Authorities(NEW.certificate_pem, sha(NEW)))
        await trio.sleep(2.5 * RETRY)
        assert play.log.count("ca-not-followed") >= 2
        play.cluster.faults = Faults()
        await trio.sleep(2 * RETRY)
        assert await play.roots() == OLD.certificate_pem + NEW.certificate_pem


async def test_files_are_somebody_elses(autojump_clock: trio.testing.MockClock) -> None:
    """A person is told, if there is something to be done."""
    async with scene(files=True) as play:
        play.trust.hear(Authorities(OLD.certificate_pem, sha(OLD)))
        await trio.sleep(LOOK)
        assert play.log == []
        play.trust.hear(Authorities(OLD.certificate_pem + NEW.certificate_pem, sha(OLD)))
        await trio.sleep(LOOK)
        assert play.log == ["ca-not-followed"]
        assert play.trust.said() == Trusted((sha(OLD),))


async def test_an_agent_that_takes_any_certificate(autojump_clock: trio.testing.MockClock) -> None:
    """Says nothing, and follows nothing."""
    log: list[str] = []
    trust = Trust(None, lambda name, text, level: log.append(name))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trust.run)
        nursery.start_soon(trust.watch, lambda: log.append("woken"))
        trust.hear(Authorities(NEW.certificate_pem, sha(NEW), (sha(OLD),)))
        await trio.sleep(LOOK)
        nursery.cancel_scope.cancel()
    assert trust.said() is None
    assert log == []
