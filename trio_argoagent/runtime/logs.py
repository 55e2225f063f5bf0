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
    renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    if style == "text":
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def log_events(program: str) -> Observer:
    """An observer that logs what happens in a program."""
    logger = structlog.get_logger(program=program)

    def observe(event: Event) -> None:
        about = {"agent": event.agent} if event.agent else {}
        getattr(logger, event.level)(event.name, detail=event.text, **about)

    return observe
