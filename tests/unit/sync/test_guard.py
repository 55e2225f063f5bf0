"""Which deletions pass, and which wait for a person."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Evidence
from trio_argoagent.sync import guard
from trio_argoagent.sync.guard import Departure, Guard, Limits, Ruling

STARTED = 1_000.0
LATER = STARTED + guard.WINDOW + 1.0
"""When the first ten minutes are over."""
SEEN, MISSED = Evidence.WITNESSED, Evidence.INFERRED


def gone(name: str, evidence: Evidence = MISSED, kind: Kind = Kind.APPLICATION, uid: str = "") -> Departure:
    """A copy that is to go."""
    return Departure(Key(kind, "argocd", name), uid or f"uid-{name}", evidence)


class World:
    """A guard over counted objects."""

    def __init__(self, owned: int, limits: Limits | None = None) -> None:
        self.owned = {Kind.APPLICATION: owned, Kind.APP_PROJECT: 2}
        self.guard = Guard(limits or Limits(), lambda kind: self.owned[kind])
        self.guard.new_link(STARTED)
        self.deleted: list[str] = []

    def ask(self, now: float, *departures: Departure) -> list[Ruling]:
        """Ask for each, let them settle, ask again, and carry out what passes; the rulings."""
        for each in departures:
            self.guard.ask(each, now)
        answers = []
        for each in departures:
            answer = self.guard.ask(each, now + guard.SETTLE)
            answers.append(answer.ruling)
            if answer.ruling is Ruling.PASSED:
                self.owned[each.key.kind] -= 1
                self.deleted.append(each.key.name)
                self.guard.finish(each.key, now + guard.SETTLE)
        return answers

    @property
    def reason(self) -> str:
        """Why something is held; empty: nothing is."""
        return self.guard.held.reason if self.guard.held is not None else ""


def many(count: int, evidence: Evidence = MISSED, start: int = 0) -> list[Departure]:
    """That many departures."""
    return [gone(f"app{number}", evidence) for number in range(start, start + count)]


@pytest.mark.parametrize(
    ("owned", "departures", "held"),
    [
        (100, many(5), ""),
        (100, many(6), "more than 5 of 100"),
        (1000, many(50), ""),
        (1000, many(51), "more than 50 of 1000"),
        (3, many(3), "nothing would be left of 3"),
        (2, many(2), "nothing would be left of 2"),
        (1, many(1), ""),
        (6, many(5), ""),
        (1000, many(900, SEEN), ""),
        (2, many(2, SEEN), ""),
    ],
    ids=str,
)
def test_what_passes(owned: int, departures: list[Departure], held: str) -> None:
    """Witnessed deletions pass; inferred ones up to the budget, as long as something is left of two."""
    world = World(owned)
    rulings = world.ask(LATER, *departures)
    assert {*rulings} == {Ruling.HELD if held else Ruling.PASSED}
    assert held in world.reason
    assert len(world.deleted) == (0 if held else len(departures))


def test_a_set_is_judged_as_one() -> None:
    """Nothing of an emptied hub's set goes because it came first."""
    world = World(100)
    for number, departure in enumerate(many(100)):
        answer = world.guard.ask(departure, LATER + number * 0.01)
        assert answer.ruling is Ruling.SETTLING
    assert {*world.ask(LATER + 10, *many(100))} == {Ruling.HELD}
    assert world.guard.held is not None
    assert len(world.guard.held.departures) == 100


def test_a_trickle_is_judged_before_long() -> None:
    """What comes a second apart does not settle for ever, and has one budget."""
    world, rulings = World(1000), []
    for number in range(100):
        for departure in many(number + 1):
            rulings = [world.guard.ask(departure, LATER + number).ruling]
    assert rulings == [Ruling.HELD]


def test_the_budget_is_of_ten_minutes() -> None:
    """Five pass, the sixth is held; ten minutes later five more pass."""
    world = World(40)
    assert {*world.ask(LATER, *many(5))} == {Ruling.PASSED}
    assert world.ask(LATER + 300, gone("sixth")) == [Ruling.HELD]
    world.guard.finish(gone("sixth").key, LATER + 301)
    assert {*world.ask(LATER + 700, *many(5, start=10))} == {Ruling.PASSED}


def test_kinds_have_budgets_of_their_own() -> None:
    """Six Applications are held; a project of two goes."""
    world = World(40)
    project = gone("team", kind=Kind.APP_PROJECT)
    rulings = world.ask(LATER, *many(6), project)
    assert rulings == [Ruling.HELD] * 6 + [Ruling.PASSED]


def test_what_is_held_stays_held() -> None:
    """Neither that others are wanted again nor that time passes lets it go."""
    world = World(40)
    departures = many(6)
    world.ask(LATER, *departures)
    for departure in departures[1:]:
        world.guard.finish(departure.key, LATER + 5)
    assert world.ask(LATER + 10 * guard.WINDOW, departures[0], gone("other")) == [Ruling.HELD] * 2


def test_witnessed_after_all() -> None:
    """Held, and then deleted by a user where it is owned: that one passes, and leaves the set."""
    world = World(40)
    world.ask(LATER, *many(6))
    assert world.ask(LATER + 60, gone("app3", SEEN)) == [Ruling.PASSED]
    assert world.guard.held is not None
    assert [each.key.name for each in world.guard.held.departures] == ["app0", "app1", "app2", "app4", "app5"]


def test_strict_after_a_start() -> None:
    """In the first ten minutes nothing inferred passes unasked; then all that waits is judged as one."""
    world = World(40)
    assert world.ask(STARTED + 5, *many(3)) == [Ruling.HELD] * 3
    assert "less than 10 minutes" in world.reason
    answer = world.guard.ask(many(1)[0], STARTED + 60)
    assert answer.after == pytest.approx(guard.WINDOW - 60)
    assert world.ask(LATER, *many(3)) == [Ruling.PASSED] * 3


def test_strict_and_too_many_is_held_for_good() -> None:
    """What would be held anyway does not wait for the ten minutes only."""
    world = World(40)
    world.ask(STARTED + 5, *many(6))
    assert world.ask(LATER, *many(6)) == [Ruling.HELD] * 6


def test_a_source_that_has_gone_back_deletes_nothing() -> None:
    """One copy from the source's future makes all that is missing of the kind doubtful."""
    world = World(40)
    future = attrs.evolve(gone("app9"), gone_back=True)
    assert world.ask(LATER, gone("app1"), future) == [Ruling.HELD] * 2
    assert "gone back in time" in world.reason


def test_suspicion_holds_until_a_person_or_agreement() -> None:
    """What is inferred of a source that is not the one it was is held, be it a single one."""
    world = World(40)
    world.guard.suspect("it was restored")
    assert world.ask(LATER, gone("app1")) == [Ruling.HELD]
    assert world.reason == "it was restored"
    world.guard.finish(gone("app1").key, LATER + 3)
    world.guard.trust()
    assert world.ask(LATER + 60, gone("app2")) == [Ruling.PASSED]


def test_confirmed_by_name_once_and_for_fifteen_minutes() -> None:
    """Only the set that is held now can be confirmed; then it goes, counts nowhere, and not twice."""
    world = World(40)
    departures = many(10)
    world.ask(LATER, *departures)
    held = world.guard.held
    assert held is not None
    assert held.name == guard.set_name(reversed(departures))
    assert world.guard.confirm("0" * 32, LATER + 9) == ()
    assert len(world.guard.confirm(held.name, LATER + 10)) == 10
    assert world.guard.held is None
    assert world.guard.confirm(held.name, LATER + 11) == ()
    assert world.ask(LATER + 12, *departures[:9]) == [Ruling.PASSED] * 9
    assert world.ask(LATER + 20, *many(5, start=20)) == [Ruling.PASSED] * 5, "a confirmed set spends nothing"
    late = LATER + 10 + guard.CONFIRMED_FOR
    assert world.ask(late, departures[9]) == [Ruling.PASSED], "one alone is within the budget"


def test_a_confirmation_expires() -> None:
    """What was not done within fifteen minutes is judged anew."""
    world = World(40)
    departures = many(10)
    world.ask(LATER, *departures)
    assert world.guard.held is not None
    world.guard.confirm(world.guard.held.name, LATER + 10)
    late = LATER + 10 + guard.CONFIRMED_FOR
    assert world.ask(late, *departures) == [Ruling.HELD] * 10


def test_the_name_is_of_uids_too() -> None:
    """The same name created again is another object."""
    assert guard.set_name([gone("a", uid="1")]) != guard.set_name([gone("a", uid="2")])
    assert guard.set_name([gone("a"), gone("b")]) == guard.set_name([gone("b"), gone("a")])


def test_over_links() -> None:
    """On a new link the same set keeps its name and ruling; what is not asked again goes when both agree."""
    world = World(40)
    world.ask(LATER, *many(6))
    before = world.guard.held
    world.guard.new_link(LATER + 60)
    assert world.ask(LATER + 61, *many(5)) == [Ruling.HELD] * 5
    assert world.guard.held == before
    world.guard.settled()
    assert world.guard.held is not None
    assert len(world.guard.held.departures) == 5


def test_another_record_of_the_key_keeps_the_ruling() -> None:
    """A tombstone that is sent again for the same uid is not judged again; another uid is."""
    world = World(40)
    world.ask(LATER, *many(6))
    world.guard.renew(gone("app1").key)
    assert world.guard.ask(gone("app1"), LATER + 30).ruling is Ruling.HELD
    world.guard.renew(gone("app1").key)
    assert world.guard.ask(gone("app1", uid="other"), LATER + 31).ruling is not Ruling.PASSED


def test_most_bounds_witnessed_deletions() -> None:
    """With --max-deletions 3 the fourth within ten minutes is held, whatever its evidence."""
    world = World(40, Limits.of(3, None))
    assert world.ask(LATER, *many(4, SEEN)) == [Ruling.PASSED] * 3 + [Ruling.HELD]
    assert "--max-deletions" in world.reason
    assert world.ask(LATER + 700, *many(2, SEEN, start=9)) == [Ruling.PASSED] * 2


def test_limits_of_the_options() -> None:
    """A number is a number, whatever is owned; -1 holds nothing that is inferred."""
    assert World(1000, Limits.of(None, 2)).ask(LATER, *many(3)) == [Ruling.HELD] * 3
    off = World(3, Limits.of(None, -1))
    assert off.ask(STARTED, *many(3)) == [Ruling.PASSED] * 3
    bounded = World(9, Limits.of(2, -1))
    assert bounded.ask(STARTED, *many(3)) == [Ruling.PASSED] * 2 + [Ruling.HELD]


OWNED = 60
EVENTS = st.lists(
    st.tuples(
        st.lists(st.integers(0, OWNED - 1), min_size=1, max_size=7, unique=True),
        st.sampled_from([MISSED, MISSED, MISSED, SEEN]),
        st.sampled_from([1.0, 30.0, 200.0, 700.0]),
        st.sampled_from(["ask", "ask", "ask", "ask", "link", "renew", "confirm", "crash"]),
    ),
    min_size=4,
    max_size=30,
)


@settings(deadline=None, max_examples=300)
@given(EVENTS)
def test_blast_radius(events: list[tuple[list[int], Evidence, float, str]]) -> None:
    """I4: whatever comes, and however often the guard starts anew, what goes unseen stays in the budget."""
    world, now = World(OWNED), STARTED
    unseen: list[float] = []
    confirmed: dict[str, None] = {}
    for indices, evidence, wait, what in events:
        now += wait
        asked = [gone(f"app{index}", evidence) for index in indices]
        asked = [each for each in asked if each.key.name not in world.deleted]
        if what == "crash":
            world.guard = Guard(Limits(), world.owned.__getitem__)
            world.guard.new_link(now)
            confirmed.clear()
        elif what == "link":
            world.guard.new_link(now)
        elif what == "renew":
            for each in asked:
                world.guard.renew(each.key)
        elif what == "confirm" and world.guard.held is not None:
            keys = world.guard.confirm(world.guard.held.name, now)
            confirmed.update(dict.fromkeys(key.name for key in keys))
        rulings = world.ask(now, *asked)
        now += guard.SETTLE
        for each, ruling in zip(asked, rulings, strict=True):
            if ruling is Ruling.PASSED and evidence is MISSED and each.key.name not in confirmed:
                unseen.append(now)
    for at in unseen:
        assert sum(at <= other < at + guard.WINDOW for other in unseen) <= guard.FLOOR


def test_what_is_wanted_again_is_held_no_more() -> None:
    """The object is back: its record does not ask, and once both sides agree the set knows of it no more."""
    world = World(40)
    world.ask(LATER, *many(6))
    world.guard.renew(gone("app1").key)
    world.guard.settled()
    assert world.guard.held is not None
    assert "app1" not in [each.key.name for each in world.guard.held.departures]


def test_the_window_begins_when_it_is_carried_out() -> None:
    """Ruled long before an API server could do it: the budget is spent until ten minutes after that."""
    world = World(40)
    late = LATER + guard.WINDOW - 10
    for departure in many(5):
        world.guard.ask(departure, LATER)
    for departure in many(5):
        assert world.guard.ask(departure, LATER + guard.SETTLE).ruling is Ruling.PASSED
        world.guard.finish(departure.key, late)
    assert world.ask(LATER + guard.WINDOW + 10, gone("other")) == [Ruling.HELD]
