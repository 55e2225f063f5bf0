"""Test_{ManualSecretWith,ManualSecretWithout,...}SelfRegistration: how an agent gets its cluster secret."""

from __future__ import annotations

import json
from base64 import b64decode

import attrs
import trio

from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.principal.clusters import SELF_REGISTERED
from trio_argoagent.runtime.config import PrincipalConfig, SelfRegistration
from trio_argoagent.sync import names

from .play import play
from .stage import Side, Stage, find


def registering(config: PrincipalConfig) -> PrincipalConfig:
    """A principal that makes the secrets of agents that have none."""
    return attrs.evolve(config, registration=SelfRegistration("argocd-agent-resource-proxy:9090"))


async def secret_of(side: Side) -> Object | None:
    """The cluster secret of an agent."""
    return await find(side.stage.hub, SECRETS, side.stage.namespace, f"cluster-{side.name}")


async def works(side: Side) -> None:
    """An Application of the hub reaches the agent."""
    await side.create("guestbook", cascade=False)
    await side.stage.agree()
    assert await side.on_spoke("guestbook") is not None


async def _manual_secret(stage: Stage) -> None:
    before = await secret_of(stage.side)
    assert before is not None
    await works(stage.side)
    after = await secret_of(stage.side)
    assert after is not None
    assert (after.get("data"), after.labels) == (before.get("data"), before.labels)
    assert SELF_REGISTERED not in after.labels


def test_manual_secret_with_self_registration_enabled() -> None:
    """What the platform team has made is used, and not changed."""
    play(_manual_secret, principal=registering)


def test_manual_secret_with_self_registration_disabled() -> None:
    """It is all that an agent needs."""
    play(_manual_secret)


async def _registered(side: Side) -> None:
    made = await secret_of(side)
    assert made is not None
    assert made.labels[SELF_REGISTERED] == "true"
    assert made.labels[names.AGENT_NAME] == side.name
    data = {key: b64decode(text).decode() for key, text in made.get("data").items()}
    assert data["name"] == side.name
    assert data["server"] == f"https://argocd-agent-resource-proxy:9090?agentName={side.name}"
    assert "tlsClientConfig" in json.loads(data["config"])


def test_self_registration_creates_secret() -> None:
    """An agent without one is let in, and Argo CD has a cluster for it."""

    async def story(stage: Stage) -> None:
        await works(stage.side)
        await _registered(stage.side)

    play(story, principal=registering, strangers=("east",))


def test_manually_created_and_self_registered_secrets() -> None:
    """Both kinds of agents live side by side."""

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        await works(east)
        await works(west)
        manual = await secret_of(east)
        assert manual is not None and SELF_REGISTERED not in manual.labels
        await _registered(west)

    play(story, managed=("east", "west"), principal=registering, strangers=("west",))


def test_no_secret_and_self_registration_disabled() -> None:
    """The agent is refused and gets nothing; it works as soon as somebody has made its secret."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("guestbook", cascade=False)
        await trio.sleep(5)
        assert await side.on_spoke("guestbook") is None
        assert await secret_of(side) is None
        await stage.register(side)
        await stage.agree()
        assert await side.on_spoke("guestbook") is not None

    play(story, strangers=("east",))
