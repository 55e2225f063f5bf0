"""Levels, as argocd-agent spells them."""

from __future__ import annotations

from pathlib import Path

import pytest

import trio_argoagent
from trio_argoagent.errors import UserError
from trio_argoagent.runtime import loglevels
from trio_argoagent.runtime.loglevels import NUMBERS, Levels, Subsystem, parse


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("info", Levels()),
        ("", Levels()),
        ("Debug", Levels(10)),
        ("warn", Levels(30)),
        ("warning", Levels(30)),
        ("panic", Levels(50)),
        ("fatal", Levels(50)),
        ("trace", Levels(5)),
        ("resource-proxy=debug,redis-proxy=error", Levels(20, {"resource-proxy": 10, "redis-proxy": 40})),
        ("grpc-event=trace, warn", Levels(30, {"records": 5})),
        ("informer-event-buffer=error", Levels(20, {"informers": 40})),
        ("link=", Levels(20, {"link": 20})),
        ("debug,error", Levels(40)),
    ],
)
def test_spellings(text: str, expected: Levels) -> None:
    """A level, of all or of a part; the last one of each counts."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("loud", "there is no level 'loud'; choose from trace, debug, info, warning, error, fatal"),
        ("link=loud", "there is no level 'loud'"),
        ("lynx=info", "there is no subsystem 'lynx'; choose from records, informers, link, identity,"),
        ("a=b=c", "there is no subsystem 'a'"),
    ],
)
def test_mistakes(text: str, told: str) -> None:
    """One line that names the choices."""
    with pytest.raises(UserError) as caught:
        parse(text)
    assert str(caught.value).startswith(told) and "\n" not in str(caught.value)


def test_the_level_of_a_part() -> None:
    """Its own, or the default; the lowest is what a logger must let through."""
    levels = Levels(30, {Subsystem.LINK.value: 10})
    assert [levels.of("link"), levels.of("identity"), levels.of(None)] == [10, 30, 30]
    assert levels.lowest == 10


def test_no_event_is_made_up() -> None:
    """Each name in the table is one that the program uses, once."""
    package = Path(trio_argoagent.__file__).parent
    table = package / "runtime" / "loglevels.py"
    text = "".join(path.read_text() for path in package.rglob("*.py") if path != table)
    names = [name for part in loglevels.EVENTS.values() for name in part]
    assert len(names) == len(set(names))
    assert [name for name in names if f'"{name}"' not in text] == []


def test_every_level_has_a_method() -> None:
    """What ``Event.level`` may be, and what libraries say, is in the table."""
    assert {"debug", "info", "warning", "error"} < set(NUMBERS)
