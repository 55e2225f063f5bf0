"""Who is told of each step that a change takes: the log at its most detailed, and a collector of traces."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.ports.env import Env
from trio_argoagent.ports.tracing import Tracing
from trio_argoagent.runtime import recordlog
from trio_argoagent.runtime.events import Observer
from trio_argoagent.runtime.loglevels import Levels
from trio_argoagent.runtime.recordlog import Category, RecordLog
from trio_argoagent.runtime.tracers import AllTracing

MISSING: Final = (
    "OpenTelemetry is not installed here: install the extra 'otel' (in a checkout: pip install '.[otel]'), "
    "or build the image or the one file with EXTRAS=otel"
)


@attrs.frozen
class TracingOptions:
    """As the user has given them.

    Attributes:
        log_level: how much is logged.
        full_detail: what the log shows in full.
        otlp_address: of the collector; empty: none.
        otlp_insecure: without TLS?
    """

    log_level: Levels
    full_detail: frozenset[Category]
    otlp_address: str
    otlp_insecure: bool


@asynccontextmanager
async def open_tracing(
    options: TracingOptions, program: str, service: str, env: Env, observer: Observer
) -> AsyncIterator[Tracing | None]:
    """Whoever is to be told; None: nobody is.

    Args:
        options: of the user.
        program: ``principal`` or ``agent``.
        service: what traces call it.
        env: wall time, and ids.
        observer: told where traces are not complete, or the collector takes none.

    Raises:
        UserError: traces are wanted, and what sends them is not installed, or not set up.
    """
    wanted: list[Tracing] = []
    if recordlog.is_wanted(options.log_level, options.full_detail):
        wanted.append(RecordLog(program, options.full_detail))
    if not options.otlp_address:
        yield wanted[0] if wanted else None
        return
    # Its native code would print of each handshake that fails, in no form of ours; it reads this when loaded.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    try:
        from trio_argoagent.runtime import otel
    except ImportError as exc:
        raise UserError(f"--otlp-address: {MISSING}") from exc
    from trio_argoagent.runtime.tracing import SpanTracing

    async with otel.open_exporting(
        options.otlp_address, service, observer, insecure=options.otlp_insecure
    ) as exporting:
        wanted.append(SpanTracing(program, env, exporting, observer))
        yield AllTracing(wanted)
