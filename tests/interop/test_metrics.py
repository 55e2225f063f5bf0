"""What Prometheus gets of real programs: over HTTP, with TLS between them and real API servers behind."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families

from tests.unit.runtime.observing.asking import ask, held_port
from trio_argoagent.runtime.metrics import machine
from trio_argoagent.runtime.metrics.rows import Program
from trio_argoagent.runtime.metrics.table import ROWS

from .programs import Fleet, open_fleet
from .test_processes import DEADLINE, create

pytestmark = pytest.mark.processes
REDIS = {machine.REDIS_CONNECTIONS.name, machine.REDIS_ACCEPTED.name}
"""What a principal without Redis does not tell."""
RENEWALS = {machine.RENEWALS.name}
"""What only an agent tells that renews its own certificate."""

AGE = "trio_argoagent_source_consistent_as_of_age_seconds"


class Seen:
    """One scrape."""

    def __init__(self, text: str) -> None:
        lines = [line.split() for line in text.splitlines() if line.startswith("# TYPE ")]
        self.names = {words[2] for words in lines}
        families = text_string_to_metric_families(text)
        self.samples = [sample for family in families for sample in family.samples]

    def sum(self, name: str, **labels: str) -> float:
        """Of all samples with these labels."""
        found = [s.value for s in self.samples if s.name == name and labels.items() <= s.labels.items()]
        assert found, name
        return sum(found)


async def scrape(port: int) -> Seen:
    """What it says now."""
    status, text = await ask(port, "/metrics")
    assert status == 200
    return Seen(text)


def names(program: Program) -> set[str]:
    """All that it may tell."""
    return {row.name for row in ROWS if program in row.programs}


async def restart(fleet: Fleet, metrics: int, of: int) -> None:
    """Let the principal (0) or an agent show its metrics there."""
    program = (fleet.principal, *(spoke.agent for spoke in fleet.spokes))[of]
    await program.kill()
    program.arguments = (*program.arguments, f"--metrics-port={metrics}")
    await fleet.nursery.start(program.run)


async def test_both_programs_are_scraped(tmp_path: Path) -> None:
    """All that the table says is there, and both sides say the same of what has crossed the link."""
    async with open_fleet(tmp_path) as fleet:
        with held_port() as hub_port, held_port() as spoke_port, trio.fail_after(DEADLINE):
            await restart(fleet, hub_port, 0)
            await restart(fleet, spoke_port, 1)
            await create(fleet.hub, "east", "shop")
            await fleet.converge()
            while (hub := await scrape(hub_port)).sum(AGE, agent_name="east"):  # noqa: ASYNC110 (a process)
                # What the spoke's API server shows already may not have been answered yet.
                await trio.sleep(0.1)
            spoke = await scrape(spoke_port)
    assert names(Program.PRINCIPAL) - hub.names == REDIS
    assert names(Program.AGENT) - spoke.names <= RENEWALS
    assert hub.sum("trio_argoagent_agent_connected") >= 1
    assert spoke.sum("argocd_agent_connection_status") == 1
    assert hub.sum("trio_argoagent_source_wanted_objects", agent_name="east") == 2
    assert spoke.sum("trio_argoagent_replica_held_objects") == 2
    for seen in (hub, spoke):
        assert seen.sum("rest_client_requests_total", method="GET", code="200") > 0
        assert seen.sum("trio_argoagent_event_loop_lag_seconds_count") > 0
        assert seen.sum("trio_argoagent_link_sent_bytes_total") > 0
        expiries = [s.value for s in seen.samples if s.name == machine.CERTIFICATE_EXPIRY.name]
        assert expiries and min(expiries) > fleet.env.now()
