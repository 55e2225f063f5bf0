"""What does a fleet of a thousand agents cost, in one process and in virtual time?

    python -m benchmarks.scale [--agents 1000] [--apps 10] [--level 1]

Every fourth agent is autonomous. Each has that many Applications, with auto-sync; the clock stops when all
of them are Synced and Healthy on the hub and both sides agree, and once more when every link has been cut and
all agents have come back.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.scheduling import simulate

PATIENCE = 3600.0
"""Virtual seconds."""


def spokes(agents: int) -> list[SpokePlan]:
    """The fleet's spokes."""
    return [
        SpokePlan(f"agent-{number:04}", Mode.MANAGED if number % 4 else Mode.AUTONOMOUS)
        for number in range(agents)
    ]


async def create(fleet: Fleet, apps: int) -> None:
    """Create every Application where it is owned."""
    for name, spoke in fleet.spokes.items():
        autonomous = spoke.mapping.autonomous
        namespace, cluster = (NAMESPACE, name) if autonomous else (name, "hub")
        for number in range(apps):
            app = application(f"app-{number}", namespace=namespace, syncPolicy=automated())
            await fleet.apply(app, cluster)


async def converge(agents: int, apps: int, level: int) -> dict[str, float]:
    """Run it; returns the figures."""
    figures: dict[str, float] = {"agents": agents, "applications": agents * apps}
    async with open_fleet(spokes(agents), seed=1, level=level) as fleet:
        await create(fleet, apps)
        await fleet.wait_synced(PATIENCE)
        figures |= {"synced_after": trio.current_time(), "cpu_seconds_synced": time.process_time()}
        for agent in fleet.agents:
            fleet.cut(agent)
        await trio.sleep(1.0)
        for agent in fleet.agents:
            fleet.heal(agent)
        await fleet.until(lambda: all(fleet.network.links(agent) for agent in fleet.agents), PATIENCE)
        await fleet.wait_consistent(PATIENCE)
        figures |= {"back_after": trio.current_time(), "bytes_sent": fleet.network.total.bytes_sent}
    return figures


def main() -> None:
    """Run it and print the figures as one JSON object."""
    parser = argparse.ArgumentParser(description="What does a fleet of a thousand agents cost?")
    parser.add_argument("--agents", type=int, default=1000)
    parser.add_argument("--apps", type=int, default=10)
    parser.add_argument("--level", type=int, default=1)
    given = parser.parse_args()
    figures = simulate(converge, given.agents, given.apps, given.level, seed=1)
    figures["cpu_seconds"] = time.process_time()
    figures["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({name: round(value, 2) for name, value in figures.items()}))


if __name__ == "__main__":
    main()
