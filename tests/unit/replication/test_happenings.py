"""Events are bounded twice: all of them together, and those of whoever chooses the words of his own."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import attrs
import trio
from trio.testing import MockClock

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import EVENTS
from trio_argoagent.replication.happenings import BURST, SHARE, WINDOW, Happenings, Involved

from .world import NAMESPACE, make_env, open_world


async def itself(subject: Involved) -> Involved:
    """What an Event is about."""
    await trio.lowlevel.checkpoint()
    return subject


def secret(agent: str) -> Involved:
    """An agent's."""
    return Involved("v1", "Secret", NAMESPACE, agent)


@attrs.frozen
class Scene:
    """Whoever says something, and where it is to be seen."""

    happenings: Happenings
    server: ApiServer

    def about(self, agent: str) -> int:
        """How many Events there are about an agent."""
        events = [Object.parse(item.json) for item in self.server.list(EVENTS, NAMESPACE).items]
        return sum(each.get("involvedObject")["name"] == agent for each in events)


@contextlib.asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    """An API server with nothing to say yet."""
    async with open_world() as world:
        yield Scene(Happenings(world.users, make_env(), itself), world.server)


async def test_nobody_silences_the_others(autojump_clock: MockClock) -> None:
    """Whoever says something else each time uses up his own share, and no other's."""
    async with scene() as play:
        for number in range(3 * BURST):
            await play.happenings.say(secret("edge"), f"I am {number}")
        assert (play.about("edge"), play.happenings.delayed) == (SHARE, 3 * BURST - SHARE)
        for number in range(BURST - SHARE):
            await play.happenings.say(secret(f"a{number}"), "it is not let in")
            assert play.about(f"a{number}") == 1
        await play.happenings.say(secret("another"), "it is not let in")
        assert play.about("another") == 0


async def test_a_share_comes_back(autojump_clock: MockClock) -> None:
    """With time, as all of it does."""
    async with scene() as play:
        for number in range(2 * SHARE):
            await play.happenings.say(secret("edge"), f"I am {number}")
        await trio.sleep(WINDOW + 1.0)
        await play.happenings.say(secret("edge"), "now I am this")
        assert play.about("edge") == SHARE + 1
