"""Hands spans to OpenTelemetry's own SDK. Nothing else imports that, and nothing imports this for nothing.

The exporter is theirs: it sends by gRPC, from a thread of its own, and at most 2,048 spans wait; what it
cannot send it drops. Of an outage it would log a line for each try; here the log has one when it begins and
one when it is over. Headers, certificates and time-outs are its own variables (``OTEL_EXPORTER_OTLP_*``), and
so is which traces are kept (``OTEL_TRACES_SAMPLER``). Of each trace all spans of a program are kept, or none,
as the trace's id says: so both sides keep the same ones if both are told the same.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import trio
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import NoOpTracer, SpanContext, Status, StatusCode, TraceFlags
from opentelemetry.trace import SpanKind as Kind

from trio_argoagent._version import __version__
from trio_argoagent.errors import UserError
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.logfile import OnceAMinute
from trio_argoagent.runtime.redaction import redacted
from trio_argoagent.runtime.spans import Span, SpanKind

FLUSH: Final = 2.0
"""Seconds that a program waits at its end for what has not been sent."""
MAX_PROBLEM: Final = 1024
"""Characters of a reason."""
EXPORTER: Final = "opentelemetry.exporter"
"""The logger of what sends."""
HEADERS: Final = "opentelemetry.util.re"
"""The logger of what reads headers."""
QUEUES: Final = ("opentelemetry.sdk._shared_internal", "opentelemetry.sdk.trace.export")
"""Those of what waits to be sent; by version, one or the other."""
_NANO: Final = 1_000_000_000
_KINDS: Final = {kind: Kind[kind.value] for kind in SpanKind}
_FINE: Final = Status(StatusCode.OK)


class Exporting:
    """An ``Emit`` that exports.

    Args:
        service: the name of the program there.
        processor: takes the spans.
    """

    def __init__(self, service: str, processor: SpanProcessor) -> None:
        self._resource = Resource.create({"service.name": service, "service.version": __version__})
        # It reads which traces are kept, and whether there are any, from the environment.
        provider = TracerProvider(resource=self._resource, shutdown_on_exit=False)
        self._sampler, self._processor = provider.sampler, processor
        self._scope = InstrumentationScope("trio_argoagent", __version__)
        self._off = isinstance(provider.get_tracer("trio_argoagent"), NoOpTracer)

    def __call__(self, span: Span) -> None:
        """Export it, if its trace is kept.

        It has ended, and its ids and parent are known: a tracer, which gives out ids and takes note of a span
        while it lasts, would cost four times as much CPU as the value that is exported.
        """
        trace = int.from_bytes(span.trace, "big")
        if self._off or not self._sampler.should_sample(None, trace, span.name).decision.is_sampled():
            return
        told = ReadableSpan(
            span.name,
            _context(trace, span.id),
            _context(trace, span.parent, remote=span.remote) if span.parent else None,
            self._resource,
            span.attributes,
            kind=_KINDS[span.kind],
            status=_status(span.problem),
            start_time=int(span.start * _NANO),
            end_time=int(span.end * _NANO),
            instrumentation_scope=self._scope,
        )
        self._processor.on_end(told)

    async def end(self) -> None:
        """Send what waits; nothing is exported any more. Cancelled, it gives up what is left."""
        # It blocks, and longer than it is told to where nobody listens; the process is about to end.
        await trio.to_thread.run_sync(self._processor.shutdown, abandon_on_cancel=True)


def _context(trace: int, span: bytes, *, remote: bool = False) -> SpanContext:
    return SpanContext(trace, int.from_bytes(span, "big"), remote, TraceFlags(TraceFlags.SAMPLED))


def _status(problem: str) -> Status:
    return Status(StatusCode.ERROR, redacted(problem)[:MAX_PROBLEM]) if problem else _FINE


class Sparingly(SpanExporter):  # type: ignore[misc]  # Installed or not, it is taken for Any.
    """An exporter of whose outages is told when they begin and when they end, and nothing between.

    Args:
        exporter: sends.
        address: of the collector.
        observer: told, in the thread that exports.
    """

    def __init__(self, exporter: SpanExporter, address: str, observer: Observer) -> None:
        self._exporter, self._address, self._observer = exporter, address, observer
        self._lost = 0
        self._why = _Last(EXPORTER)
        full = _Full(lambda: bool(self._lost))
        for name in QUEUES:
            logging.getLogger(name).filters[:] = [full]

    def export(self, spans: Sequence[Any]) -> SpanExportResult:
        """See ``SpanExporter``."""
        try:
            result = self._exporter.export(spans)
        except Exception as exc:  # Its words may quote a header, such as a token.
            self._why.said, result = f"{type(exc).__name__} in the exporter", SpanExportResult.FAILURE
        if result is not SpanExportResult.SUCCESS:
            if not self._lost:
                text = f"the collector {self._address} takes no traces; until it does they are dropped"
                text = f"{text}: {self._why.said or 'no reason was given'}"
                self._observer(Event("traces-lost", "", text, "warning"))
            self._lost += len(spans)
        elif self._lost:
            text = f"the collector {self._address} takes traces again; {self._lost} spans were dropped"
            self._observer(Event("traces-resumed", "", text))
            self._lost = 0
        return result

    def shutdown(self) -> None:
        """See ``SpanExporter``."""
        self._exporter.shutdown()


class _Last(logging.Handler):
    """Keeps the last that was said, and nobody else hears it.

    Args:
        name: of the logger.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.said = ""
        heard = logging.getLogger(name)
        heard.handlers[:], heard.propagate = [self], False
        heard.setLevel(logging.WARNING)  # Else it depends on how much this program logs.

    def emit(self, record: logging.LogRecord) -> None:
        """See ``Handler``."""
        self.said = record.getMessage()


class _Full(OnceAMinute):
    """That a queue is full is said at each span: once a minute does, and nothing of it in an outage."""

    def __init__(self, known: Callable[[], bool]) -> None:
        super().__init__()
        self._known = known

    def filter(self, record: logging.LogRecord) -> bool:
        """See ``OnceAMinute``."""
        return not self._known() and super().filter(record)


@asynccontextmanager
async def open_exporting(
    address: str, service: str, observer: Observer, *, insecure: bool
) -> AsyncIterator[Exporting]:
    """Export by OTLP over gRPC.

    Args:
        address: ``host:port`` of the collector. That nobody is there is no error: it is dialled again.
        service: the name of the program there.
        observer: told of outages, by Trio's thread.
        insecure: without TLS.

    Raises:
        UserError: one of OpenTelemetry's own variables is not what it takes.
    """
    tell, headers = _in_its_thread(observer), _Last(HEADERS)
    try:
        sending = OTLPSpanExporter(endpoint=address, insecure=insecure)
        if headers.said:  # It would log the header, whose value is mostly a secret, and go on without.
            raise ValueError("OTEL_EXPORTER_OTLP_HEADERS is no list of name=value, joined by commas")
        exporter = Sparingly(sending, address, tell)
        exporting = Exporting(service, BatchSpanProcessor(exporter))
    except Exception as exc:  # Each of its parts has an exception of its own for that.
        raise UserError(f"--otlp-address, or OTEL_* in the environment: {exc}") from exc
    try:
        yield exporting
    finally:
        with trio.move_on_after(FLUSH, shield=True):
            await exporting.end()


def _in_its_thread(observer: Observer) -> Observer:
    """The observer, for other threads than the one that calls this."""
    token = trio.lowlevel.current_trio_token()

    def tell(event: Event) -> None:
        with suppress(trio.RunFinishedError):  # The last words of a thread that nobody has waited for.
            token.run_sync_soon(observer, event)

    return tell
