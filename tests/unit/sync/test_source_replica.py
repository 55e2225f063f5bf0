"""One Source and one Replica in a toy world: whatever happens on the way, the two sides end up equal."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sync.toyworld import KEYS, World
from trio_argoagent.model.keys import Key
from trio_argoagent.model.records import Outcome
from trio_argoagent.sync.buckets import Buckets
from trio_argoagent.sync.replica import CONTEST_BACKOFF, MAX_REVERTS

Step = Callable[[World], None]


def _step(name: str, *arguments: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    return st.tuples(st.just(name), *arguments)


_KEY = st.sampled_from(KEYS)
_VERSION = st.integers(0, 2)
_WORKER = st.integers(0, 3)
_ANSWERS = (Outcome.APPLIED, Outcome.PENDING, Outcome.REJECTED)
"""What a worker can come to."""
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
    _step("disturb", _KEY),
    _step("start"),
    _step("write", _WORKER),
    _step("finish", _WORKER, st.sampled_from([*_ANSWERS, Outcome.APPLIED, None])),
    _step("finish", _WORKER, st.just(Outcome.APPLIED)),
    _step("connect"),
    _step("cut"),
    _step("pull"),
    _step("push"),
    _step("mark"),
    _step("deliver_down"),
    _step("garble"),
    _step("deliver_up"),
    _step("drain_down"),
    _step("drain_up"),
    _step("check"),
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


def _check_cached_roots(world: World) -> None:
    """What is kept hashed is what would be hashed now."""
    source = world.source
    afresh = Buckets()
    for key, entry in source._entries.items():
        afresh.set(key, entry.held)
    assert (len(afresh), afresh.hashes()) == (len(source._held), source._held.hashes())


def _check_waiting(world: World) -> None:
    """Those that are known to wait are those of which something is wanted."""
    replica = world.replica
    waiting = {key for key in replica._slots if replica.wanted(key) is not None}
    assert set(replica.waiting()) == waiting and replica.statistics(world.now).waiting == len(waiting)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_STEPS, st.booleans()), min_size=12, max_size=40))
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
        _check_cached_roots(world)
        _check_waiting(world)
    world.settle()
    world.assert_converged()


def _synced() -> World:
    world = World()
    for key in KEYS[:3]:
        world.put(key, 0)
    world.settle()
    return world


def test_a_key_that_vanishes_during_a_comparison_is_not_forgotten() -> None:
    """What was claimed as held stays known, although nobody wants it any more when the leaf arrives."""
    world = _synced()
    world.restart_source(blind=False)
    world.put(KEYS[1], 1)
    world.connect()
    world.deliver_up()
    world.vanish(KEYS[0])
    world.settle()
    world.assert_converged()
    assert KEYS[0] not in world.copies


def test_a_check_while_a_drift_is_being_put_back_is_no_mismatch() -> None:
    """The replica heals on its own: no comparison starts, and no record is sent."""
    world = _synced()
    sent = len(world.tickets)
    world.disturb(KEYS[0])
    world.check()
    world.settle()
    world.assert_converged()
    assert len(world.tickets) == sent


def test_what_could_not_be_read_hides_nothing_that_was_applied_before_it() -> None:
    """The source goes back to what the replica holds, while the record before is still being worked on."""
    world = _synced()
    world.put(KEYS[0], 1)
    world.drain_down()
    world.start()
    world.tick(2.0)
    world.put(KEYS[0], 2)
    world.pull()
    world.garble()
    world.put(KEYS[0], 0)
    world.drain_up()
    world.settle()
    world.assert_converged()


def test_a_drift_is_put_back_offline() -> None:
    """No link is needed to guard what was applied."""
    world = _synced()
    world.cut()
    world.disturb(KEYS[0])
    world.start()
    world.finish(0, Outcome.APPLIED)
    assert world.copies[KEYS[0]].intact


def test_a_new_key_on_a_live_link_is_sent() -> None:
    """A link that is live knows that a key it never heard of is not held."""
    world = _synced()
    world.put(KEYS[3], 0)
    world.settle()
    world.assert_converged()
    assert KEYS[3] in world.copies


def test_a_hundred_thousand_edits_while_cut_are_one_record() -> None:
    """A dirty key is dirty once: nothing queues."""
    world = _synced()
    world.cut()
    sent = len(world.tickets)
    for version in range(100_000):
        world.put(KEYS[0], version)
    world.settle()
    world.assert_converged()
    assert [ticket.key for ticket in world.tickets[sent:]] == [KEYS[0]]


def test_equal_roots_cost_nothing() -> None:
    """After a cut, and after either side's restart, an unchanged fleet sends no bucket and no record."""
    world = _synced()
    for accident in (
        world.cut,
        lambda: world.restart_source(blind=False),
        lambda: world.restart_replica(landing=False),
    ):
        accident()
        sent = len(world.frames)
        world.settle()
        assert world.frames[sent:] == []
        world.assert_converged()


def test_a_blind_source_buries_nothing() -> None:
    """A source that has listed nothing sends no tombstone, however different the roots are."""
    world = _synced()
    world.restart_source(blind=True)
    world.connect()
    for _ in range(10):
        world._round()
    assert len(world.copies) == 3
    world.settle()
    world.assert_converged()


def test_a_cascade_strips_only_after_the_copy_is_gone() -> None:
    """The source's object stays until the replica has answered that very record, over a cut too."""
    world = _synced()
    world.cascade(KEYS[0])
    world.drain_down()
    world.start()
    world.write(0)
    world.strip()
    assert KEYS[0] in world.things
    world.cut()
    world.settle()
    world.assert_converged()
    assert KEYS[0] not in world.things and KEYS[0] not in world.copies


def _contested(world: World, key: Key) -> None:
    """Somebody keeps deleting a copy, until we stop putting it back for a while and say so."""
    for _ in range(MAX_REVERTS):
        world.lose(key)
        world.observe(key)
        world.start()
        world.finish(0, Outcome.APPLIED)
    world.lose(key)
    world.observe(key)
    assert world.replica.take(world.now) is None and key not in world.copies
    world.drain_up()


def test_what_is_withdrawn_while_contested_does_not_come_back() -> None:
    """The replica holds nothing, but it will put back what it guards unless it is told not to."""
    world = _synced()
    _contested(world, KEYS[0])
    world.remove(KEYS[0])
    world.drain_down()
    world.tick(CONTEST_BACKOFF + 1)
    world.start()
    for _ in range(len(world.working)):
        world.finish(0, Outcome.APPLIED)
    assert KEYS[0] not in world.copies
    world.settle()
    world.assert_converged()


def test_a_carried_out_cascade_is_not_buried_again() -> None:
    """Whoever has answered that a copy is gone guards nothing: its end at the source is no news."""
    world = _synced()
    sent = len(world.tickets)
    world.cascade(KEYS[0])
    world.settle()
    world.assert_converged()
    assert len(world.tickets) == sent + 1
