"""Logging: one line per event, for people or as JSON, on standard error."""

from __future__ import annotations

import logging
import sys
from typing import Final

import structlog

from trio_argoagent.runtime.events import Event, Observer

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
    ending: list[structlog.typing.Processor] = [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())]
    if style == "json":
        # A traceback becomes a field: whoever collects the logs reads them line by line.
        ending = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*stamps, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    # What libraries say, and net/ of a failing handler, comes out in the same form.
    handler = logging.StreamHandler(sys.stderr)
    unmarked = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=stamps, processors=[unmarked, *ending])
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)


def log_events(program: str) -> Observer:
    """An observer that logs what happens in a program."""
    logger = structlog.get_logger(program=program)

    def observe(event: Event) -> None:
        about = {"agent": event.agent} if event.agent else {}
        getattr(logger, event.level)(event.name, detail=event.text, **about)

    return observe
