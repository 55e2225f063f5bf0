"""Who is asked when, and what becomes of what goes wrong."""

from __future__ import annotations

import resource
from collections.abc import Callable
from datetime import datetime, timedelta

import attrs
import pytest
import trio
import trio.testing

from trio_argoagent.bench.figures import Case, Found, Values
from trio_argoagent.bench.questions import OURS, SPARE, Asked, Effort, NotHere, Question, Side, each
from trio_argoagent.bench.runner import LIMIT, answer, rounds_of, why
from trio_argoagent.errors import UserError

EFFORT = Effort(rounds=3, seconds=1.0, quick=False)
A, B = Side("a", "", ""), Side("b", "", "")


class Asking:
    """Answers each case with the number of the round."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, asked: Asked) -> Found:
        """See ``Ask``."""
        self.asked.append((asked.side.name, asked.turn))
        return [(case, {"cost": ("us", float(asked.turn))}) for case in asked.cases]


def question(ask: Callable[[Asked], object], **more: object) -> Question:
    """Of two sides and three cases."""
    asked = Question("q", "f", "what", (1, 2, 3), "n", ask, (A, B), "a", (1,))  # type: ignore[arg-type]
    return attrs.evolve(asked, **more)


def quiet(text: str) -> None:
    """Nobody looks on."""


async def test_turns() -> None:
    """Each round has all sides, and in each another one begins."""
    asking, told = Asking(), list[str]()
    found = await answer(question(asking), EFFORT, told.append)
    assert asking.asked == [("a", 0), ("b", 0), ("b", 1), ("a", 1), ("a", 2), ("b", 2)]
    assert [(row.case, row.side) for row in found.rows] == [(c, s) for c in (1, 2, 3) for s in "ab"]
    assert found.rows[0].figures["cost"].values == (0.0, 1.0, 2.0)
    assert told[3] == "q: a, round 2 of 3"


@pytest.mark.parametrize(("at_once", "begun"), [(1, [1, 2, 3]), (2, [3, 2, 1])])
async def test_the_greatest_case_is_not_alone_at_the_end(at_once: int, begun: list[int]) -> None:
    """Where several are measured at a time it begins first; the answer has them in their order."""
    order: list[Case] = []

    async def measure(case: Case, asked: Asked) -> Values:
        order.append(case)
        await trio.lowlevel.checkpoint()
        return {"cost": ("us", float(case))}

    found = await answer(question(each(measure, at_once), rounds=1), EFFORT, quiet, sides=["a"])
    assert order == begun
    assert [row.case for row in found.rows] == [1, 2, 3]


async def test_choice() -> None:
    """Of sides, and of cases for a quick look."""
    asking = Asking()
    quick = attrs.evolve(EFFORT, quick=True, rounds=1)
    found = await answer(question(asking), quick, quiet, sides=["b"])
    assert [(row.case, row.side) for row in found.rows] == [(1, "b")]
    few = question(asking, quick_sides=("a",))
    assert {row.side for row in (await answer(few, quick, quiet)).rows} == {"a"}
    assert {row.side for row in (await answer(few, quick, quiet, sides=["b"])).rows} == {"b"}
    assert {row.side for row in (await answer(few, EFFORT, quiet)).rows} == {"a", "b"}


async def test_absent() -> None:
    """A side that is not installed is told, and the others are measured."""
    missing = Side("missing", "", "", package="no_such_package")
    found = await answer(question(Asking(), sides=(A, missing)), EFFORT, quiet)
    assert {row.side for row in found.rows} == {"a"}
    assert found.absent == {"missing": "no_such_package is not installed"}


async def test_stuck(autojump_clock: trio.testing.MockClock) -> None:
    """What never ends is given up, in one line."""

    async def never(asked: Asked) -> Found:
        await trio.sleep_forever()
        return []

    given_up = "no figures after 600 s: given up"
    with pytest.raises(UserError, match=rf"^a: {given_up}; b: {given_up}$"):
        await answer(question(never), EFFORT, quiet)
    assert trio.current_time() == 2 * LIMIT


async def test_a_side_that_fails() -> None:
    """It is absent from then on, with its reason; what it and the others have shown is kept."""
    asking = Asking()

    async def fragile(asked: Asked) -> Found:
        if asked.side is B and asked.turn == 1:
            raise ExceptionGroup("tasks", [UserError("b: the server does not start"), ValueError("x")])
        return await asking(asked)

    found = await answer(question(fragile), EFFORT, quiet)
    assert asking.asked == [("a", 0), ("b", 0), ("a", 1), ("a", 2)]
    assert found.absent == {"b": "the server does not start; it has failed: ValueError: x"}
    assert found.failed == ("b",)
    assert [(row.side, row.figures["cost"].values) for row in found.rows[:2]] == [
        ("a", (0.0, 1.0, 2.0)),
        ("b", (0.0,)),
    ]


async def test_not_here() -> None:
    """What this machine lacks is no failure: it is said as it is, out of any group."""

    async def measure(case: Case, asked: Asked) -> Values:
        raise NotHere("nothing counts")

    with pytest.raises(NotHere, match=r"^nothing counts$"):
        await answer(question(each(measure)), EFFORT, quiet)


async def test_taking(autojump_clock: trio.testing.MockClock) -> None:
    """When it was asked, for how long, and in how many rounds, whatever has come of them."""
    asking = Asking()

    async def slow(asked: Asked) -> Found:
        await trio.sleep(1.5)
        return await asking(asked)

    taking = (await answer(question(slow), EFFORT, quiet)).taking
    assert taking is not None
    assert (taking.seconds, taking.rounds) == (9.0, 3)
    assert datetime.fromisoformat(taking.at).utcoffset() == timedelta(0)


def test_why() -> None:
    """Whatever has gone wrong is one line, and no cause of a group is lost in silence."""
    causes = [UserError("no port"), trio.TooSlowError(), ValueError("two\nlines"), KeyError("x"), OSError()]
    assert why(causes[0]) == "no port"
    assert why(ExceptionGroup("g", causes)) == (
        "no port; what was waited for has not come; it has failed: ValueError: two lines; and 2 more"
    )


@pytest.mark.parametrize(("rounds", "effort", "all_in_all"), [(0, 3, 3), (1, 3, 1), (5, 3, 3), (5, 1, 1)])
def test_rounds(rounds: int, effort: int, all_in_all: int) -> None:
    """As many as the effort says, or fewer where more would tell nothing."""
    assert rounds_of(question(Asking(), rounds=rounds), attrs.evolve(EFFORT, rounds=effort)) == all_in_all


async def test_files() -> None:
    """A limit that is too low is one line; one that may be raised is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY:
        pytest.skip("this machine has no hard limit of open files")
    many = question(Asking(), files=1, cases=(1, hard - SPARE + 1), sides=(OURS,))
    with pytest.raises(NotHere, match=rf"^needs {hard + 1:,} open files, and {hard:,} are allowed"):
        await answer(many, EFFORT, quiet)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard - 1, hard))
        # A quick look has fewer cases.
        await answer(many, attrs.evolve(EFFORT, quick=True), quiet)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard - 1
        await answer(attrs.evolve(many, cases=(hard - SPARE,)), EFFORT, quiet)
        assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] == hard
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
