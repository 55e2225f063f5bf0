"""The principal tells of a rotation, and writes down what it sees of agents; nothing while there is none."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import trio
import trio.testing
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.apiserver.core.values import LogEntry
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli.secretdata import encoded, opaque
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, SECRETS, Resource
from trio_argoagent.net.certificates import facts
from trio_argoagent.pki import rotation
from trio_argoagent.pki.authority import Authority
from trio_argoagent.pki.bundles import Bundle, fingerprint
from trio_argoagent.pki.rotation import Phase, Rotation
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import make_secret, secret_name
from trio_argoagent.principal.trust import FRESH, TRUST, Authorities, Seen, read_seen
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.material import LOOK, open_material
from trio_argoagent.runtime.tlssources import Files, Secret, Source
from trio_argoagent.runtime.tlsvalues import CA as BUNDLE
from trio_argoagent.stream.protocol import messages
from trio_argoagent.testing.faults import Faults, FaultyCluster, Limbo
from trio_argoagent.testing.scheduling import make_env

from ..pki.certificates import START, authority

CA, SPACE = "argocd-agent-ca", "argocd"


def anchor(root: Authority) -> str:
    """What a link's peer says of it."""
    found = facts(root.certificate.public_bytes(Encoding.DER))
    assert found is not None
    return found.anchor


OLD, NEW = authority(), authority()
BOTH = OLD.certificate_pem + NEW.certificate_pem
NAMES = {"old": fingerprint(OLD.certificate), "new": fingerprint(NEW.certificate)}
ANCHORS = {name: anchor(root) for name, root in (("old", OLD), ("new", NEW))}


def sha(name: str) -> bytes:
    """As it travels."""
    return bytes.fromhex(NAMES[name])


class Counting(LocalCluster):
    """Knows how often it was read."""

    gets = 0

    async def get(self, resource: Resource, namespace: str, name: str) -> Object:
        """See ``Cluster``."""
        self.gets += 1
        return await super().get(resource, namespace, name)


@attrs.define
class Scene:
    """A principal's part at work on a hub."""

    authorities: Authorities
    cluster: FaultyCluster
    inside: Counting
    log: list[str]
    texts: list[str]
    calls: Counter[str] = attrs.field(factory=Counter)
    woken: int = 0

    def wake(self) -> None:
        """There is something to say."""
        self.woken += 1

    async def rotate(self, phase: Phase | None, *, dropped: str | None = None, **data: bytes) -> None:
        """What ``ctl pki rotate-ca`` writes."""
        state = Rotation(phase=phase, old=NAMES["old"], new=NAMES["new"], since=START) if phase else None
        text = rotation.encode(state) if state is not None else None
        content = encoded({name.replace("_", "."): value for name, value in data.items()})
        notes = {rotation.ANNOTATION: text, rotation.DROPPED: dropped}
        value: dict[str, Any] = {"metadata": {"annotations": notes}, "data": content}
        await self.cluster.patch(SECRETS, SPACE, CA, MergePatch(value))
        await trio.sleep(2 * LOOK)

    async def seen(self, agent: str = "edge") -> Seen | None:
        """What stands on an agent's cluster secret."""
        found = await self.cluster.get(SECRETS, SPACE, secret_name(agent))
        return read_seen(found.annotations.get(TRUST, ""))


@asynccontextmanager
async def scene(source: Source | None = None) -> AsyncIterator[Scene]:
    """A hub with the old root and one agent; the principal's roots are in its Secret, or elsewhere."""
    env = make_env(1, "principal")
    server = argocd_server(entropy=env.entropy, history=0, now=START)
    local, limbo = LocalCluster(server, env=env, actor="setup"), Limbo()
    await local.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": SPACE}})
    await local.create(SECRETS, opaque(SPACE, CA, {"tls.crt": OLD.certificate_pem}))
    await local.create(SECRETS, make_secret("edge", SPACE))
    inside = Counting(server, env=env, actor="principal")
    cluster = FaultyCluster(inside, limbo, random.Random(1))
    log: list[str] = []
    texts: list[str] = []

    def report(name: str, text: str, level: str) -> None:
        log.append(name)
        texts.append(text)

    def told(event: Event) -> None:
        log.append(event.name)

    async with trio.open_nursery() as nursery, open_material(env, told) as material:
        nursery.start_soon(limbo.run)
        authorities = Authorities(cluster, SPACE, env, secret_name, lambda: play.wake(), report)
        play = Scene(authorities, cluster, inside, log, texts)

        def note(entry: LogEntry) -> None:
            play.calls[entry.actor] += 1

        server.subscribe(note)
        usual = Secret(cluster, SPACE, CA, "--ca", notes=rotation.NOTES)
        play.authorities.follow(await material.trust("links", source or usual))
        nursery.start_soon(play.authorities.run)
        yield play
        nursery.cancel_scope.cancel()


async def test_what_agents_are_told(autojump_clock: trio.testing.MockClock) -> None:
    """Nothing, then both roots, then who issues, then what goes, then nothing; each time they are woken."""
    async with scene() as play:
        await trio.sleep(2 * LOOK)
        assert (play.authorities.said, play.woken) == (None, 0)
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        assert play.authorities.said == messages.Authorities(BOTH, sha("old"))
        await play.rotate(Phase.RENEW, tls_crt=NEW.certificate_pem)
        assert play.authorities.said == messages.Authorities(BOTH, sha("new"))
        await play.rotate(Phase.DROP, ca_crt=NEW.certificate_pem)
        assert play.authorities.said == messages.Authorities(NEW.certificate_pem, sha("new"), (sha("old"),))
        await play.rotate(None)
        assert play.authorities.said is None
        assert (play.woken, play.log) == (4, ["tls-rotated", "tls-rotated"])


async def test_who_was_away_when_a_root_was_dropped(autojump_clock: trio.testing.MockClock) -> None:
    """Is told when the rotation is over, until it trusts that root no more; nobody else is told."""
    async with scene() as play:
        authorities = play.authorities
        await play.rotate(Phase.DROP, tls_crt=NEW.certificate_pem, ca_crt=NEW.certificate_pem)
        await play.rotate(None, dropped=rotation.dropping("junk", NAMES["old"]))
        assert authorities.said is None
        for agent, roots in (("edge", ("old", "new")), ("west", ("new",)), ("north", None)):
            authorities.link_up(agent, ANCHORS["new"])
            if roots is not None:
                authorities.hear(agent, messages.Trusted(tuple(map(sha, roots))))
        told = messages.Authorities(NEW.certificate_pem, sha("new"), (sha("old"),))
        heard = [authorities.said_to(each) for each in ("edge", "west", "north", "nobody")]
        assert heard == [told, None, None, None]
        woken = play.woken
        # Its session rings for itself; to wake all for each of a fleet would cost the square of it.
        authorities.hear("edge", messages.Trusted((sha("new"),)))
        assert authorities.said_to("edge") is None
        assert play.woken == woken
        await trio.sleep(2 * FRESH)
        assert await play.seen() is None
        # Whoever takes a root back in does not drop it.
        authorities.hear("edge", messages.Trusted((sha("old"), sha("new"))))
        await play.rotate(None, dropped=NAMES["old"], ca_crt=BOTH)
        assert authorities.said_to("edge") is None
        assert play.log.count("ca-unknown") == 0


async def test_what_is_seen_is_written_down(autojump_clock: trio.testing.MockClock) -> None:
    """As soon as a rotation begins, whenever it changes, and once an hour; by whose signature a leaf is."""
    async with scene() as play:
        play.authorities.link_up("edge", ANCHORS["old"])
        play.authorities.hear("edge", messages.Trusted((sha("old"),)))
        await trio.sleep(2 * LOOK)
        assert await play.seen() is None
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        seen = await play.seen()
        assert seen is not None
        assert (seen.issuer, seen.roots) == (NAMES["old"], (NAMES["old"],))
        play.authorities.hear("edge", messages.Trusted((sha("old"), sha("new"))))
        await trio.sleep(LOOK)
        seen = await play.seen()
        assert seen is not None
        assert seen.roots == (NAMES["old"], NAMES["new"])
        writes = play.calls["principal"]
        await trio.sleep(FRESH / 2)
        assert play.calls["principal"] == writes
        await trio.sleep(FRESH)
        assert play.calls["principal"] == writes + 1
        play.authorities.link_down("edge")
        play.authorities.link_up("edge", ANCHORS["new"])
        await trio.sleep(2 * LOOK)
        seen = await play.seen()
        assert seen is not None
        assert (seen.issuer, seen.roots) == (NAMES["new"], None)
        play.authorities.link_down("edge")
        play.authorities.hear("edge", messages.Trusted(()))
        await trio.sleep(2 * LOOK)
        assert await play.seen() == seen


async def test_certificates_of_nobody_here(autojump_clock: trio.testing.MockClock) -> None:
    """No certificate, one of another root: none of those that take part."""
    async with scene() as play:
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        for nobodys in ("", "X", anchor(authority())):
            play.authorities.link_up("edge", nobodys)
            await trio.sleep(2 * LOOK)
            seen = await play.seen()
            assert seen is not None
            assert seen.issuer == ""


async def test_a_hub_that_does_not_answer(autojump_clock: trio.testing.MockClock) -> None:
    """Told once; what was said last holds, and everything goes on afterwards."""
    async with scene() as play:
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        told = list(play.log)
        play.cluster.faults = Faults(reads=1.0)
        await trio.sleep(5 * LOOK)
        assert play.log == [*told, "tls-unreadable"]
        assert play.authorities.said is not None
        play.cluster.faults = Faults()
        await play.rotate(None)
        assert play.authorities.said is None


async def test_what_cannot_be_written_down(autojump_clock: trio.testing.MockClock) -> None:
    """Told once for as long as it lasts, whatever goes well meanwhile; told again when it comes again."""
    async with scene() as play:
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        for agent in ("gone", "edge"):
            play.authorities.link_up(agent, ANCHORS["old"])
        await trio.sleep(5 * LOOK)
        assert await play.seen() is not None
        assert play.log.count("ca-unknown") == 1
        assert "agent gone" in play.texts[-1]
        play.authorities.link_down("gone")
        await trio.sleep(2 * LOOK)
        play.authorities.link_up("gone", ANCHORS["old"])
        await trio.sleep(2 * LOOK)
        assert play.log.count("ca-unknown") == 2


async def test_only_one_reads_the_secret(autojump_clock: trio.testing.MockClock) -> None:
    """What is told is what is trusted, from one read of one object: no more than one each look."""
    async with scene() as play:
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        before = play.inside.gets
        await trio.sleep(10.5 * LOOK)
        assert play.inside.gets - before == 10


async def test_a_secret_that_cannot_be_read(autojump_clock: trio.testing.MockClock) -> None:
    """A person is told, and agents hear nothing that is not so."""
    async with scene() as play:
        await play.rotate(Phase.TRUST, ca_crt=b"no PEM")
        assert (play.authorities.said, play.log) == (None, ["tls-refused"])
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        assert play.authorities.said is not None


async def test_an_annotation_that_cannot_be_read(autojump_clock: trio.testing.MockClock) -> None:
    """A person is told once, and agents hear what they have heard."""
    async with scene() as play:
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        said = play.authorities.said
        value = {"metadata": {"annotations": {rotation.ANNOTATION: "{}"}}}
        await play.cluster.patch(SECRETS, SPACE, CA, MergePatch(value))
        await trio.sleep(5 * LOOK)
        assert play.log == ["tls-rotated", "ca-unknown"]
        assert said is not None and play.authorities.said == said


async def test_where_the_authority_is_in_files(
    autojump_clock: trio.testing.MockClock, tmp_path: Path
) -> None:
    """Nobody is told of what goes on in a Secret that does not count."""
    path = tmp_path / "ca.crt"
    path.write_bytes(OLD.certificate_pem)
    async with scene(Files({BUNDLE: ("--root-ca-path", str(path))})) as play:
        play.authorities.link_up("edge", ANCHORS["old"])
        await play.rotate(Phase.TRUST, ca_crt=BOTH)
        assert play.authorities.said is None
        assert await play.seen() is None


def test_what_people_write_there() -> None:
    """Is taken for nothing."""
    assert read_seen("x") is None
    assert read_seen('{"at": "now"}') is None
    assert Bundle.read(BOTH).fingerprints == tuple(NAMES.values())
