"""Which path shows what."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest

from trio_argoagent.net.http import Request
from trio_argoagent.runtime.observing import routes
from trio_argoagent.runtime.observing.board import Board
from trio_argoagent.runtime.observing.conditions import Condition

LISTENER = Condition("listener", True, "agents may dial")
LINK = Condition("link", False, "waiting", counts=False)


@attrs.frozen
class Metrics:
    """Of one moment."""

    content_type: str = "text/plain; version=0.0.4"

    def pieces(self) -> Iterator[bytes]:
        """All of them."""
        yield b"up "
        yield b"1\n"


def board(*conditions: Condition) -> Board:
    """Of a program that has started."""
    made = Board(lambda: 0.0)
    made.show(lambda: conditions, lambda: ["feed desired: fine"])
    return made


def get(of: Board, target: str, method: str = "GET") -> routes.Answer:
    """What is answered."""
    every = {**routes.health(of), **routes.metrics(of)}
    return routes.answer(every, Request(method, target, ()))


@pytest.mark.parametrize("target", ["/livez", "/healthz", "/healthz?verbose"])
@pytest.mark.parametrize("of", [Board(), board(attrs.evolve(LISTENER, ok=False))], ids=["new", "unready"])
def test_the_loop_turns(of: Board, target: str) -> None:
    """Which is all that these say: a restart mends nothing else."""
    assert get(of, target) == routes.text(200, "ok\n")


@pytest.mark.parametrize(
    ("conditions", "query", "status"),
    [
        ((LISTENER, LINK), "", 200),
        ((LISTENER, LINK), "?verbose", 200),
        ((attrs.evolve(LISTENER, ok=False), LINK), "", 503),
        ((attrs.evolve(LISTENER, ok=False), LINK), "?verbose=1", 503),
        ((attrs.evolve(LISTENER, ok=False), LINK), "?exclude=listener", 200),
        ((attrs.evolve(LISTENER, ok=False), LINK), "?exclude=x&exclude=listener", 200),
        ((attrs.evolve(LISTENER, ok=False), LINK), "?exclude=x", 503),
        ((LISTENER, LINK), "/link", 503),
        ((LISTENER, attrs.evolve(LINK, ok=True)), "/link", 200),
        ((attrs.evolve(LISTENER, ok=False), attrs.evolve(LINK, ok=True)), "/link", 200),
        ((LISTENER, LINK), "/started", 200),
        ((LISTENER, LINK), "/nothing", 404),
        ((LISTENER, LINK), "/", 200),
    ],
)
def test_readiness(conditions: tuple[Condition, ...], query: str, status: int) -> None:
    """As a whole, without some, or one alone, which counts then."""
    assert get(board(*conditions), f"/readyz{query}").status == status


async def test_a_program_that_has_not_started() -> None:
    """It says so, and has no metrics."""
    found = get(Board(), "/readyz")
    assert found.status == 503
    assert (await found.body()).startswith(b"[-]started failed: ")
    assert get(Board(), "/metrics").status == 503


async def test_all_that_is_to_be_said() -> None:
    """Conditions, then facts, then the verdict."""
    assert (await get(board(LISTENER, LINK), "/readyz?verbose").body()).decode() == (
        "[+]started ok: settings, TLS material and the cluster have been found\n"
        "[+]listener ok: agents may dial\n"
        "[-]link failed, does not count: waiting\n"
        "event loop: at most 0.0 ms late in the last minutes\n"
        "feed desired: fine\n"
        "readyz check passed\n"
    )


async def test_metrics() -> None:
    """As the program has them, with their type."""
    of = board()
    of.metrics = Metrics()
    found = get(of, "/metrics")
    assert await found.body() == b"up 1\n"
    assert (found.status, found.content_type) == (200, of.metrics.content_type)
    assert get(of, "/metrics", "HEAD").status == 200
    assert get(of, "/metrics/x").status == 404


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("POST", "/readyz", 405),
        ("DELETE", "/metrics", 405),
        ("GET", "/", 404),
        ("GET", "", 404),
        ("GET", "*", 404),
        ("GET", "/live", 404),
        ("GET", "/livez/x", 404),
        ("GET", "//livez", 404),
        ("GET", "/%6civez", 404),
        ("POST", "/live", 405),
    ],
)
async def test_what_is_not_there(method: str, target: str, status: int) -> None:
    """Says what there is."""
    found = get(board(LISTENER), target, method)
    assert found.status == status
    said = await found.body()
    assert status == 405 or target == "/livez/x" or b"/livez, /healthz, /readyz, /metrics" in said


async def test_the_tree_of_tasks() -> None:
    """Of the whole program, with this task in it; and it is all there is to see of it."""
    every = routes.debug()
    found = routes.answer(every, Request("GET", "/debug/tasks", ()))
    lines = (await found.body()).decode().splitlines()
    assert found.status == 200 and lines[0].startswith("<init>") and len(lines) > 2
    assert routes.answer(every, Request("GET", "/debug/heap", ())).status == 404
