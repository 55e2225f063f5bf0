"""One Source and one Replica in a toy world: whatever happens on the way, the two sides end up equal."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sync.toyworld import KEYS, World
from trio_argoagent.model.records import Outcome

Step = Callable[[World], None]


def _step(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(st.just(name), *arguments)


_KEY = st.sampled_from(KEYS)
_VERSION = st.integers(0, 2)
_WORKER = st.integers(0, 3)
_STEPS = st.one_of(
    _step("put", _KEY, _VERSION),
    _step("put", _KEY, _VERSION),
    _step("remove", _KEY),
    _step("recreate", _KEY, _VERSION),
    _step("cascade", _KEY),
    _step("strip"),
    _step("blind"),
    _step("relist"),
    _step("vanish", _KEY),
    _step("drift", _KEY),
    _step("mend", _KEY),
    _step("lose", _KEY),
    _step("observe", _KEY),
    _step("observe", _KEY),
    _step("start"),
    _step("write", _WORKER),
    _step("finish", _WORKER, st.sampled_from([*Outcome, Outcome.APPLIED, None])),
    _step("finish", _WORKER, st.just(Outcome.APPLIED)),
    _step("connect"),
    _step("cut"),
    _step("pull"),
    _step("push"),
    _step("mark"),
    _step("deliver_down"),
    _step("deliver_up"),
    _step("restart_source"),
    _step("restart_replica"),
    _step("tick", st.sampled_from([0.5, 2.0, 70.0, 400.0])),
    _step("flow"),
)
_RESTARTS = {"restart_source": "blind", "restart_replica": "landing"}


def _run(world: World, step: tuple[object, ...], flag: bool) -> None:
    name, arguments = str(step[0]), step[1:]
    if name == "flow":
        # One good moment: without it most links die before anything has been said on them.
        world.connect()
        for _ in range(4):
            world._round()
    elif name in _RESTARTS:
        getattr(world, name)(**{_RESTARTS[name]: flag})
    else:
        getattr(world, name)(*arguments)


@settings(max_examples=4000, deadline=None)
@given(st.lists(st.tuples(_STEPS, st.booleans()), max_size=60))
def test_every_interleaving_converges_and_then_is_silent(
    steps: list[tuple[tuple[object, ...], bool]],
) -> None:
    """Changes, deletes, recreations, drift, cuts, restarts, relists: the end is equal, proven and quiet."""
    world = World()
    for key in KEYS[:3]:
        world.put(key, 0)
    world.settle()
    for step, flag in steps:
        _run(world, step, flag)
    world.settle()
    world.assert_converged()
