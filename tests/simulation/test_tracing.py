"""One trace from an edit to the write on the other cluster, whatever happens to the link between them."""

from __future__ import annotations

import logging
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import pairwise

import pytest
import structlog
import trio

from trio_argoagent.agent.program import Agent
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.resources import APPLICATIONS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.tracing import Tracer, Tracing
from trio_argoagent.principal.program import Principal
from trio_argoagent.runtime import logs, tracing
from trio_argoagent.runtime.recordlog import ALL, RecordLog
from trio_argoagent.runtime.spans import Span, SpanKind
from trio_argoagent.runtime.tracers import AllTracing
from trio_argoagent.runtime.tracing import SpanTracing
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project, application
from trio_argoagent.testing.argocd.repositories import encoded, repository
from trio_argoagent.testing.faults import Faults
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, Spoke, SpokePlan, run_fleet
from trio_argoagent.testing.programs import Program
from trio_argoagent.testing.scheduling import make_env, simulate

EAST, WEST = SpokePlan("east"), SpokePlan("west", Mode.AUTONOMOUS)


class TracedFleet(Fleet):
    """A fleet that keeps its spans."""

    def __init__(self, seed: int, plans: Sequence[SpokePlan]) -> None:
        self.spans: list[Span] = []
        self.detailed = False
        super().__init__(seed, plans)

    def _tracing(self, component: str) -> Tracing:
        spans = SpanTracing(component, make_env(self.seed, component, "spans"), self.spans.append)
        return AllTracing([spans, RecordLog(component, ALL)]) if self.detailed else spans

    def _make_principal(self, start: int) -> Principal:
        principal = super()._make_principal(start)
        principal.trace(self._tracing("principal"))
        return principal

    def _agent_program(self, spoke: Spoke) -> Program[Agent]:
        plain = super()._agent_program(spoke)

        def make(start: int) -> Agent:
            agent = plain._make(start)
            agent.trace(self._tracing("agent"))
            return agent

        return Program(spoke.name, make)

    def tracers(self) -> list[Tracer]:
        """Of every program that runs."""
        agents = [each.instance for each in self.agents.values() if each.instance is not None]
        peers = self.principal.instance.peers.values() if self.principal.instance is not None else ()
        outlets = [*(agent.spoke.outlet for agent in agents), *(peer.outlet for peer in peers)]
        return [each.tracer for each in outlets if each.tracer is not None]


def tell(
    seed: int,
    plans: Sequence[SpokePlan],
    story: Callable[[TracedFleet], Awaitable[None]],
    *,
    start: bool = True,
) -> list[Span]:
    """The spans of a story that has come to rest."""
    spans: list[Span] = []

    async def main() -> None:
        fleet = TracedFleet(seed, plans)
        async with run_fleet(fleet, start=start):
            await story(fleet)
            fleet.set_faults()
            await fleet.wait_consistent()
            await trio.sleep(5)
            assert [tracer.unanswered() for tracer in fleet.tracers()] == [()] * 2 * len(plans)
            spans.extend(fleet.spans)

    simulate(main, seed=seed)
    return spans


def sides(span: Span) -> str:
    """Who did it."""
    return str(span.attributes["argocd.component.type"])


def tree(spans: Sequence[Span], parent: bytes = b"") -> list[object]:
    """Names and sides of a trace's spans, each followed by what is under it."""
    found: list[object] = []
    for span in sorted((each for each in spans if each.parent == parent), key=lambda each: each.start):
        found += [f"{sides(span)}: {span.name}"]
        if below := tree(spans, span.id):
            found += [below]
    return found


def traces(spans: Sequence[Span], name: str) -> list[list[Span]]:
    """The traces with a span of that name, in their order."""
    ids = dict.fromkeys(span.trace for span in spans if span.name == name)
    return [[span for span in spans if span.trace == each] for each in ids]


async def edit(fleet: TracedFleet, hub: bool, revision: str) -> None:
    """Change the Application's spec where it is owned."""
    cluster = fleet.hub_as("user") if hub else fleet.spoke_as("west", "user")
    namespace = "east" if hub else NAMESPACE
    patch = MergePatch({"spec": {"source": {"targetRevision": revision}}})
    await cluster.patch(APPLICATIONS, namespace, "web", patch)


async def create(fleet: TracedFleet) -> None:
    """An Application on each side."""
    await fleet.hub_as("user").create(APPLICATIONS, application("web", namespace="east"))
    if "west" in fleet.spokes:
        await fleet.spoke_as("west", "user").create(APPLICATIONS, application("web", namespace=NAMESPACE))
    await fleet.wait_consistent()


def test_one_edit() -> None:
    """From the hub's informer to the spoke's API server, and the answer; of both modes, both ways."""

    async def story(fleet: TracedFleet) -> None:
        await create(fleet)
        fleet.spans.clear()
        await edit(fleet, True, "v2")
        await edit(fleet, False, "v3")

    spans = tell(1, (EAST, WEST), story)
    found = traces(spans, "Application.update")
    up, down = sorted(found, key=lambda trace: tree(trace)[0] != "agent: Application.update")
    assert tree(down) == [
        "principal: Application.update",
        ["principal: application.send", ["agent: application.spec-update", ["agent: Application.patch"]]],
    ]
    assert tree(up) == [
        "agent: Application.update",
        ["agent: application.send", ["principal: application.spec-update", ["principal: Application.patch"]]],
    ]
    change, record, receipt, write = (next(s for s in down if s.kind is kind) for kind in SpanKind)
    # Within what is lost in seconds since 1970.
    times = [change.start, record.start, receipt.start, write.start, write.end, receipt.end, change.end]
    assert all(before <= after + 1e-6 for before, after in pairwise(times))
    assert record.start < receipt.start - 1e-3 and receipt.end < change.end - 1e-3  # It took its way.
    assert receipt.remote and not record.remote and not any(span.problem for span in down)
    told = receipt.attributes
    assert told["argocd.agent.name"] == "east" and told["argocd.agent.mode"] == "managed"
    assert (told["k8s.resource.name"], told["k8s.resource.namespace"]) == ("web", NAMESPACE)
    assert (told["argocd.event.target"], told["argocd.event.type"]) == ("application", "spec-update")
    assert told["k8s.resource.uid"] == change.attributes["k8s.resource.uid"]


def test_a_status_comes_back() -> None:
    """Likewise, from the spoke's informer to the write on the hub."""

    async def story(fleet: TracedFleet) -> None:
        await create(fleet)
        fleet.spans.clear()
        await edit(fleet, True, "v2")

    spans = tell(2, (EAST,), story)
    below = ["principal: application.status-update", ["principal: Application.patch"]]
    expected = ["agent: ApplicationStatus.update", ["agent: application.send", below]]
    assert expected in [tree(each) for each in traces(spans, "ApplicationStatus.update")]


def test_a_sync() -> None:
    """What is asked for on the hub is a trace of its own."""

    async def story(fleet: TracedFleet) -> None:
        await create(fleet)
        fleet.spans.clear()
        sync = MergePatch({"operation": {"sync": {"revision": "v1"}, "initiatedBy": {"username": "you"}}})
        await fleet.hub_as("user").patch(APPLICATIONS, "east", "web", sync)
        await trio.sleep(10)

    (trace,) = traces(tell(3, (EAST,), story), "Intent.sync")
    below = ["agent: application.set-operation", ["agent: Application.patch"]]
    assert tree(trace) == ["principal: Intent.sync", ["principal: application.send", below]]


def test_a_link_that_breaks() -> None:
    """What was not answered is sent again, into the same trace; no span is lost, and none has no parent."""

    async def story(fleet: TracedFleet) -> None:
        await create(fleet)
        fleet.spans.clear()
        fleet.set_faults(Faults(refused=0.2, lost=0.1, failed_after=0.1, conflicts=0.1))
        for number in range(12):
            await edit(fleet, True, f"v{number}")
            await edit(fleet, False, f"v{number}")
            for spoke in fleet.spokes:
                fleet.slow(spoke, 0.3)
            await trio.sleep(0.1 * number)
            for spoke in fleet.spokes:
                fleet.cut(spoke)
            await trio.sleep(1)
            for spoke in fleet.spokes:
                fleet.heal(spoke)
            await trio.sleep(5)

    spans = tell(4, (EAST, WEST), story)
    ids = [(span.trace, span.id) for span in spans]
    assert len(ids) == len(set(ids))
    assert [span.name for span in spans if span.parent and (span.trace, span.parent) not in ids] == []
    again = [
        trace
        for trace in traces(spans, "application.send")
        if sum(span.name == "application.send" for span in trace) > 1
    ]
    assert again  # Some were under way when the link went.
    assert any(span.problem == tracing.UNANSWERED for span in spans)
    ended = [span for span in spans if span.name.endswith((".update", ".create"))]
    assert any(span.attributes.get("trio-argoagent.outcome") == "held" for span in ended)


def test_a_restart() -> None:
    """A principal that dies with a change on its way is followed by one that carries it on, in its trace."""

    async def story(fleet: TracedFleet) -> None:
        await create(fleet)
        fleet.spans.clear()
        fleet.crash("east")
        await edit(fleet, True, "v2")
        await trio.sleep(2)
        fleet.crash(PRINCIPAL)
        fleet.start()

    (trace,) = traces(tell(5, (EAST,), story), "application.spec-update")
    assert tree(trace) == [
        "principal: Application.update",
        ["principal: application.send", ["agent: application.spec-update", ["agent: Application.patch"]]],
    ]


def test_what_is_put_back() -> None:
    """An edit on the spoke that is undone is seen in the trace of the value that it is put back to."""
    first: list[Span] = []

    async def story(fleet: TracedFleet) -> None:
        await create(fleet)
        first.extend(fleet.spans)
        fleet.spans.clear()
        patch = MergePatch({"spec": {"project": "other"}})
        await fleet.spoke_as("east", "intruder").patch(APPLICATIONS, NAMESPACE, "web", patch)
        await trio.sleep(3)

    (trace,) = traces(tell(6, (EAST,), story), "Application.revert")
    assert tree(trace) == ["agent: Application.revert", ["agent: Application.patch"]]
    (made,) = [span for span in first if span.name == f"{Kind.APPLICATION}.create" and not span.remote][:1]
    assert trace[0].trace == made.trace


@pytest.mark.parametrize("plan", [EAST, WEST], ids=["managed", "autonomous"])
def test_a_deletion(plan: SpokePlan) -> None:
    """Likewise."""

    async def story(fleet: TracedFleet) -> None:
        cluster = fleet.hub_as("user") if plan is EAST else fleet.spoke_as("west", "user")
        namespace = "east" if plan is EAST else NAMESPACE
        await cluster.create(APPLICATIONS, application("web", namespace=namespace))
        await fleet.wait_consistent()
        fleet.spans.clear()
        await cluster.delete(APPLICATIONS, namespace, "web")

    spans = tell(7, (plan,), story)
    names = [span.name for trace in traces(spans, "Application.delete") for span in trace]
    assert names.count("application.delete") == 1


@pytest.fixture
def own_logging() -> Iterator[None]:
    """What a test sets up of the process' logging ends with it."""
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    structlog.reset_defaults()
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)


@pytest.mark.usefixtures("own_logging")
def test_no_secret_is_told(capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a span nor the log at its most detailed has the content of a Secret, sent, written or seen."""
    canary = encoded("canary-of-a-repository")

    async def story(fleet: TracedFleet) -> None:
        fleet.detailed = True
        fleet.start()
        anywhere = [{"name": "*", "namespace": "*", "server": "*"}]
        await fleet.apply(
            app_project("team", namespace=NAMESPACE, destinations=anywhere, sourceNamespaces=["*"])
        )
        secret = repository("r", namespace=NAMESPACE, project="team")
        secret["data"] |= {"anything": canary}
        await fleet.apply([secret])
        east = fleet.spokes["east"].server
        await fleet.until(lambda: "r" in oracle.objects(east, SECRETS, NAMESPACE))

    logs.configure("debug", "json")
    spans = tell(8, (EAST,), story, start=False)
    told = capfd.readouterr().err
    assert canary not in repr(spans) and canary not in told
    assert [span.name for span in spans if span.attributes["k8s.resource.kind"] == "Repository"]
    assert '"resource_type": "repository"' in told and "<redacted: Secret>" in told
