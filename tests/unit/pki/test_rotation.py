"""When a root may take over: every cell of the table, and that nobody is left behind by mistake."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import UserError
from trio_argoagent.pki import rotation
from trio_argoagent.pki.rotation import PATIENCE, Agent, Phase, Rotation

OLD, NEW, OTHER = "A" * 64, "B" * 64, "C" * 64
BEGAN = 1_000_000.0
NOW = BEGAN + 1000.0
ORDER = (Phase.TRUST, Phase.ISSUE, Phase.RENEW, Phase.DROP)


def at(phase: Phase, *without: str) -> Rotation:
    """A rotation in this phase."""
    return Rotation(phase=phase, old=OLD, new=NEW, since=BEGAN, without=without)


def agent(
    roots: tuple[str, ...] | None = None,
    issuer: str = "",
    *,
    connected: bool = True,
    seen: float | None = NOW,
) -> Agent:
    """One agent."""
    return Agent("edge", connected, seen, roots, issuer)


def test_the_phases_follow_each_other() -> None:
    """To the end."""
    state: Rotation | None = at(Phase.TRUST)
    for phase in ORDER:
        assert state is not None
        assert state.phase is phase
        state = rotation.advanced(state)
    assert state is None


@pytest.mark.parametrize(
    ("phase", "roots", "issuer", "lacks"),
    [
        (Phase.TRUST, None, OLD, "has not said what it trusts"),
        (Phase.TRUST, (OLD,), OLD, "does not trust the new root yet"),
        (Phase.TRUST, (OTHER,), "", "does not trust the new root yet"),
        (Phase.TRUST, (OLD, NEW), OLD, ""),
        (Phase.TRUST, (NEW,), NEW, ""),
        (Phase.ISSUE, None, "", ""),
        (Phase.ISSUE, (OLD,), OLD, ""),
        (Phase.RENEW, (OLD, NEW), OLD, "has a certificate of the old root"),
        (Phase.RENEW, (OLD, NEW), "", "has shown no certificate of the new root"),
        (Phase.RENEW, None, NEW, ""),
        (Phase.RENEW, (OLD, NEW), NEW, ""),
        (Phase.DROP, None, NEW, "has not said what it trusts"),
        (Phase.DROP, (OLD, NEW), NEW, "still trusts the old root"),
        (Phase.DROP, (NEW,), NEW, ""),
        (Phase.DROP, (NEW, OTHER), OLD, ""),
    ],
)
def test_what_an_agent_lacks(phase: Phase, roots: tuple[str, ...] | None, issuer: str, lacks: str) -> None:
    """Whoever is connected is waited for; that is said with what it lacks."""
    verdict = rotation.judge(at(phase), [agent(roots, issuer)], NOW)
    assert [each.why for each in verdict.waits] == ([f"connected, {lacks}"] if lacks else [])
    assert verdict.may_advance == (not lacks)
    assert verdict.left == ()


@pytest.mark.parametrize(
    ("seen", "now", "waits"),
    [
        (None, BEGAN, "away for 0.0 days, has not said what it trusts"),
        (None, BEGAN + PATIENCE - 1, "away for 30.0 days, has not said what it trusts"),
        (None, BEGAN + PATIENCE, ""),
        (BEGAN + 86_400.0, BEGAN + PATIENCE, "away for 29.0 days, has not said what it trusts"),
        (BEGAN + 86_400.0, BEGAN + PATIENCE + 86_400.0, ""),
        (BEGAN - PATIENCE, BEGAN, "away for 0.0 days, has not said what it trusts"),
        (BEGAN + 5.0, BEGAN, "away for 0.0 days, has not said what it trusts"),
    ],
)
def test_who_is_away_is_waited_for(seen: float | None, now: float, waits: str) -> None:
    """For 30 days since it was last seen, but never less since the rotation began; then it is left behind."""
    verdict = rotation.judge(at(Phase.TRUST), [agent(connected=False, seen=seen)], now)
    assert [each.why for each in verdict.waits] == ([waits] if waits else [])
    assert bool(verdict.left) == (not waits)


def test_who_is_told_not_to_be_waited_for() -> None:
    """Is left behind in each phase, connected or not, and is named."""
    state = rotation.without(at(Phase.TRUST, "b"), ["edge", "b"])
    assert state.without == ("b", "edge")
    verdict = rotation.judge(state, [agent()], NOW)
    assert verdict.may_advance
    assert [each.name for each in verdict.left] == ["edge"]
    assert verdict.left[0].why.endswith("not waited for, as told")


AGENTS = st.builds(
    Agent,
    st.sampled_from(["a", "b", "c"]),
    st.booleans(),
    st.none() | st.floats(BEGAN, NOW + 2 * PATIENCE),
    st.none() | st.lists(st.sampled_from([OLD, NEW, OTHER]), unique=True).map(tuple),
    st.sampled_from(["", OLD, NEW]),
)


@settings(deadline=None, max_examples=100)
@given(st.sampled_from(ORDER), st.lists(AGENTS, max_size=3, unique_by=lambda each: each.name), st.booleans())
def test_nobody_is_forgotten(phase: Phase, agents: list[Agent], told: bool) -> None:
    """Who lacks something is waited for or named as left behind, whatever the order they come in.

    Who is connected is never left behind, unless told.
    """
    state = at(phase, *(["a"] if told else []))
    verdict = rotation.judge(state, agents, NOW + PATIENCE)
    assert verdict == rotation.judge(state, reversed(agents), NOW + PATIENCE)
    named = {each.name for each in (*verdict.waits, *verdict.left)}
    for each in agents:
        alone = rotation.judge(at(phase), [attrs_connected(each)], NOW + PATIENCE)
        assert (each.name in named) == (not alone.may_advance)
        if each.connected and each.name in {one.name for one in verdict.left}:
            assert each.name in state.without


def attrs_connected(agent: Agent) -> Agent:
    """The same, connected."""
    return Agent(agent.name, True, agent.seen, agent.roots, agent.issuer)


def test_the_way_back() -> None:
    """Only while the new root has issued nothing; then the new one is what leaves."""
    back = rotation.abandoned(at(Phase.TRUST))
    assert (back.phase, back.old, back.new) == (Phase.DROP, NEW, OLD)
    for phase in ORDER[1:]:
        with pytest.raises(UserError, match="the new root issues already"):
            rotation.abandoned(at(phase))


def test_the_annotation() -> None:
    """Written and read it is the same; what cannot be read is said, never taken for nothing."""
    for phase in ORDER:
        assert rotation.read(rotation.encode(at(phase, "a", "b"))) == at(phase, "a", "b")
    assert rotation.read("") is None
    for text in ("x", "{}", '{"phase": "later"}'):
        with pytest.raises(UserError, match="the annotation trio-argoagent/ca-rotation cannot be read"):
            rotation.read(text)


def test_what_was_dropped_is_remembered() -> None:
    """Each once, the newest last; what people have written beside it is passed over, and the oldest go."""
    names = [f"{number:064X}" for number in range(rotation.MAX_DROPPED + 2)]
    text = f"junk {names[0].lower()} {names[1]} {names[0]}"
    assert rotation.read_dropped("") == ()
    assert rotation.read_dropped(text) == (names[0], names[1])
    assert rotation.read_dropped(rotation.dropping(text, names[0])) == (names[1], names[0])
    for name in names:
        text = rotation.dropping(text, name)
    assert rotation.read_dropped(text) == tuple(names[2:])
    assert rotation.read_dropped(" ".join(names)) == tuple(names[2:])
