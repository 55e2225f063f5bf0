"""Levels, as argocd-agent spells them."""

from __future__ import annotations

import pytest

from trio_argoagent.errors import UserError
from trio_argoagent.runtime import loglevels
from trio_argoagent.runtime.loglevels import NUMBERS, Levels, Subsystem, parse

from .said import events


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
        ("debug,error", Levels(40)),
        ("warn,", Levels(30)),
        (",warn, ,link=debug,", Levels(30, {"link": 10})),
        (" , ", Levels()),
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
        ("link=", "there is no level ''; choose from trace"),
        ("=debug", "there is no subsystem ''; choose from records"),
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


def test_the_table_has_all_events_that_there_are() -> None:
    """Each once: none is missing, and none is made up."""
    table = [name for part in loglevels.EVENTS.values() for name in part]
    assert len(table) == len({*table})
    assert sorted(table) == sorted(events())


def test_every_level_has_a_method() -> None:
    """What ``Event.level`` may be, and what libraries say, is in the table."""
    assert {"debug", "info", "warning", "error"} < set(NUMBERS)
