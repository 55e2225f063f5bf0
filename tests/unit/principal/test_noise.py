"""An agent that says anything at any time, in frames that can be read or not: it costs its own link alone."""

from __future__ import annotations

from contextlib import suppress

import msgpack  # type: ignore[import-untyped]
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LinkBroken
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.testing.scheduling import simulate

from ..stream.protocol.vocabulary import MESSAGES
from .hub import Agent, open_hub

RAW = st.binary(min_size=1, max_size=60) | st.lists(st.integers() | st.binary(max_size=9), max_size=9).map(
    lambda said: bytes(msgpack.packb([min(abs(n), 2**60) if isinstance(n, int) else n for n in said]))
)
FRAMES = st.lists(MESSAGES.map(codec.encode) | RAW, min_size=1, max_size=25)


def rave(agent: Agent, frames: list[bytes]) -> None:
    """Say all of it, as far as anybody listens."""
    with suppress(LinkBroken):
        for frame in frames:
            agent.link.send_nowait(frame)


@settings(deadline=None, max_examples=20)
@given(st.booleans(), FRAMES)
def test_it_costs_its_own_link_alone(welcomed: bool, frames: list[bytes]) -> None:
    """Before its hello and after it was welcomed. Another agent is served; nothing has failed here."""

    async def story() -> None:
        async with open_hub("bad", "good") as hub:
            good = await hub.join("good", cluster_uid="c-good")
            if welcomed:
                bad = await hub.autonomous("bad")
            else:
                bad = Agent(hub.network.connect("bad"))
                hub.nursery.start_soon(bad.listen)
            rave(bad, frames)
            rave(bad, [codec.encode(m.Ping(b"still there?"))])
            await trio.sleep(90)
            assert bad.ended or m.Pong(b"still there?") in bad.heard
            assert not good.ended
            good.say(m.Ping(b"x"))
            assert (await good.hear(m.Pong)).token == b"x"
            assert [event for event in hub.events if event.level == "error"] == []

    simulate(story, seed=1)
