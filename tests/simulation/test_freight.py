"""Bodies on whole fleets: large ones beside small ones, abandoned ones, and ends that forget."""

from __future__ import annotations

import base64
import functools
import random
from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.payload import Encoding
from trio_argoagent.sync.source import SourceStatistics
from trio_argoagent.testing.argocd.repositories import repository
from trio_argoagent.testing.fleet import NAMESPACE

from .helpers import Scene, narrow, play
from .mutants.rewriting import Rewrite

SPEED: Final = 64 * 1024
"""Bytes a second of the slow link."""
QUEUED: Final = (256 + 2 * 64) * 1024 / SPEED + 1.0
"""Seconds that a small record takes on it beside large ones: behind what is queued already, and a part."""
FORGETFUL: Final = Rewrite(
    "stream.protocol.freight:Unloader.message",
    "return self._whole(message)",
    """
kept = self._bases.find(message.record.key)
come = self._whole(message)
if kept is not None and message.number % 3 == 0:
    self._bases._bases[message.record.key] = kept
return come
""",
)
"""An end that goes on with the body before, every third time that it should keep another one to refer to."""


def text(size: int, seed: int = 1) -> str:
    """So many characters that do not shrink by much."""
    return base64.b64encode(random.Random(seed).randbytes(size)).decode()[:size]


async def fill(scene: Scene, name: str, values: str) -> None:
    """Change an Application where it is owned: an autonomous agent's spoke."""
    change = {"spec": {"source": {"helm": {"values": values}}}}
    await scene.there.patch(APPLICATIONS, NAMESPACE, name, MergePatch(change))


def values(app: Object | None) -> str:
    """What it holds."""
    return str(app.get("spec")["source"].get("helm", {}).get("values", "")) if app is not None else ""


def shows(scene: Scene, name: str, wanted: str) -> Callable[[], bool]:
    """Does the hub?"""
    return lambda: values(scene.on_hub(name)) == wanted


async def quiet(scene: Scene, *names: str) -> None:
    """These Applications, and nobody who changes their status."""
    for name in names:
        await scene.create(name, cascade=False)
    await scene.agree()
    scene.fleet.crash(scene.spoke.controller)


def observed(scene: Scene) -> SourceStatistics:
    """What the agent's source has counted."""
    agent = scene.fleet.agents[scene.spoke.name].instance
    assert agent is not None
    return agent.status().observed


def links(scene: Scene) -> int:
    """How many there have been."""
    agent = scene.fleet.agents[scene.spoke.name].instance
    assert agent is not None
    return agent.status().links


async def large_beside_small(scene: Scene) -> None:
    """A mirror of a megabyte travels in parts; who changes meanwhile does not wait for it."""
    await quiet(scene, "large", "small")
    scene.fleet.network.shape = narrow(SPEED)
    began, large = trio.current_time(), text(1024 * 1024)
    await fill(scene, "large", large)
    for number in range(2):
        await trio.sleep(1.0)
        await fill(scene, "small", f"v{number}")
        await scene.until(shows(scene, "small", f"v{number}"), QUEUED)
    assert not shows(scene, "large", large)()
    await scene.until(shows(scene, "large", large), 30)
    assert trio.current_time() > began + 10
    await scene.agree()


async def never_at_rest(scene: Scene) -> None:
    """An object that changes faster than it travels is nevertheless seen now and then."""
    await quiet(scene, "web")
    scene.fleet.network.shape = narrow(SPEED)
    seen: list[str] = []
    for number in range(30):
        await fill(scene, "web", f"{number} {text(256 * 1024, number)}")
        await trio.sleep(1.5)
        seen.append(values(scene.on_hub("web"))[:2])
    assert len({*seen}) >= 5, seen
    scene.fleet.network.shape = None
    await scene.agree()


async def left_in_the_middle(scene: Scene) -> None:
    """What has begun and was left for something short is nothing that later bodies could refer to."""
    await quiet(scene, "web")
    scene.fleet.network.shape = narrow(SPEED)
    large = text(512 * 1024)
    await fill(scene, "web", large)
    await trio.sleep(1.5)
    await fill(scene, "web", large[:2000])
    await scene.until(shows(scene, "web", large[:2000]), QUEUED + 1.0)
    await fill(scene, "web", large)
    await scene.until(shows(scene, "web", large), 30)
    agent = scene.fleet.agents[scene.spoke.name].instance
    assert agent is not None and agent.status().freight.abandoned == 1
    assert observed(scene).unreadable == 0
    await scene.agree()


async def two_large_ones(scene: Scene) -> None:
    """The second begins when the first is through, and the link stays."""
    await quiet(scene, "one", "two")
    scene.fleet.network.shape = narrow(SPEED)
    first, second = text(256 * 1024), text(256 * 1024, 2)
    await fill(scene, "one", first)
    await fill(scene, "two", second)
    await scene.until(shows(scene, "one", first), 10)
    assert not shows(scene, "two", second)()
    await scene.until(shows(scene, "two", second), 10)
    assert links(scene) == 1
    await scene.agree()


async def forgetful(scene: Scene) -> None:
    """What cannot be read comes by itself at once, and its predecessor is not taken for it."""
    await quiet(scene, "web")
    long = text(2000)
    for number in range(12):
        changed = text(300, number) + long
        await fill(scene, "web", changed)
        await scene.until(shows(scene, "web", changed), 1.0)
    assert observed(scene).unreadable >= 3
    assert links(scene) == 1
    await scene.agree()


async def secrets_alone(scene: Scene) -> None:
    """Whatever changes in a repository's credentials, they never travel as a difference."""
    encodings: dict[Kind, list[Encoding]] = {Kind.REPOSITORY: [], Kind.APPLICATION: []}
    before = scene.fleet.network.on_frame

    def look(agent: str, up: bool, frame: bytes) -> None:
        if before is not None:
            before(agent, up, frame)
        said = codec.decode(frame)
        if isinstance(said, messages.RecordMessage) and said.record.key.kind in encodings:
            encodings[said.record.key.kind].append(said.encoding)

    scene.fleet.network.on_frame = look
    await scene.create("web", cascade=False)
    await scene.edit("web", {"source": {"helm": {"values": text(2000)}}})
    await scene.fleet.apply(repository("repo", namespace=NAMESPACE, project="default"))
    await scene.agree()
    secret = text(2000)
    for number in range(3):
        data = {"password": base64.b64encode(f"{number}{secret}".encode()).decode()}
        await scene.hub.patch(SECRETS, NAMESPACE, "repo", MergePatch({"data": data}))
        await scene.edit("web", {"source": {"targetRevision": f"v{number}"}})
        await scene.agree()
    assert len(encodings[Kind.REPOSITORY]) == 4
    assert Encoding.PREFIX not in encodings[Kind.REPOSITORY]
    assert Encoding.PREFIX in encodings[Kind.APPLICATION]


autonomous = functools.partial(play, mode=Mode.AUTONOMOUS)


def test_a_large_object_beside_small_ones() -> None:
    """See the story."""
    autonomous(large_beside_small)


def test_an_object_that_never_rests() -> None:
    """See the story."""
    autonomous(never_at_rest)


def test_one_that_is_left_in_the_middle() -> None:
    """See the story."""
    autonomous(left_in_the_middle)


def test_two_large_objects() -> None:
    """See the story."""
    autonomous(two_large_ones)


def test_an_end_that_forgets() -> None:
    """See the story."""
    with FORGETFUL.applied():
        autonomous(forgetful)


def test_secrets_travel_alone() -> None:
    """See the story."""
    play(secrets_alone)
