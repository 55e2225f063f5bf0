"""A Source and where its bodies come from."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Evidence, Holding
from trio_argoagent.replication.outlet import Outlet
from trio_argoagent.runtime.tracers import AllTracers
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.sync import buckets
from trio_argoagent.sync.kinds import Rank
from trio_argoagent.sync.source import Want

WEB = Key(Kind.APPLICATION, "argocd", "web")
OTHER = Key(Kind.APPLICATION, "argocd", "other")
EMPTY = buckets.Buckets().root()


class Stage:
    """An outlet over a dict, linked to a replica that holds nothing."""

    def __init__(self, version: str = "7") -> None:
        self.bodies: dict[Key, bytes] = {}
        self.outlet = Outlet(self.bodies.get, lambda kind: version)
        self.outlet.set_complete(Kind.APPLICATION, True)

    def want(self, key: Key, digest: str) -> None:
        """This is to be held."""
        self.bodies[key] = digest.encode()
        self.outlet.want(key, Want(f"uid-{key.name}", digest, Rank.SPEC))

    def link(self) -> None:
        """The replica holds nothing."""
        core = self.outlet.core
        if core.link_up(EMPTY, trio.current_time()) is not None:
            core.leaf(range(256), (), True, trio.current_time())


async def test_the_newest_body_is_read_when_there_is_room(autojump_clock: MockClock) -> None:
    """A thousand changes are one record."""
    stage = Stage()
    for n in range(1_000):
        stage.want(WEB, f"D{n}")
    stage.link()
    taken = stage.outlet.take()
    assert taken is not None
    assert (taken[1].digest, taken[1].body, taken[1].asof) == ("D999", b"D999", "7")
    assert stage.outlet.take() is None


async def test_a_body_that_has_gone_before_anybody_was_told(autojump_clock: MockClock) -> None:
    """A long list changes the cache before it is reported: no half record may reach the link."""
    stage = Stage()
    stage.want(WEB, "D1")
    stage.want(OTHER, "D2")
    stage.link()
    del stage.bodies[WEB]
    taken = stage.outlet.take()
    assert taken is not None
    assert taken[1].key == OTHER
    codec.encode(messages.RecordMessage(*taken))
    stage.outlet.absent(WEB, witnessed="uid-web")
    await trio.sleep(2)
    last = stage.outlet.take()
    assert last is not None
    assert (last[1].key, last[1].tombstone, last[1].evidence) == (WEB, True, Evidence.WITNESSED)


@pytest.mark.parametrize(("version", "asof"), [("12", "12"), ("abc", ""), ("", "")])
async def test_versions_without_an_order_do_not_travel(
    version: str, asof: str, autojump_clock: MockClock
) -> None:
    """There is no asof then."""
    stage = Stage(version)
    stage.want(WEB, "D1")
    stage.link()
    taken = stage.outlet.take()
    assert taken is not None
    assert taken[1].asof == asof


class Told(AllTracers):
    """Nobody is told, but of this."""

    def __init__(self) -> None:
        super().__init__(())
        self.walks = 0
        self.keys: list[Key] = []

    def unanswered(self) -> tuple[Key, ...]:
        """All there are."""
        self.walks += 1
        return (WEB, OTHER)

    def held(self, key: Key) -> None:
        """One that was sent."""
        self.keys.append(key)


async def test_what_turns_out_to_be_held_is_traced_without_asking_for_all(autojump_clock: MockClock) -> None:
    """Each message of many is asked about its own keys; a comparison about all that are unanswered."""
    stage, told = Stage(), Told()
    stage.outlet.tracer = told
    stage.want(WEB, "D1")
    stage.want(OTHER, "D2")
    stage.link()
    assert stage.outlet.take() is not None and stage.outlet.take() is not None
    stage.outlet.link_down()
    stage.link()
    stage.outlet.have(entry for entry in [(WEB, Holding("uid-web", "D1"))])
    assert (told.walks, told.keys) == (0, [WEB])
    stage.outlet.have([(OTHER, Holding("uid-other", "D1"))])
    assert (told.walks, told.keys) == (0, [WEB])
    stage.outlet.compared()
    assert (told.walks, told.keys) == (1, [WEB, WEB])


async def test_a_proof_that_nobody_has_read(autojump_clock: MockClock) -> None:
    """What was proven before the link went is told afterwards, although nobody had asked meanwhile."""
    stage = Stage()
    stage.link()
    assert stage.outlet.core.proven
    stage.outlet.link_down()
    stage.want(WEB, "D1")
    assert stage.outlet.consistent_as_of() == "7"


async def test_a_proof_before_there_is_more_to_send(autojump_clock: MockClock) -> None:
    """Likewise what was known when an answer came."""
    stage = Stage()
    stage.link()
    assert stage.outlet.is_proven()
    stage.want(WEB, "D1")
    stage.outlet.link_down()
    assert stage.outlet.consistent_as_of() == "7"
