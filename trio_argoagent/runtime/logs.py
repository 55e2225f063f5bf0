"""Logging: one line per event, for people or as JSON, on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Final, TextIO, cast

from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.logfile import OnceAMinute, Unfailing, Writes


@contextmanager
def _hidden(name: str) -> Iterator[None]:
    """Let an optional package look as if it were not installed, to those who look for it meanwhile."""
    found = sys.modules.get(name)
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[name]
        if found is not None:
            sys.modules[name] = found


# structlog loads rich wherever it is installed: 6 MiB in each program, for tracebacks that show the values of
# variables, which may be tokens. Programs load it only for what they draw themselves.
with _hidden("rich"):
    import structlog

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("text", "json")


def configure(level: str, style: str) -> None:
    """Set up logging for a whole process; call it once, from the command line.

    Args:
        level: one of ``LEVELS``.
        style: one of ``FORMATS``.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    stamps: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    plain = structlog.dev.plain_traceback
    ending: list[structlog.typing.Processor] = [
        structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)
    ]
    if style == "json":
        # A traceback becomes a field: whoever collects the logs reads them line by line.
        ending = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    stream = cast(TextIO, Unfailing(sys.stderr))
    structlog.configure(
        processors=[*stamps, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    # What libraries say, and net/ of a failing handler, comes out in the same form.
    handler = logging.StreamHandler(stream)
    unmarked = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=stamps, processors=[unmarked, *ending])
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    busy = logging.getLogger("trio.serve_listeners")
    busy.filters[:] = [OnceAMinute()]


def json_lines(name: str, called: str, stream: Writes) -> Callable[[str, Mapping[str, object]], None]:
    """A log of its own, of JSON whatever the form of the other, and whatever its level.

    Args:
        name: stands in each line as ``logger``.
        called: the field that says what has happened.
        stream: takes each line.

    Returns:
        What writes a line: what has happened, and the other fields.
    """
    processors: list[structlog.typing.Processor] = [
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.EventRenamer(called),
        structlog.processors.JSONRenderer(),
    ]
    logger = structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, stream)),
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(logging.NOTSET),
    ).bind(logger=name)

    def say(what: str, fields: Mapping[str, object]) -> None:
        logger.info(what, **fields)

    return say


def log_events(program: str) -> Observer:
    """An observer that logs what happens in a program."""
    logger = structlog.get_logger(program=program)

    def observe(event: Event) -> None:
        about = {"agent": event.agent} if event.agent else {}
        getattr(logger, event.level)(event.name, detail=event.text, **about)

    return observe
