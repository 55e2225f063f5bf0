"""Conversations, readable: each ``handshake/*.txt`` is played to both ends of a link.

``> hello``           the agent says it and the principal hears it
``< welcome``         the reverse
``> record ...``      the agent says it, and it is still on its way
``...> record``       it arrives (messages of one direction arrive in their order)
``!> record``         the agent must not say it now; nothing changes
``= live draining``   the states of agent and principal
``# text``            a comment
"""

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.handshake import Conversation, Role

FOLDER: Final = Path(__file__).parent / "handshake"
_LINE: Final = re.compile(r"(?P<mark>!|\.\.\.)?(?P<way>[<>]) (?P<name>[a-z]+)(?P<later> \.\.\.)?")

SAID: Final[dict[str, m.Message]] = {
    "hello": m.Hello((1, 1), (), "1", "i", "c", Mode.MANAGED, "argocd", "namespace", "", 0, bytes(32)),
    "welcome": m.Welcome(1, (), "1", "i", "p", "a1", bytes(32), 30.0),
    "refuse": m.Refuse(m.Reason.MODE, "pinned to autonomous"),
    "record": m.RecordMessage(1, Record(Key(Kind.APPLICATION, "argocd", "a"), "u", "d", "1", b"{}")),
    "results": m.Results((Result(1, Outcome.APPLIED),)),
    "have": m.Have(()),
    "mark": m.Mark(bytes(32)),
    "buckets": m.Buckets(bytes(2048)),
    "leaf": m.Leaf(b"", (), True),
    "ping": m.Ping(b""),
    "pong": m.Pong(b""),
    "drain": m.Drain(),
    "goodbye": m.Goodbye(m.Reason.SHUTDOWN, ""),
}


class Stage:
    """Two ends, and what is on its way between them."""

    def __init__(self) -> None:
        self.ends = {role: Conversation(role) for role in Role}
        self.ways: dict[str, deque[str]] = {">": deque(), "<": deque()}

    def play(self, line: str) -> None:
        """Do what one line says."""
        if line.startswith("="):
            assert line[1:].split() == [self.ends[role].state.value for role in (Role.AGENT, Role.PRINCIPAL)]
            return
        match = _LINE.fullmatch(line)
        assert match, f"not a line of a transcript: {line}"
        way, name = match["way"], match["name"]
        roles = (Role.AGENT, Role.PRINCIPAL) if way == ">" else (Role.PRINCIPAL, Role.AGENT)
        speaker, hearer = (self.ends[role] for role in roles)
        if match["mark"] == "!":
            before = speaker.state
            with pytest.raises(LocalProtocolError):
                speaker.sent(SAID[name])
            assert speaker.state is before
            return
        if match["mark"] is None:
            speaker.sent(SAID[name])
            self.ways[way].append(name)
        if match["later"] is None:
            assert self.ways[way].popleft() == name, "something else was said before it"
            hearer.received(SAID[name])


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.stem)
def test_transcript(path: Path) -> None:
    """Both ends follow the conversation, and it ends where it says with nothing left on its way."""
    stage = Stage()
    lines = [line.strip() for line in path.read_text().splitlines()]
    for number, line in enumerate(lines, 1):
        if line and not line.startswith("#"):
            at_line(stage.play, line, f"{path.name}:{number}: {line}")
    assert lines[-1].startswith("=")
    assert not any(stage.ways.values())


def at_line(play: Callable[[str], None], line: str, where: str) -> None:
    """Play it; a failure says where."""
    try:
        play(line)
    except Exception as exc:
        exc.add_note(where)
        raise
