"""What spans are made of; the stories of whole fleets are told in tests/simulation/test_tracing.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs
from trio.testing import MockClock

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.runtime import tracing
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.spans import Span
from trio_argoagent.runtime.tracing import SpanTracing
from trio_argoagent.testing.scheduling import make_env

PAGE = Path(__file__).parents[3] / "docs" / "tracing.md"
RECORD = Record(Key(Kind.APPLICATION, "argocd", "web"), "uid", "D", "17", b"{}")


def record(number: int) -> Record:
    """Another one for each number."""
    return structs.replace(RECORD, key=Key(Kind.APPLICATION, "argocd", f"web-{number}"))


@pytest.mark.parametrize("sends", [True, False], ids=["sent", "received"])
async def test_too_many_at_once(
    sends: bool, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """So many are followed; that there are others is said, once in a while; what has ended makes room."""
    monkeypatch.setattr(tracing, "MAX_OPEN", 2)
    told: list[Event] = []
    spans: list[Span] = []
    made = SpanTracing("agent", make_env(1, "spans"), spans.append, told.append)
    tracer = made.of(lambda: "east", Mode.MANAGED)

    def take(number: int) -> None:
        if sends:
            tracer.sent(number, record(number), 0.0, new=True)
        else:
            tracer.received(number, record(number))

    def end(number: int) -> None:
        if sends:
            tracer.answered(record(number).key, Result(number, Outcome.APPLIED))
        else:
            tracer.began(record(number).key, record(number), asked=True)
            tracer.ended(record(number).key, Outcome.APPLIED, "")

    for number in range(5):
        take(number)
    assert [(each.name, each.level) for each in told] == [("traces-incomplete", "warning")]
    assert "more than 2 changes of one agent" in told[0].text
    for number in (0, 1):
        end(number)
    take(5)
    end(5)
    assert len(told) == 1
    assert len({span.trace for span in spans}) == 3


async def test_what_a_worker_does_unasked(autojump_clock: MockClock) -> None:
    """A record that nobody followed, or a copy that is put back, has a span of its own; the page has both."""
    spans: list[Span] = []
    tracer = SpanTracing("agent", make_env(1, "spans"), spans.append).of(lambda: "east", Mode.MANAGED)
    for asked in (True, False):
        tracer.began(RECORD.key, RECORD, asked=asked)
        tracer.ended(RECORD.key, Outcome.APPLIED, "")
    assert [span.name for span in spans] == ["Application.apply", "Application.revert"]
    text = PAGE.read_text()
    assert "| `<Kind>.apply` |" in text and "| `<Kind>.revert` |" in text
    assert f"{tracing.MAX_OPEN:,} changes" in text
