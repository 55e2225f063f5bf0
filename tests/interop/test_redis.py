"""An installation made for argocd-agent: its Argo CD reads Redis, and live resources, from the principal."""

from __future__ import annotations

import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from trio_argoagent.net.client import open_client
from trio_argoagent.net.contexts import client_context
from trio_argoagent.redis.client import open_redis
from trio_argoagent.redis.protocol import argocache
from trio_argoagent.redis.protocol.argocache import ClusterInfo, Compression, Counts, State
from trio_argoagent.redis.server import RedisServer, over_tcp
from trio_argoagent.runtime.options.usual import RESOURCE_PROXY_SECRET
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE
from trio_argoagent.testing.redisfake import FakeRedis

from ..unit.runtime.hubsecrets import put
from .programs import START_TIMEOUT, Fleet

pytestmark = pytest.mark.processes

PASSWORD = "hub-word"
SERVER = "https://argocd-agent-resource-proxy:9090?agentName=east"


@asynccontextmanager
async def served(redis: FakeRedis) -> AsyncIterator[str]:
    """Its address while it is served on a free port."""
    listeners = await trio.open_tcp_listeners(0, host=LOOPBACK)
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, redis.serve, listeners)
        yield f"{LOOPBACK}:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


async def port_of(fleet: Fleet, event: str) -> int:
    """The port that the principal's log names."""
    with trio.fail_after(START_TIMEOUT):
        detail = (await fleet.principal.wait_said(event))["detail"]
    return int(detail.partition(f"{LOOPBACK}:")[2].split(",")[0].split()[0])


async def shown(redis: RedisServer, wanted: dict[str, Any]) -> None:
    """Wait until Argo CD's server would read this."""
    async with open_redis(redis) as connection:
        with trio.fail_after(START_TIMEOUT):
            while True:
                data = await connection.get(argocache.key(SERVER, Compression.GZIP))
                found = json.loads(gzip.decompress(data)) if data is not None else {}
                found["status"] = (found.get("connectionState") or {}).get("status")
                if wanted.items() <= found.items():
                    return
                await trio.sleep(0.1)


async def test_argocd_reads_from_the_principal(tmp_path: Path) -> None:
    """Through the Redis proxy: how the cluster is, before and after its agent has gone; and the reason."""
    hub, spoke, fleet = FakeRedis(PASSWORD), FakeRedis(), Fleet(tmp_path)
    async with served(hub) as hub_at, served(spoke) as spoke_at, trio.open_nursery() as nursery:
        fleet.nursery = nursery
        for machine in (fleet.hub, fleet.east.machine):
            await nursery.start(machine.run)
            await machine.make_namespaces(NAMESPACE)
        await fleet.hub.add_agents("east")
        await put(fleet.hub.local("setup"), RESOURCE_PROXY_SECRET, fleet.pki.server("proxy"))
        fleet.principal.arguments = (
            *fleet.principal.arguments, f"--redis-server-address={hub_at}", f"--redis-password={PASSWORD}",
            "--redis-proxy-port=0", "--resource-proxy-port=0",
        )  # fmt: skip
        port = await fleet.start_principal()
        arguments = (*fleet.agent_arguments(fleet.east, port), f"--redis-addr={spoke_at}")
        fleet.east.agent.arguments = (*arguments, "--cache-refresh-interval=1s")
        await nursery.start(fleet.east.agent.run)
        counted = ClusterInfo(State.SUCCESSFUL, "", "", Counts(0, 40, 500, "1.33"))
        ours = over_tcp(*_address(spoke_at))
        async with open_redis(ours) as connection:
            name = argocache.key(argocache.IN_CLUSTER, Compression.GZIP)
            await connection.set(name, argocache.dump(counted, Compression.GZIP))
        proxy = over_tcp(LOOPBACK, await port_of(fleet, "redis-proxy"), password=PASSWORD)
        counts = {"cacheInfo": {"apisCount": 40, "resourcesCount": 500}, "serverVersion": "1.33"}
        await shown(proxy, {"status": "Successful", "applicationsCount": 0, **counts})
        await fleet.east.agent.kill()
        await shown(proxy, {"status": "Failed", **counts})
        await check_the_reason(fleet, await port_of(fleet, "resource-proxy"))
        assert await fleet.principal.stop() == 0
        nursery.cancel_scope.cancel()


async def check_the_reason(fleet: Fleet, port: int) -> None:
    """Where Argo CD looks for live resources it hears why there are none."""
    context = client_context(ca=fleet.pki.ca, certificate=None, key=None, alpn=("h2",))
    with trio.fail_after(START_TIMEOUT):
        async with open_client(host=LOOPBACK, port=port, context=context) as client:
            answer = await client.request("GET", "/api/v1/pods?agentName=east")
    assert answer.status == 503
    assert "live resources of agent 'east' are not available" in json.loads(answer.body)["message"]


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)
