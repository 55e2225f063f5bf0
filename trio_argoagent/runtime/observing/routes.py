"""Which path shows what.

/livez and /healthz say that the event loop turns, and nothing else. A loop that is stuck cannot answer, which
is the one way in which they fail; a task of the root that ends ends the process. What goes wrong outside (the
hub, the API server, a certificate) is no better after a restart, so it does not count: argocd-agent's
``/healthz`` is 503 while the hub is away, and the kubelet then kills every agent of a fleet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

import attrs
import trio

from trio_argoagent.net.http import Request
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.conditions import holds, shown, told, verdict
from trio_argoagent.runtime.observing.shared import Shared
from trio_argoagent.runtime.tasks import picture

PLAIN: Final = "text/plain; charset=utf-8"


@attrs.frozen
class Answer:
    """What a path shows: what is there, and what is written for all who ask."""

    status: int
    parts: Sequence[bytes | Shared]
    content_type: str = PLAIN

    async def body(self) -> bytes:
        """All of it."""
        parts = [part if isinstance(part, bytes) else await part.whole() for part in self.parts]
        return b"".join(parts)


def text(status: int, content: str) -> Answer:
    """An answer for people."""
    return Answer(status, (content.encode(),))


Route = Callable[[Request, str], Answer]
"""Answers a request: asked with what stands behind its first segment, without a slash."""
Routes = Mapping[str, Route]
"""By the first segment of the path."""


def health(board: Board) -> Routes:
    """Whether the program works, and is ready."""
    return {"livez": _turns, "healthz": _turns, "readyz": partial(_ready, board)}


def metrics(board: Board) -> Routes:
    """What it counts."""
    return {"metrics": partial(_metrics, board)}


def debug() -> Routes:
    """What it is at; for people on this machine alone."""
    return {"debug": partial(_debug, Shared(_tasks, trio.current_time))}


def answer(routes: Routes, request: Request) -> Answer:
    """What to answer."""
    if request.method not in ("GET", "HEAD"):
        return text(405, "only GET and HEAD are understood\n")
    first, _, rest = request.path.removeprefix("/").partition("/")
    route = routes.get(first)
    return route(request, rest) if route is not None else _nothing(routes)


def _nothing(routes: Routes) -> Answer:
    return text(404, "nothing here; there is " + ", ".join(f"/{name}" for name in routes) + "\n")


def _turns(request: Request, rest: str) -> Answer:
    return text(404, "it has no parts\n") if rest else text(200, "ok\n")


def _ready(board: Board, request: Request, rest: str) -> Answer:
    conditions = board.conditions()
    if rest:
        found = [attrs.evolve(each, counts=True) for each in conditions if each.name == rest]
        if not found:
            return text(404, "no such condition; /readyz?verbose names them\n")
        return text(200 if found[0].ok else 503, told(f"readyz/{rest}", found))
    excluded = request.query.get("exclude", [])
    fine = holds(conditions, excluded)
    if "verbose" in request.query:
        before, after = shown(conditions, excluded), verdict("readyz", conditions, excluded)
        return Answer(200 if fine else 503, (before.encode(), board.facts, after.encode()))
    return text(200, "ok\n") if fine else text(503, told("readyz", conditions, excluded))


def _metrics(board: Board, request: Request, rest: str) -> Answer:
    if rest:
        return text(404, "it has no parts\n")
    if board.metrics is None:
        return text(503, "the program has not started yet\n")
    return Answer(200, (board.scrape,), board.metrics.content_type)


def _debug(tree: Shared, request: Request, rest: str) -> Answer:
    return Answer(200, (tree,)) if rest == "tasks" else text(404, "nothing here; there is /debug/tasks\n")


def _tasks() -> Iterator[bytes]:
    root = trio.lowlevel.current_root_task()
    assert root is not None  # Whoever asks is a task.
    return (each.encode() for each in picture(root, places=True))
