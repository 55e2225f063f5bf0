"""Spans as OpenTelemetry has them; with its SDK installed (the extras ``otel`` and ``test``)."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from concurrent.futures import Future
from typing import Any

import pytest
import trio
import trio.testing

pytest.importorskip("opentelemetry.sdk", reason="the extra 'otel' is not installed")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the extra 'otel' is not installed")

from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from trio_argoagent.errors import UserError
from trio_argoagent.runtime import otel
from trio_argoagent.runtime.events import Event, ignore
from trio_argoagent.runtime.spans import Span, SpanKind
from trio_argoagent.testing.collector import UNPROXIED, open_collector

KEPT, LEFT = b"\1" * 16, b"\xff" * 16
"""Traces of which a ratio of a half keeps the first."""


def a_span(trace: bytes = KEPT, parent: bytes = b"", **more: Any) -> Span:
    """One."""
    told = {"argocd.agent.name": "east", "n": 1}
    return Span(trace, b"\2" * 8, parent, "Application.update", SpanKind.PRODUCER, 1.5, 2.25, told, **more)


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    """Keeps what is exported."""
    return InMemorySpanExporter()


def exporting(exporter: InMemorySpanExporter) -> otel.Exporting:
    """What exports to it at once."""
    return otel.Exporting("agent-managed", SimpleSpanProcessor(exporter))


def test_as_it_is(exporter: InMemorySpanExporter) -> None:
    """Ids, times, kind and attributes are ours; the service is named."""
    exporting(exporter)(a_span())
    (found,) = exporter.get_finished_spans()
    assert found.context.trace_id.to_bytes(16, "big") == KEPT
    assert found.context.span_id.to_bytes(8, "big") == b"\2" * 8
    assert found.parent is None and found.kind.name == "PRODUCER"
    assert (found.start_time, found.end_time) == (1_500_000_000, 2_250_000_000)
    assert dict(found.attributes) == {"argocd.agent.name": "east", "n": 1}
    assert found.resource.attributes["service.name"] == "agent-managed"
    assert found.status.status_code is StatusCode.OK
    assert found.instrumentation_scope.name == "trio_argoagent"


def test_what_a_program_says_of_itself(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By OpenTelemetry's own variable; the service's name stays."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "k8s.cluster.name=blue,service.name=mine")
    exporting(exporter)(a_span())
    (found,) = exporter.get_finished_spans()
    told = found.resource.attributes
    assert (told["k8s.cluster.name"], told["service.name"]) == ("blue", "agent-managed")


def test_below_the_other_side(exporter: InMemorySpanExporter) -> None:
    """The parent is named, and is remote."""
    exporting(exporter)(a_span(parent=b"\3" * 8, remote=True))
    (found,) = exporter.get_finished_spans()
    assert found.parent.span_id.to_bytes(8, "big") == b"\3" * 8
    assert found.parent.trace_id == found.context.trace_id
    assert found.parent.is_remote


def test_a_problem(exporter: InMemorySpanExporter) -> None:
    """An error, in words without secrets, and not too many."""
    exporting(exporter)(a_span(problem="password=hunter2 " + "x" * 5000))
    (found,) = exporter.get_finished_spans()
    assert found.status.status_code is StatusCode.ERROR
    assert "hunter2" not in found.status.description
    assert len(found.status.description) == otel.MAX_PROBLEM


def test_switched_off(exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """By OpenTelemetry's own switch, too."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    exporting(exporter)(a_span())
    assert exporter.get_finished_spans() == ()


@pytest.mark.parametrize("sampler", ["traceidratio", "parentbased_traceidratio"])
def test_both_sides_keep_the_same(
    exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch, sampler: str
) -> None:
    """It follows from the trace's id, for the first span as for those below the other side's."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", sampler)
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
    tell = exporting(exporter)
    for parent in (b"", b"\3" * 8):
        tell(a_span(KEPT, parent, remote=bool(parent)))
        tell(a_span(LEFT, parent, remote=bool(parent)))
    found = exporter.get_finished_spans()
    assert [span.context.trace_id.to_bytes(16, "big") for span in found] == [KEPT, KEPT]


def test_none_at_all(exporter: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever wants none gets none."""
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_off")
    exporting(exporter)(a_span())
    assert exporter.get_finished_spans() == ()


async def test_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """By OTLP, over gRPC, to one that listens."""
    monkeypatch.setenv(*next(iter(UNPROXIED.items())))
    with trio.fail_after(60):
        async with open_collector() as collector:
            async with otel.open_exporting(collector.address, "principal", ignore, insecure=True) as tell:
                tell(a_span())
            (span,) = await collector.trace_with(1)
    assert (span.service, span.name, span.kind) == ("principal", "Application.update", "producer")
    assert span.attributes == {"argocd.agent.name": "east", "n": 1}


class Moody(InMemorySpanExporter):  # type: ignore[misc]
    """One that takes spans, does not, or breaks, and says why as OpenTelemetry's does."""

    mood = SpanExportResult.SUCCESS

    def export(self, spans: Any) -> Any:
        """See ``SpanExporter``."""
        logging.getLogger(f"{otel.EXPORTER}.some").error("error code %s", "UNAVAILABLE")
        if self.mood is None:
            raise ValueError("metadata was invalid: [('x-team', 'canary')]")
        return self.mood


def test_an_outage_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """One line when it begins, with the reason, and one when it is over, however often it was tried."""
    told: list[Event] = []
    moody = Moody()
    exporter = otel.Sparingly(moody, "collector:4317", told.append)
    tell = otel.Exporting("principal", SimpleSpanProcessor(exporter))
    for mood in (SpanExportResult.SUCCESS, SpanExportResult.FAILURE, None):
        moody.mood = mood
        for _ in range(50):
            tell(a_span())
    (lost,) = told
    assert (lost.name, lost.level) == ("traces-lost", "warning")
    assert "collector:4317" in lost.text and "error code UNAVAILABLE" in lost.text
    moody.mood = SpanExportResult.SUCCESS
    tell(a_span())
    tell(a_span())
    (_, resumed) = told
    assert (resumed.name, resumed.level) == ("traces-resumed", "info") and "100 spans" in resumed.text
    assert not caplog.records


class Stuck(InMemorySpanExporter):  # type: ignore[misc]
    """One that comes to no end before it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go, self.began = Future[None](), Future[None]()

    def export(self, spans: Any) -> Any:
        """See ``SpanExporter``."""
        if not self.began.done():
            self.began.set_result(None)
        self.go.result(60)
        return SpanExportResult.SUCCESS


def test_a_full_queue_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    """What is dropped because the collector is slow is said, and not for each span."""
    stuck = Stuck()
    exporter = otel.Sparingly(stuck, "c:1", ignore)
    processor = BatchSpanProcessor(exporter, max_queue_size=4, max_export_batch_size=4)
    tell = otel.Exporting("principal", processor)
    try:
        for _ in range(4):
            tell(a_span())
        stuck.began.result(60)
        for _ in range(100):
            tell(a_span())
    finally:
        stuck.go.set_result(None)
        processor.shutdown()
    (record,) = caplog.records
    assert "dropp" in record.getMessage()


def test_an_exporter_that_breaks_is_told() -> None:
    """An exception of its own is an outage like others; its words may quote a header, and stay."""
    told: list[Event] = []
    moody = Moody()
    moody.mood = None
    otel.Exporting("principal", SimpleSpanProcessor(otel.Sparingly(moody, "c:1", told.append)))(a_span())
    (lost,) = told
    assert "ValueError" in lost.text and "x-team" not in lost.text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "bzip2"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "-1"),
    ],
)
async def test_a_wrong_variable(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """What OpenTelemetry does not take of its own variables is the user's to mend."""
    monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="OTEL_"):
        async with otel.open_exporting("127.0.0.1:1", "principal", ignore, insecure=True):
            pass


@pytest.mark.parametrize("headers", ["x-team: canary", "a=b,x team=canary", "canary"])
@pytest.mark.parametrize("level", [logging.INFO, logging.ERROR, logging.CRITICAL])
async def test_headers_that_are_none(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, headers: str, level: int
) -> None:
    """At each level the line names the variable; a header's value is mostly a secret, and stands nowhere."""
    caplog.set_level(level)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", headers)
    with pytest.raises(UserError, match="OTEL_EXPORTER_OTLP_HEADERS") as caught:
        async with otel.open_exporting("127.0.0.1:1", "principal", ignore, insecure=True):
            pass
    assert "canary" not in f"{caught.value}{caplog.text}"


async def test_the_end_is_bounded(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collector that takes connections and never answers is waited for as long as it says there."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "5")  # Real seconds, of a thread that nobody waits for.
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        began = trio.current_time()
        async with otel.open_exporting(address, "principal", ignore, insecure=True) as tell:
            tell(a_span())
        assert trio.current_time() - began == pytest.approx(otel.FLUSH)


UNFIT = """
import sys
import trio
from trio_argoagent.cli.tracing import TracingOptions, open_tracing
from trio_argoagent.runtime.loglevels import parse
from trio_argoagent.runtime.spans import Span, SpanKind
from trio_argoagent.runtime.world import real_env
lost = trio.Event()
async def main():
    options = TracingOptions(parse("info"), frozenset(), sys.argv[1], False)
    async with open_tracing(options, "agent", "agent", real_env(), lambda event: lost.set()) as tracing:
        from trio_argoagent.model.identity import Mode
        tracing._those[0]._emit(Span(b"1" * 16, b"1" * 8, b"", "x", SpanKind.INTERNAL, 1.0, 2.0, {}))
        await lost.wait()
trio.run(main)
"""


async def test_only_the_log_speaks() -> None:
    """What gRPC's native code would print of each handshake that fails is not printed."""
    hurry = {"OTEL_EXPORTER_OTLP_TIMEOUT": "1", "OTEL_BSP_SCHEDULE_DELAY": "10"}
    with trio.fail_after(120):
        async with open_collector() as plain:
            command = [sys.executable, "-c", UNFIT, plain.address]
            done = await trio.run_process(
                command, capture_stderr=True, env={**os.environ, **UNPROXIED, **hurry}
            )
    assert done.stderr == b""


def test_nobody_listens() -> None:
    """That ends no program, and keeps none from ending: what waits is given up."""
    code = f"""
import trio
from trio_argoagent.runtime import otel
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.spans import Span, SpanKind
otel.FLUSH = 0.1
async def main():
    async with otel.open_exporting("127.0.0.1:1", "principal", ignore, insecure=True) as tell:
        tell(Span({KEPT!r}, {KEPT[:8]!r}, b"", "x", SpanKind.INTERNAL, 1.0, 2.0, {{}}))
    print("ended")
trio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "ended\n"
