"""A collector of traces on loopback that keeps what it is sent. It needs what the extra ``otel`` installs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import attrs
import grpc
import trio
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as messages
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as service

from trio_argoagent.testing.machine import LOOPBACK

UNPROXIED: Final = {"no_grpc_proxy": LOOPBACK}
"""Environment of programs that are to reach it: their exporter would ask a proxy even for this machine."""


@attrs.frozen
class Told:
    """One span, as it came.

    Attributes:
        service: the program that has sent it.
        trace: id.
        id: of the span.
        parent: likewise; empty: it has none.
        name: of the span.
        kind: ``internal``, ``producer``, ``consumer`` or ``client``.
        attributes: texts and numbers.
        problem: how it failed; empty: it did not.
    """

    service: str
    trace: bytes
    id: bytes
    parent: bytes
    name: str
    kind: str
    attributes: Mapping[str, str | int]
    problem: str


class Collector:
    """Takes traces by OTLP over gRPC; ``open_collector`` runs it.

    Attributes:
        address: ``host:port``.
        spans: that have come.
        raw: the requests, as they were on the wire.
    """

    def __init__(self) -> None:
        self.address = ""
        self.spans: list[Told] = []
        self.raw: list[bytes] = []
        self._came = trio.Event()

    def take(self, request: Any) -> None:
        """A request has come; called by Trio's thread."""
        self.raw.append(request.SerializeToString())
        self.spans += _spans(request)
        self._came.set()
        self._came = trio.Event()

    def forget(self) -> None:
        """What has come so far."""
        self.spans.clear()
        self.raw.clear()

    async def wait(self) -> None:
        """Until more has come."""
        await self._came.wait()

    async def trace_with(self, count: int, **about: str) -> list[Told]:
        """The spans of the first trace that has so many, and one of them with these fields of ``Told``."""
        while True:
            for trace in dict.fromkeys(each.trace for each in self.spans if _is(each, about)):
                found = [each for each in self.spans if each.trace == trace]
                if len(found) >= count:
                    return found
            await self.wait()


def _is(span: Told, about: Mapping[str, str]) -> bool:
    return all(getattr(span, name) == value for name, value in about.items())


def _spans(request: Any) -> Iterator[Told]:
    for of_one in request.resource_spans:
        name = _values(of_one.resource.attributes)["service.name"]
        for scope in of_one.scope_spans:
            for span in scope.spans:
                yield Told(
                    service=str(name),
                    trace=span.trace_id,
                    id=span.span_id,
                    parent=span.parent_span_id,
                    name=span.name,
                    kind=type(span).SpanKind.Name(span.kind).removeprefix("SPAN_KIND_").lower(),
                    attributes=_values(span.attributes),
                    problem=span.status.message,
                )


def _values(attributes: Any) -> Mapping[str, str | int]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


@asynccontextmanager
async def open_collector(port: int = 0) -> AsyncIterator[Collector]:
    """One on loopback, which has gone when the block is left.

    Args:
        port: that it listens on; 0: any that is free.
    """
    collector, token = Collector(), trio.lowlevel.current_trio_token()

    class Servicer(service.TraceServiceServicer):  # type: ignore[misc]  # Taken for Any.
        def Export(self, request: Any, context: Any) -> Any:
            with suppress(trio.RunFinishedError):
                token.run_sync_soon(collector.take, request)
            return messages.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(1))
    service.add_TraceServiceServicer_to_server(Servicer(), server)
    collector.address = f"{LOOPBACK}:{server.add_insecure_port(f'{LOOPBACK}:{port}')}"
    server.start()
    try:
        yield collector
    finally:
        server.stop(0).wait()  # No call waits for this thread, so it is over at once.
