"""Logging: one line per event, for people or as JSON, on standard error; and no secret in any of them."""

from __future__ import annotations

import logging
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Final, TextIO, cast

import trio

from trio_argoagent.errors import leaves
from trio_argoagent.runtime import redaction
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.logfile import OnceAMinute, Unfailing, Writes
from trio_argoagent.runtime.loglevels import LEVELS, NUMBERS, Levels, parse, subsystem_of
from trio_argoagent.runtime.sparing import TOO_MANY, Sparing


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

__all__ = ["FORMATS", "LEVELS", "configure", "json_lines", "log_events"]
FORMATS: Final = ("text", "json")
MAX_CAUSES: Final = 8
"""Exceptions of a group that a line names."""
KEY: Final = 128
"""Characters that tell two lines of a library apart: ``sparing.MOST`` of them take 13 MiB."""


def configure(levels: Levels | str, style: str) -> Unfailing:
    """Set up logging for a whole process; call it once, from the command line.

    Args:
        levels: the least that is logged, or what ``loglevels.parse`` reads.
        style: one of ``FORMATS``.

    Returns:
        What all lines go to, which knows how many were lost.

    Raises:
        UserError: there is no such level.
    """
    levels = parse(levels) if isinstance(levels, str) else levels
    stamps: list[structlog.typing.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _Causes(levels),
        _redact,
    ]
    ending: structlog.typing.Processor = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    if style == "json":
        ending = structlog.processors.JSONRenderer()
    unfailing = Unfailing(sys.stderr)
    stream = cast(TextIO, unfailing)
    structlog.configure(
        processors=[_Threshold(levels), *stamps, ending],
        # It knows the numbers of the standard library only: "trace" is all that is said at "debug".
        wrapper_class=structlog.make_filtering_bound_logger(levels.lowest // 10 * 10),
        logger_factory=structlog.WriteLoggerFactory(stream),
    )
    # What libraries say, and net/ of a failing handler, comes out in the same form.
    handler = _Bounded(stream)
    unmarked = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=stamps, processors=[unmarked, ending])
    )
    logging.basicConfig(handlers=[handler], level=levels.default, force=True)
    busy = logging.getLogger("trio.serve_listeners")
    busy.filters[:] = [OnceAMinute()]
    sys.excepthook = _last_words
    return unfailing


class _Threshold:
    """Lets through what its subsystem's level does."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def __call__(self, logger: Any, method: str, fields: Any) -> Any:
        if NUMBERS[method] < self._levels.of(fields.get("subsys")):
            raise structlog.DropEvent
        return fields


class _Causes:
    """Says what went wrong in one line, however deep in groups it is; the traceback is for ``debug``."""

    def __init__(self, levels: Levels) -> None:
        self._levels = levels

    def __call__(self, logger: Any, method: str, fields: Any) -> Any:
        exc = _exception(fields.pop("exc_info", None))
        if exc is not None:
            fields["error"] = causes(exc)
            if self._levels.of(fields.get("subsys")) <= NUMBERS["debug"]:
                fields["exception"] = "".join(traceback.format_exception(exc)).rstrip()
        return fields


def _exception(found: Any) -> BaseException | None:
    if found is True:
        found = sys.exc_info()
    if isinstance(found, tuple):
        found = found[1]
    return found if isinstance(found, BaseException) else None


def causes(exc: BaseException) -> str:
    """One line: each exception of a group, and where it comes from."""
    found = list(leaves(exc))
    told = [f"{type(each).__name__}: {each} ({_place(each.__traceback__)})" for each in found[:MAX_CAUSES]]
    if len(found) > MAX_CAUSES:
        told.append(f"and {len(found) - MAX_CAUSES} more")
    return "; ".join(" ".join(each.split()) for each in told)


def _place(trace: TracebackType | None) -> str:
    frames = traceback.extract_tb(trace)
    if not frames:
        return "nowhere"
    package, _, path = frames[-1].filename.rpartition("site-packages/")
    return f"{path if package else '/'.join(path.split('/')[-3:])}:{frames[-1].lineno}"


def _redact(logger: Any, method: str, fields: Any) -> Any:
    ours = {name: value for name, value in fields.items() if name.startswith("_")}  # structlog's own.
    return (
        redaction.redacted_fields({name: value for name, value in fields.items() if name not in ours}) | ours
    )


class _Bounded(logging.StreamHandler[TextIO]):
    """Writes what libraries say, and bounds how often one says the same.

    Attributes:
        now: monotonic seconds; not Trio's, for libraries have threads of their own.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__(stream)
        self.now: Callable[[], float] = time.monotonic  # noqa: TID251
        self._sparing = Sparing()

    def emit(self, record: logging.LogRecord) -> None:  # Of one thread at a time, unlike a filter.
        passed = self._sparing.ask(record.name, str(record.msg)[:KEY], self.now())
        if passed is None:
            return
        notes = [f"{passed.omitted} before it were not logged"] if passed.omitted else []
        notes += [TOO_MANY] if passed.last else []
        if notes:
            record.msg = f"{record.msg} ({'; '.join(notes)})"  # Without a % of its own.
        super().emit(record)

    def handleError(self, record: logging.LogRecord) -> None:
        """Say which line is missing, and not what was to be in it: that may be a secret."""
        place = f"{record.pathname}:{record.lineno}"
        structlog.get_logger().error("a library's line cannot be logged", logger=record.name, place=place)


def _last_words(kind: type[BaseException], exc: BaseException, trace: TracebackType | None) -> None:
    """What Python says of an exception that ends the program, without secrets."""
    text = "".join(traceback.format_exception(kind, exc, trace))
    Unfailing(sys.stderr).write(redaction.redacted(text))


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
        _redact,
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


def log_events(program: str, now: Callable[[], float] = trio.current_time) -> Observer:
    """An observer that logs what happens in a program.

    Args:
        program: its name.
        now: monotonic seconds.
    """
    logger, sparing = structlog.get_logger(program=program), Sparing()

    def observe(event: Event) -> None:
        passed = sparing.ask(event.name, event.agent, now())
        if passed is None:
            return
        about: dict[str, Any] = {"agent": event.agent} if event.agent else {}
        if (subsystem := subsystem_of(event.name)) is not None:
            about["subsys"] = subsystem.value
        if passed.omitted:
            about["omitted"] = passed.omitted
        if passed.last:
            about["note"] = TOO_MANY
        getattr(logger, event.level)(event.name, detail=event.text, **about)

    return observe
