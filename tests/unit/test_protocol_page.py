"""docs/protocol.md is true: its tables are those of the code."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from trio_argoagent.model.keys import Key, Verb
from trio_argoagent.model.records import Holding, Outcome, Record, Result
from trio_argoagent.stream.protocol import enrolment as e
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.framing import PREFIX
from trio_argoagent.stream.protocol.handshake import TRANSITIONS, Direction, Role, State
from trio_argoagent.stream.protocol.negotiation import Capability
from trio_argoagent.stream.protocol.payload import Encoding
from trio_argoagent.stream.protocol.vocabulary import TYPES

PAGE: Final = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")


def rows(first: str) -> Iterator[list[str]]:
    """The rows of the table whose head begins with that cell."""
    table = PAGE.split(f"| {first} |", 1)[1].split("\n\n", 1)[0]
    for line in table.splitlines()[2:]:
        yield [cell.strip() for cell in line.strip("|").split("|")]


def names(cell: str) -> list[str]:
    """What a cell lists."""
    return [] if cell == "-" else cell.split(", ")


def fields(made: Any) -> list[str]:
    """As the wire has them."""
    return list(made.__match_args__)


def may_say(role: Role, state: State) -> set[str]:
    """By the code's table."""
    return {kind.__name__ for way, kind in TRANSITIONS[role, state] if way is Direction.SENT}


def test_messages() -> None:
    """Numbers, names, fields in their order, and who says them."""
    told = {int(number): (name, said, names(inside)) for number, name, said, inside in rows("number")}
    by = {role: set().union(*(may_say(role, state) for state in State)) for role in Role}
    real = {}
    for number, (made, _) in TYPES.items():
        speakers = [role.value for role in Role if made.__name__ in by[role]]
        real[number] = (made.__name__, speakers[0] if len(speakers) == 1 else "both", fields(made))
    assert told == real


def test_fields() -> None:
    """Each is explained once, and none that does not exist."""
    told = [name for cell, _ in rows("field") for name in names(cell)]
    assert len(told) == len(set(told)) and set(told) == {
        name for made, _ in TYPES.values() for name in fields(made)
    }


def test_order() -> None:
    """In each state, what each side may say."""
    told = {state: (set(names(agent)), set(names(principal))) for state, agent, principal in rows("state")}
    assert told == {state.value: tuple(may_say(role, state) for role in Role) for state in State}


def test_enrolment() -> None:
    """The messages that are spoken before there is a link, and every reason."""
    told = {name: (int(number), names(inside)) for name, number, _, inside in rows("message of enrolment")}
    assert told == {
        made.__name__: (e.encode(message)[PREFIX + 1], fields(made))
        for message in (e.Enrol(b"r"), e.Issued(b"c", b"r"), e.Denied(e.Denial.BUSY, ""))
        for made in (type(message),)
    }
    section = PAGE.split("## Enrolment", 1)[1].split("\n## ", 1)[0]
    assert set(re.findall(r"`([a-z-]+)`[,;]", section)) >= {each.value for each in e.Denial} - {"other"}
    assert e.PATH in section and e.ROOTS_PATH in section and f"{e.MAX_REQUEST // 1024} KiB" in section


def test_the_rest() -> None:
    """What the text lists."""
    assert f"**record** is the array {', '.join(fields(Record))}." in PAGE
    assert f"**key** is {', '.join(fields(Key))}, in names" in PAGE
    assert f"**holding** is {', '.join(fields(Holding))};" in PAGE
    assert f"256 times {', '.join(fields(Result))}" in PAGE
    for each in (*Capability, *Outcome, *Verb):
        assert f"`{each.value}`" in PAGE
    assert [int(number) for number, _ in rows("encoding")] == list(Encoding)
    assert str(m.MAX_ENTRIES) in PAGE and f"{m.MAX_PART:,}" in PAGE
    assert re.search(rf"at most {m.MAX_LINE:,} characters", PAGE)
