"""What the user asks for, parsed and refused whole."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.demo.settings import Cut, Restart, agent_names, parse_cuts, parse_restarts
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode, is_dns_label

AGENTS = ("east", "west", "edge")


def test_the_three_agents_of_the_demo() -> None:
    """East and west are managed, edge is autonomous."""
    assert agent_names(3) == (("east", Mode.MANAGED), ("west", Mode.MANAGED), ("edge", Mode.AUTONOMOUS))


@pytest.mark.parametrize("count", [1, 2, 6, 7, 50])
def test_any_number_of_agents(count: int) -> None:
    """Names are different, fit for namespaces, and stay the same when there are more."""
    found = agent_names(count)
    names = [name for name, _ in found]
    assert len(set(names)) == len(names) == count
    assert all(is_dns_label(name) and name not in ("hub", "argocd") for name in names)
    assert found == agent_names(50)[:count]
    assert found[0][1] is Mode.MANAGED


def test_cuts() -> None:
    """Several, with fractions of a second, in the order they were given."""
    assert parse_cuts(["west:10:5", "edge:0.5:0"], AGENTS) == (Cut("west", 10.0, 5.0), Cut("edge", 0.5, 0.0))


def test_restarts() -> None:
    """Of agents and of the hub."""
    assert parse_restarts(["hub:2", "east:1e1"], AGENTS) == (Restart("hub", 2.0), Restart("east", 10.0))


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("", "write AGENT:AT:SECONDS, for example east:10:5"),
        ("west", "write AGENT:AT:SECONDS"),
        ("west:1", "write AGENT:AT:SECONDS"),
        ("west:1:1:1", "write AGENT:AT:SECONDS"),
        ("wset:1:1", "there is no 'wset' here; choose one of east, west, edge"),
        ("hub:1:1", "there is no 'hub' here; choose one of east, west, edge"),
        (":1:1", "there is no '' here"),
        ("west:soon:1", "'soon' is no number of seconds"),
        ("west:1:", "'' is no number of seconds"),
        ("west:-1:1", "'-1' is no number of seconds"),
        ("west:1:nan", "'nan' is no number of seconds"),
        ("west:1:inf", "'inf' is no number of seconds"),
        ("west:1e9:1", "'1e9' is no number of seconds"),
    ],
)
def test_bad_cuts(text: str, advice: str) -> None:
    """One line: the option as it was written, and what may be written instead."""
    with pytest.raises(UserError) as caught:
        parse_cuts(["east:1:1", text], AGENTS)
    line = str(caught.value)
    assert line.startswith(f"--cut {text}: {advice}")
    assert "\n" not in line


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("hub", "write NODE:AT, for example hub:20"),
        ("hub:1:1", "write NODE:AT"),
        ("moon:1", "there is no 'moon' here; choose one of hub, east, west, edge"),
        ("hub:never", "'never' is no number of seconds"),
    ],
)
def test_bad_restarts(text: str, advice: str) -> None:
    """Likewise."""
    with pytest.raises(UserError) as caught:
        parse_restarts([text], AGENTS)
    assert str(caught.value).startswith(f"--restart {text}: {advice}")


def test_faults_after_the_end() -> None:
    """They would never be seen; a cut that only ends later is waited for."""
    assert parse_cuts(["west:9:5"], AGENTS, 10.0) == (Cut("west", 9.0, 5.0),)
    for parse, text in ((parse_cuts, "west:10:5"), (parse_restarts, "hub:10")):
        with pytest.raises(
            UserError, match="at 10 s it is over; choose less than 10, or a longer --duration"
        ):
            parse([text], AGENTS, 10.0)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_parsed_or_refused(text: str) -> None:
    """Nothing that a user can write ends in anything but a value or a refusal."""
    for parse in (parse_cuts, parse_restarts):
        try:
            (found,) = parse([text], AGENTS)
        except UserError:
            continue
        assert 0.0 <= found.at < 1e6
