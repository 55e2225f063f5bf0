"""Test_Resync*: what was changed while a program was down, or the link, is caught up with."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.sync.guard import Limits
from trio_argoagent.testing.programs import Program

from .play import play
from .stage import Side, Stage

MODES = ["managed", "autonomous"]
PROGRAMS = ["principal", "agent"]

NEWER = {"spec": {"source": {"targetRevision": "v2"}}}
# A deletion that nobody witnessed waits for a person after a restart (docs/deletions.md); argocd-agent's
# scenarios know no such guard.
UNGUARDED = Limits.of(None, -1)


def unguarded_agent(config: AgentConfig) -> AgentConfig:
    """An agent that lets inferred deletions pass."""
    return attrs.evolve(config, limits=UNGUARDED)


def unguarded_principal(config: PrincipalConfig) -> PrincipalConfig:
    """A principal that lets inferred deletions pass."""
    return attrs.evolve(config, limits=UNGUARDED)


def program_of(stage: Stage, name: str) -> Program[Any]:
    """The principal, or the agent."""
    return stage.principal if name == "principal" else stage.side.agent


async def prepared(stage: Stage) -> Side:
    """One Application, in step."""
    await stage.side.create("guestbook", cascade=False)
    await stage.agree()
    return stage.side


async def is_gone(stage: Stage, side: Side) -> None:
    """Wait until neither side has the Application."""

    async def gone() -> bool:
        return await side.on_hub("guestbook") is None and await side.on_spoke("guestbook") is None

    await stage.until(gone)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_resync_deletion_on_startup(mode: str, program: str) -> None:
    """Test_ResyncDeletionOn{Principal,Agent}Startup{Managed,Autonomous}: its owner has deleted it."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        program_of(stage, program).crash()
        cluster, namespace = side.owner()
        await cluster.delete(APPLICATIONS, namespace, "guestbook")
        program_of(stage, program).start()
        await is_gone(stage, side)

    play(story, principal=unguarded_principal, agent=unguarded_agent, mode=Mode(mode))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("program", PROGRAMS)
def test_resync_updates_on_startup(mode: str, program: str) -> None:
    """Test_ResyncUpdatesOn{Principal,Agent}Startup{Managed,Autonomous}: its owner has edited it meanwhile."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        program_of(stage, program).crash()
        await (side.edit_on_hub if mode == "managed" else side.edit_on_spoke)("guestbook", NEWER)
        program_of(stage, program).start()
        await stage.until(lambda: _shows_newer(side))
        await stage.agree()

    play(story, mode=Mode(mode))


async def _shows_newer(side: Side) -> bool:
    found = (await side.on_hub("guestbook"), await side.on_spoke("guestbook"))
    return all(app is not None and app.get("spec")["source"]["targetRevision"] == "v2" for app in found)


@pytest.mark.parametrize("mode", MODES)
def test_resync_on_connection_lost(mode: str) -> None:
    """Test_ResyncOnConnectionLost{Managed,Autonomous}Mode: deleted while the link was down, both alive."""

    async def story(stage: Stage) -> None:
        side = await prepared(stage)
        side.cut()
        cluster, namespace = side.owner()
        await cluster.delete(APPLICATIONS, namespace, "guestbook")
        side.heal()
        await is_gone(stage, side)

    play(story, mode=Mode(mode))
