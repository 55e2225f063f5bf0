"""Runs a story: on embedded servers in virtual time, or on real ones where there are any."""

from __future__ import annotations

import itertools
import os
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Final

import pytest
import trio

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster, run_collector
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.kube.credentials import from_kubeconfig
from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.scheduling import EPOCH, make_env, simulate

from ..interop.kubernetes.conftest import VARIABLE, install, spokes_given
from .stage import Backing, Stage

SEED: Final = 1

Story = Callable[[Stage], Awaitable[None]]


def play(
    story: Story,
    *,
    managed: tuple[str, ...] = (),
    autonomous: tuple[str, ...] = (),
    mode: Mode = Mode.MANAGED,
    principal: Callable[[PrincipalConfig], PrincipalConfig] = lambda config: config,
    agent: Callable[[AgentConfig], AgentConfig] = lambda config: config,
    strangers: tuple[str, ...] = (),
    tenants: tuple[str, ...] = (),
) -> None:
    """Run a story with these agents; none named: one, ``east``, in that mode.

    Strangers are those of them that have no cluster secret. Tenants are patterns of namespaces: destinations
    say whose the Applications in them are, and each agent has a cluster of its own. Otherwise agents share
    one, where there are fewer real ones than agents.
    """
    modes = dict.fromkeys(managed, Mode.MANAGED) | dict.fromkeys(autonomous, Mode.AUTONOMOUS)
    modes = modes or {"east": mode}

    async def act(backing: Backing, nursery: trio.Nursery) -> None:
        stage = Stage(backing, modes, principal, agent, strangers, tenants)
        await nursery.start(stage.run)
        await story(stage)
        nursery.cancel_scope.cancel()
        if stage.network.failures:
            raise ExceptionGroup("handlers of links failed", stage.network.failures)

    if VARIABLE in os.environ:
        spokes = spokes_given()
        if tenants and len(modes) > len(spokes):
            pytest.skip(f"each of {len(modes)} agents needs a spoke of its own, and there is {len(spokes)}")
        trio.run(_on_real_servers, modes, spokes, act)
    else:
        simulate(_on_embedded_servers, modes, act, seed=SEED)


Act = Callable[[Backing, trio.Nursery], Awaitable[None]]


async def _on_embedded_servers(modes: Mapping[str, Mode], act: Act) -> None:
    def env(who: str) -> Env:
        return make_env(SEED, who)

    def serve(who: str) -> ApiServer:
        return argocd_server(entropy=env(f"{who} server").entropy, now=EPOCH)

    def client(who: str) -> LocalCluster:
        return LocalCluster(servers[who], env=env(f"{who} client"), actor="story")

    servers = {who: serve(who) for who in ("hub", *modes)}
    async with trio.open_nursery() as nursery:
        for who, server in servers.items():
            nursery.start_soon(_collect, server, env(f"{who} collector"))
        await act(Backing(client("hub"), client, env), nursery)


async def _collect(server: ApiServer, env: Env) -> None:
    await run_collector(server, env=env)


async def _on_real_servers(modes: Mapping[str, Mode], spokes: Sequence[str], act: Act) -> None:
    env = real_env()
    tag = f"-{env.entropy(4).hex()}"
    contexts = {name + tag: context for name, context in zip(modes, itertools.cycle(spokes), strict=False)}
    async with AsyncExitStack() as stack:
        clusters = {}
        for context in dict.fromkeys(("hub", *contexts.values())):
            credentials = await from_kubeconfig(os.environ[VARIABLE], context)
            clusters[context] = await stack.enter_async_context(open_cluster(credentials))
            await install(clusters[context])
        nursery = await stack.enter_async_context(trio.open_nursery())
        spoke = {name: clusters[context] for name, context in contexts.items()}
        await act(Backing(clusters["hub"], spoke.__getitem__, lambda who: env, tag), nursery)
