"""Version 1 of the protocol, byte for byte: ``protocol1/*.txt`` are conversations that will always be so.

``> Message(field=value, ...)`` the agent says; ``< ...`` the principal. Below, indented, are the bytes of the
frame (without its length), and after ``body`` what a compressed body stands for. ``#`` is a comment. A field,
a number or an encoding that changes makes this red, and that is its purpose: what is in the field speaks like
this. A new field goes to the end, a new message gets a new number, a new order a new version.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.freight import Unloader, Unreadable
from trio_argoagent.stream.protocol.handshake import Conversation, Role, State
from trio_argoagent.stream.protocol.negotiation import Capability, Terms
from trio_argoagent.stream.protocol.payload import Encoding
from trio_argoagent.stream.protocol.vocabulary import TYPES

from .notation import describe, hexadecimal

FOLDER: Final = Path(__file__).parent / "protocol1"
PATHS: Final = sorted(FOLDER.glob("*.txt"))
ALL: Final = Terms(1, tuple(Capability))


@attrs.frozen
class Line:
    """One message of a transcript."""

    way: str
    text: str
    frame: bytes
    body: str


def lines(path: Path) -> Iterator[Line]:
    """A transcript's messages, in order."""
    way, text, digits, body = "", "", "", ""
    for line in [*path.read_text(encoding="utf-8").splitlines(), "> "]:
        if line.startswith("#") or not line:
            continue
        if line.startswith("  body "):
            body = line.removeprefix("  body ")
        elif line.startswith("  "):
            digits += line.strip()
        else:
            if text:
                yield Line(way, text, bytes.fromhex(digits), body)
            (way, text), digits, body = line.split(" ", 1), "", ""


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_byte(path: Path) -> None:
    """Each frame is read as the text says, and written as it stands there."""
    for line in lines(path):
        message = codec.decode(line.frame)
        assert message is not None and describe(message) == line.text
        assert hexadecimal(codec.encode(message)) == hexadecimal(line.frame)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_order(path: Path) -> None:
    """Both ends may say it at this point, and at the end nothing is left to say."""
    ends = {">": Conversation(Role.AGENT), "<": Conversation(Role.PRINCIPAL)}
    for line in lines(path):
        message = codec.decode(line.frame)
        assert message is not None
        ends[line.way].sent(message)
        ends["<" if line.way == ">" else ">"].received(message)
    assert {end.state for end in ends.values()} == {State.CLOSED}


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_the_bodies(path: Path) -> None:
    """Compressed, compressed against another and in parts: each stands for what is written below it."""
    unloaders = {">": Unloader(ALL), "<": Unloader(ALL)}
    for line in lines(path):
        message = codec.decode(line.frame)
        if not isinstance(message, m.RecordMessage | m.Part):
            assert not line.body
            continue
        unloader = unloaders[line.way]
        whole = unloader.message(message) if isinstance(message, m.RecordMessage) else unloader.part(message)
        compressed = isinstance(message, m.Part) or message.encoding is not Encoding.PLAIN
        if isinstance(whole, Unreadable):
            assert line.body == "cannot be read: what it refers to is not here"
        elif whole is not None and compressed:
            assert whole[1].body is not None and line.body == describe(whole[1].body)
        else:
            assert not line.body


def test_nothing_is_missing() -> None:
    """Every message of the vocabulary stands in a transcript, and every reason for refusing a link."""
    said = [codec.decode(line.frame) for path in PATHS for line in lines(path)]
    assert {type(message) for message in said} == {made for made, _ in TYPES.values()}
    refused = {message.reason for message in said if isinstance(message, m.Refuse)}
    assert refused == set(m.Reason) - {m.Reason.REPLACED, m.Reason.MOVED, m.Reason.SHUTDOWN, m.Reason.OTHER}
