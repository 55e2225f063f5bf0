"""Hands spans to OpenTelemetry's own SDK. Nothing else imports that, and nothing imports this for nothing.

The exporter is theirs: it sends by gRPC, from a thread of its own, and at most 2,048 spans wait; what it
cannot send it drops, and says so in the log. Headers, certificates and time-outs are its own variables
(``OTEL_EXPORTER_OTLP_*``), and so is which traces are kept (``OTEL_TRACES_SAMPLER``). Of each trace all spans
of a program are kept, or none, as the trace's id says: so both sides keep the same ones if both are told the
same.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import trio
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)

from trio_argoagent._version import __version__
from trio_argoagent.runtime.redaction import redacted
from trio_argoagent.runtime.spans import Span

FLUSH: Final = 2.0
"""Seconds that a program waits at its end for what has not been sent."""
MAX_PROBLEM: Final = 1024
"""Characters of a reason."""
_NANO: Final = 1_000_000_000


class _Given(IdGenerator):  # type: ignore[misc]  # Installed or not, it is taken for Any.
    """Ids are ours: both sides must come to the same."""

    def __init__(self) -> None:
        self.trace = self.span = 0

    def generate_trace_id(self) -> int:
        """See ``IdGenerator``."""
        return self.trace

    def generate_span_id(self) -> int:
        """Likewise."""
        return self.span


class Exporting:
    """An ``Emit`` that exports.

    Args:
        service: the name of the program there.
        processor: takes the spans.
    """

    def __init__(self, service: str, processor: SpanProcessor) -> None:
        self._ids = _Given()
        resource = Resource.create({"service.name": service, "service.version": __version__})
        self._provider = TracerProvider(resource=resource, id_generator=self._ids, shutdown_on_exit=False)
        self._provider.add_span_processor(processor)
        self._tracer = self._provider.get_tracer("trio_argoagent", __version__)

    def __call__(self, span: Span) -> None:
        """Export it, if its trace is kept."""
        trace = int.from_bytes(span.trace, "big")
        kept = self._provider.sampler.should_sample(None, trace, span.name).decision.is_sampled()
        if not kept:
            return
        self._ids.trace, self._ids.span = trace, int.from_bytes(span.id, "big")
        told = self._tracer.start_span(
            span.name,
            _below(span) if span.parent else Context(),
            kind=SpanKind[span.kind.value],
            attributes=dict(span.attributes),
            start_time=int(span.start * _NANO),
        )
        failed = Status(StatusCode.ERROR, redacted(span.problem)[:MAX_PROBLEM])
        told.set_status(failed if span.problem else Status(StatusCode.OK))
        told.end(int(span.end * _NANO))

    async def end(self) -> None:
        """Send what waits; nothing is exported any more. Cancelled, it gives up what is left."""
        # It blocks, and longer than it is told to where nobody listens; the process is about to end.
        await trio.to_thread.run_sync(self._provider.shutdown, abandon_on_cancel=True)


def _below(span: Span) -> Context:
    """The context of its parent, which is in a trace that is kept."""
    numbers = int.from_bytes(span.trace, "big"), int.from_bytes(span.parent, "big")
    flags = TraceFlags(TraceFlags.SAMPLED)
    return set_span_in_context(NonRecordingSpan(SpanContext(*numbers, span.remote, flags)), Context())


@asynccontextmanager
async def open_exporting(address: str, service: str, *, insecure: bool) -> AsyncIterator[Exporting]:
    """Export by OTLP over gRPC.

    Args:
        address: ``host:port`` of the collector. That nobody is there is no error: it is dialled again.
        service: the name of the program there.
        insecure: without TLS.
    """
    exporter = OTLPSpanExporter(endpoint=address, insecure=insecure)
    exporting = Exporting(service, BatchSpanProcessor(exporter))
    try:
        yield exporting
    finally:
        with trio.move_on_after(FLUSH, shield=True):
            await exporting.end()
