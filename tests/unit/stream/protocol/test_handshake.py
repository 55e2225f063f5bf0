"""Who may say what when."""

from collections import deque
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.handshake import (
    TRANSITIONS,
    Conversation,
    Direction,
    Role,
    State,
)

from .vocabulary import EXAMPLES

BY_KIND = {type(message): message for message in EXAMPLES.values()}
CELLS = list(product(Role, State, Direction, BY_KIND))


@pytest.mark.parametrize(
    ("role", "state", "direction", "kind"), CELLS, ids=lambda part: getattr(part, "__name__", None)
)
def test_cell(role: Role, state: State, direction: Direction, kind: type[m.Message]) -> None:
    """Each cell leads where the table says; a missing one is an error of whoever spoke, and no change."""
    conversation = Conversation(role)
    conversation.state = state
    step = conversation.sent if direction is Direction.SENT else conversation.received
    then = TRANSITIONS[role, state].get((direction, kind))
    assert conversation.may_send(kind) == ((Direction.SENT, kind) in TRANSITIONS[role, state])
    if then is not None:
        assert step(BY_KIND[kind]) is conversation.state is then
        return
    error = LocalProtocolError if direction is Direction.SENT else RemoteProtocolError
    with pytest.raises(
        error, match=f"{role} in state {state.value}: {kind.__name__} must not be {direction}"
    ):
        step(BY_KIND[kind])
    assert conversation.state is state


def test_every_state_has_its_row() -> None:
    """No state is without a row, and all but the last lead somewhere."""
    assert set(TRANSITIONS) == set(product(Role, State))
    assert {state for (_, state), cells in TRANSITIONS.items() if not cells} == {State.CLOSED}


def test_only_the_agent_greets_and_only_the_principal_judges() -> None:
    """Hello goes up; welcome, refuse and drain come down; never the reverse."""
    for (role, _), cells in TRANSITIONS.items():
        for direction, kind in cells:
            upwards = (role is Role.AGENT) == (direction is Direction.SENT)
            if kind is m.Hello:
                assert upwards
            if kind in (m.Welcome, m.Refuse, m.Drain):
                assert not upwards


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(Role), st.sampled_from([*BY_KIND, None])), max_size=60))
def test_two_sides_that_keep_the_order_never_accuse_each_other(
    steps: list[tuple[Role, type[m.Message] | None]],
) -> None:
    """However messages cross on the way, what one side may send the other may receive."""
    sides = {role: Conversation(role) for role in Role}
    other = {Role.AGENT: Role.PRINCIPAL, Role.PRINCIPAL: Role.AGENT}
    ways: dict[Role, deque[m.Message]] = {role: deque() for role in Role}
    for role, kind in steps:
        if kind is None:
            if ways[role] and sides[role].state is not State.CLOSED:
                sides[role].received(ways[role].popleft())
        elif sides[role].may_send(kind):
            sides[role].sent(BY_KIND[kind])
            ways[other[role]].append(BY_KIND[kind])
