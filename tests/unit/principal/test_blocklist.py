"""What the blocklist says, whatever people have written into it."""

from __future__ import annotations

import math

import pytest

from trio_argoagent.model.identity import Peer
from trio_argoagent.principal.blocklist import read_blocklist

ONE, TWO = "0123456789ABCDEF" * 4, "F" * 64
AT = 1_767_225_600.0
MOMENT = "2026-01-01T00:00:00Z"


def peer(issued: float, name: str = "edge") -> Peer:
    """Who has a certificate that was issued then."""
    return Peer(name, TWO, issued=issued)


def test_fingerprints() -> None:
    """In whatever case; what is none is told."""
    found = read_blocklist({ONE.lower(): "", "edge": "", "agent.Edge": "", "agent.": "", "zz": "x"})
    assert found.fingerprints == {ONE} and found.agents == {}
    assert found.unusable == ("agent.", "agent.Edge", "edge", "zz")
    assert found.names(Peer("edge", ONE)) and not found.names(Peer("edge", TWO))
    assert not found.names(Peer("", "", "192.0.2.1:1"))


@pytest.mark.parametrize("value", [MOMENT, f"{MOMENT} {ONE}"])
def test_an_agent_until_a_moment(value: str) -> None:
    """What was issued until then counts no more, to the second; of others, and later, everything does."""
    found = read_blocklist({"agent.edge": value})
    assert (found.agents, found.unusable) == ({"edge": AT}, ())
    assert found.names(peer(0.0)) and found.names(peer(AT))
    assert not found.names(peer(AT + 1)) and not found.names(peer(0.0, "west"))
    assert found.names(Peer("edge"))  # It has shown nothing that says when.
    assert not found.names(Peer("west"))


@pytest.mark.parametrize("value", ["", "yes", "2026-13-01T00:00:00Z"])
def test_an_agent_for_good(value: str) -> None:
    """Without a moment that can be read: nothing of it counts, however new."""
    found = read_blocklist({"agent.edge": value})
    assert found.agents == {"edge": math.inf}
    assert found.names(peer(AT)) and found.names(Peer("edge"))
    assert not found.names(peer(AT, "west"))
