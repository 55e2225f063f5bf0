"""Traces of real programs: what a collector gets of both, and what becomes of them without one."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.runtime.observing.asking import held_port
from trio_argoagent.model.resources import APP_PROJECTS, SECRETS
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.repositories import encoded, repository
from trio_argoagent.testing.machine import LOOPBACK, NAMESPACE

from .programs import Fleet, Program, open_fleet
from .standing import within
from .test_processes import create, edit

if TYPE_CHECKING:
    from trio_argoagent.testing.collector import Told

WHY = "the extra 'otel' is not installed"
pytest.importorskip("opentelemetry.sdk", reason=WHY)
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason=WHY)
collectors = pytest.importorskip("trio_argoagent.testing.collector", reason=WHY)

pytestmark = pytest.mark.processes

DEADLINE = 120.0
"""Seconds for anything to come true; many times what it takes."""
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}
"""Environment: spans are sent so many milliseconds after they have ended, not five seconds."""
NEVER = {"OTEL_EXPORTER_OTLP_TIMEOUT": "86400"}
"""Environment: whoever waited for the exporter would wait for a day, and no machine is too slow for it."""
ENDS = ("traces-lost", "traces-resumed")


def programs(fleet: Fleet) -> Sequence[Program]:
    """All of it."""
    return (fleet.principal, *(spoke.agent for spoke in fleet.spokes))


def traced(address: str, **environ: str) -> type[Fleet]:
    """A fleet whose programs send their traces there."""

    class Traced(Fleet):
        def principal_arguments(self, *given: Any) -> Sequence[str]:
            return (*super().principal_arguments(*given), f"--otlp-address={address}", "--otlp-insecure")

        def agent_arguments(self, *given: Any) -> Sequence[str]:
            return (*super().agent_arguments(*given), f"--otlp-address={address}", "--otlp-insecure")

        async def prepare(self) -> None:
            for program in programs(self):
                program.environ |= collectors.UNPROXIED | SOON | environ

    return Traced


async def create_both(fleet: Fleet) -> None:
    """An Application of each agent."""
    await create(fleet.hub, "east", "shop")
    await create(fleet.edge.machine, NAMESPACE, "shop")
    await fleet.converge()


async def edit_both(fleet: Fleet, revision: str) -> None:
    """Their owners change both."""
    await edit(fleet.hub, "east", "shop", source={"targetRevision": revision})
    await edit(fleet.edge.machine, NAMESPACE, "shop", source={"targetRevision": revision})
    await fleet.converge()


def outline(spans: Sequence[Told], parent: bytes = b"") -> list[object]:
    """Service, name and kind of each span, followed by what is under it."""
    found: list[object] = []
    for span in (each for each in spans if each.parent == parent):
        found += [(span.service, span.name, span.kind)]
        if below := outline(spans, span.id):
            found += [below]
    return found


async def test_one_trace_of_two_processes(tmp_path: Path) -> None:
    """An edit on the hub, and one on a spoke: each a trace that both programs have sent parts of."""
    async with (
        collectors.open_collector() as collector,
        open_fleet(tmp_path, traced(collector.address, **NEVER)) as fleet,
    ):
        async with within(DEADLINE, "traces of two edits", *programs(fleet)):
            await create_both(fleet)
            await edit_both(fleet, "v2")
            for here, there in (("principal", "agent-managed"), ("agent-autonomous", "principal")):
                trace = await collector.trace_with(4, name="Application.update", service=here)
                written = [(there, "Application.patch", "client")]
                received = [(there, "application.spec-update", "consumer"), written]
                sent = [(here, "application.send", "producer"), received]
                assert outline(trace) == [(here, "Application.update", "internal"), sent]
                assert not any(span.problem for span in trace)
                assert {span.attributes["argocd.component.type"] for span in trace} == {"principal", "agent"}
                assert {span.attributes["k8s.resource.name"] for span in trace} == {"shop"}
        assert [await program.stop() for program in programs(fleet)] == [0, 0, 0]
        assert [outages(program) for program in programs(fleet)] == [[]] * 3


async def test_no_secret_reaches_the_collector(tmp_path: Path) -> None:
    """Of a repository's credentials there are spans from both programs, and nothing of their content."""
    canary = encoded("canary-of-a-repository")
    async with (
        collectors.open_collector() as collector,
        open_fleet(tmp_path, traced(collector.address, **NEVER)) as fleet,
    ):
        async with within(DEADLINE, "a trace of a repository", *programs(fleet)):
            anywhere = [{"name": "*", "namespace": "*", "server": "*"}]
            team = app_project("team", namespace=NAMESPACE, destinations=anywhere, sourceNamespaces=["*"])
            await fleet.hub.local("somebody").create(APP_PROJECTS, team)
            secret = repository("r", namespace=NAMESPACE, project="team")
            secret["data"] |= {"anything": canary}
            await fleet.hub.local("somebody").create(SECRETS, secret)
            trace = await collector.trace_with(4, name="Repository.create")
        assert outline(trace)[0] == ("principal", "Repository.create", "internal")
        assert ("agent-managed", "Secret.create") in [(span.service, span.name) for span in trace]
        assert "r" in oracle.objects(fleet.east.machine.server, SECRETS, NAMESPACE)
        told = b"".join(collector.raw)
        assert b"Repository" in told
        for text in (canary, "canary-of-a-repository"):
            assert text.encode() not in told


@contextmanager
def away() -> Iterator[int]:
    """The port of a collector that has gone."""
    with held_port() as port:
        yield port


@contextmanager
def silent() -> Iterator[int]:
    """The port of one that takes connections, and never says anything."""
    with socket.socket() as listener:
        listener.bind((LOOPBACK, 0))
        listener.listen()
        yield listener.getsockname()[1]


def outages(program: Program) -> list[str]:
    """What it has said of traces, in whatever words."""
    words = ("traces", "Span", "StatusCode")
    return [line["event"] for line in program.lines if any(word in str(line) for word in words)]


async def test_a_collector_that_is_away_and_comes(tmp_path: Path) -> None:
    """Both programs work without it, say so once each, and once that it is back."""
    with held_port() as port:
        patient = traced(f"{LOOPBACK}:{port}", OTEL_EXPORTER_OTLP_TIMEOUT="1")
        async with open_fleet(tmp_path, patient) as fleet, within(DEADLINE, "an outage", *programs(fleet)):
            await create_both(fleet)
            for program in programs(fleet):
                await program.wait_said("traces-lost")
            for number in range(3):
                await edit_both(fleet, f"v{number}")
            assert [outages(program) for program in programs(fleet)] == [["traces-lost"]] * 3
            async with collectors.open_collector(port):
                number = 0
                while not all("traces-resumed" in outages(program) for program in programs(fleet)):
                    number += 1
                    await edit_both(fleet, f"w{number}")
            for program in programs(fleet):  # On a slow machine it may begin again.
                found = outages(program)
                assert found == [ENDS[each % 2] for each in range(len(found))]
            assert [await program.stop() for program in programs(fleet)] == [0, 0, 0]


@pytest.mark.parametrize("collector", [away, silent])
async def test_a_collector_that_hangs_keeps_none_from_ending(tmp_path: Path, collector: Any) -> None:
    """Whatever the exporter would wait for, a program that is told to end does."""
    with collector() as port:
        async with open_fleet(tmp_path, traced(f"{LOOPBACK}:{port}", **NEVER)) as fleet:
            async with within(DEADLINE, "an edit without a collector", *programs(fleet)):
                await create_both(fleet)
            assert [await program.stop() for program in programs(fleet)] == [0, 0, 0]
            assert [outages(program) for program in programs(fleet)] == [[]] * 3
