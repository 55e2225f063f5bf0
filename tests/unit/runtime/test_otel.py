"""Spans as OpenTelemetry has them; with its SDK installed (the extras ``otel`` and ``test``)."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio

pytest.importorskip("opentelemetry.sdk", reason="the extra 'otel' is not installed")
pytest.importorskip("opentelemetry.exporter.otlp.proto.grpc", reason="the extra 'otel' is not installed")

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from trio_argoagent.runtime import otel
from trio_argoagent.runtime.spans import Span, SpanKind

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
    monkeypatch.setenv("no_grpc_proxy", "127.0.0.1")
    import grpc
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service

    came: list[Any] = []

    class Collector(service.TraceServiceServicer):  # type: ignore[misc]
        def Export(self, request: Any, context: Any) -> Any:
            came.append(request)
            return messages.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(1))
    service.add_TraceServiceServicer_to_server(Collector(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        async with otel.open_exporting(f"127.0.0.1:{port}", "principal", insecure=True) as tell:
            tell(a_span())
            with trio.fail_after(60):
                await trio.to_thread.run_sync(tell._provider.force_flush)
    finally:
        server.stop(0)
    (request,) = came
    (spans,) = request.resource_spans
    assert [each.name for scope in spans.scope_spans for each in scope.spans] == ["Application.update"]
    assert ("service.name", "principal") in [(a.key, a.value.string_value) for a in spans.resource.attributes]


def test_nobody_listens() -> None:
    """That ends no program, and keeps none from ending: what waits is given up."""
    code = f"""
import trio
from trio_argoagent.runtime import otel
from trio_argoagent.runtime.spans import Span, SpanKind
otel.FLUSH = 0.1
async def main():
    async with otel.open_exporting("127.0.0.1:1", "principal", insecure=True) as tell:
        tell(Span({KEPT!r}, {KEPT[:8]!r}, b"", "x", SpanKind.INTERNAL, 1.0, 2.0, {{}}))
    print("ended")
trio.run(main)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert done.stdout == "ended\n"
