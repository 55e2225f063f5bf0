"""Enrolment, byte for byte: ``enrolment/*.txt`` are requests and answers that will always be so.

``> Enrol(field=value, ...)`` the agent says; ``< ...`` the principal. Below, indented, are the bytes of the
frame (without its length). ``#`` is a comment. What is in the field speaks like this: a new field goes to the
end, a new reason is read as ``other`` by those that do not know it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.stream.protocol import enrolment as e
from trio_argoagent.stream.protocol.framing import PREFIX, prefix

from .notation import describe, hexadecimal
from .test_protocol1 import Line, lines

FOLDER: Final = Path(__file__).parent / "enrolment"
PATHS: Final = sorted(FOLDER.glob("*.txt"))


def read(line: Line) -> e.Enrol | e.Answer:
    """The message of this line, as the other side takes it."""
    body = prefix(line.frame) + line.frame
    return e.decode_request(body) if line.way == ">" else e.decode_answer(body)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_every_byte(path: Path) -> None:
    """Each frame is read as the text says, and written as it stands there."""
    for line in lines(path):
        message = read(line)
        assert describe(message) == line.text
        assert hexadecimal(e.encode(message)[PREFIX:]) == hexadecimal(line.frame)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_nobody_says_what_is_the_others(path: Path) -> None:
    """A request is no answer, and the reverse."""
    for line in lines(path):
        with pytest.raises(RemoteProtocolError, match="expected a"):
            read(Line("<" if line.way == ">" else ">", line.text, line.frame, ""))


def test_nothing_is_missing() -> None:
    """Each way in stands in a transcript, and each reason for staying outside that there is."""
    said = [read(line) for path in PATHS for line in lines(path)]
    ways = {(each.token is None, each.proof is None) for each in said if isinstance(each, e.Enrol)}
    assert ways == {(False, True), (True, True), (True, False)}
    assert {each.reason for each in said if isinstance(each, e.Denied)} == set(e.Denial) - {e.Denial.OTHER}
