"""Tells of the writes of a worker to whoever traces the record that they are made for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

import attrs
import trio

from trio_argoagent.model.keys import Key
from trio_argoagent.ports.tracing import Tracer


@attrs.frozen
class Worked:
    """What the task works on, and who is told of it."""

    tracer: Tracer
    key: Key


WORK: Final[ContextVar[Worked | None]] = ContextVar("work", default=None)
"""Set by a worker: what writes for it need not know of records. Each worker is a task of its own."""


@contextmanager
def traced(verb: str, about: tuple[str, str, str], body: object) -> Iterator[None]:
    """Tell of the write that is made inside, if anybody listens; see ``Tracer.wrote``."""
    work = WORK.get()
    if work is None:
        yield
        return
    began, problem = trio.current_time(), "cancelled"
    try:
        yield
        problem = ""
    except Exception as exc:
        problem = type(exc).__name__  # An API server's words can quote what it was sent.
        raise
    finally:
        work.tracer.wrote(work.key, verb, about, began, problem, body)
