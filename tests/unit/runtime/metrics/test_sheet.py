"""One scrape on paper: labels are bounded, values put together, and the text is what Prometheus reads."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.runtime.metrics.rows import OTHER, Kind, Label, Program, Row, each_gauge, gauge, histogram
from trio_argoagent.runtime.metrics.sheet import CHUNK, Sheet

EACH = each_gauge("each", "Of each agent.")
AGE = each_gauge("age_seconds", "The oldest.", fold=max)
COLOUR = gauge("colour", "Of a few.", labels=(Label("colour", ("red", "blue")),))
OPEN = gauge("open", "Of any.", labels=(Label("text", open="a test"),))
SLOW = histogram("slow_seconds", "How slow.", bounds=(0.5, 2.0))
ROWS = (EACH, AGE, COLOUR, OPEN, SLOW)


def text(sheet: Sheet) -> str:
    """All of it."""
    return b"".join(sheet.text()).decode()


def samples(sheet: Sheet) -> dict[tuple[str, tuple[str, ...]], float]:
    """What a reader of it sees: value by name and label values."""
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text(sheet))
        for sample in family.samples
    }


def test_it_is_the_text_format() -> None:
    """Letter by letter: one HELP and TYPE each, no metric without a value."""
    sheet = Sheet(Program.PRINCIPAL, ROWS)
    sheet.put(EACH, 3, agent="east")
    sheet.put(EACH, 0.25, agent="west")
    sheet.put_histogram(SLOW, [1, 0, 2], 7.5)
    assert text(sheet) == (
        "# HELP trio_argoagent_each Of each agent.\n"
        "# TYPE trio_argoagent_each gauge\n"
        'trio_argoagent_each{agent_name="east"} 3\n'
        'trio_argoagent_each{agent_name="west"} 0.25\n'
        "# HELP trio_argoagent_slow_seconds How slow.\n"
        "# TYPE trio_argoagent_slow_seconds histogram\n"
        'trio_argoagent_slow_seconds_bucket{le="0.5"} 1\n'
        'trio_argoagent_slow_seconds_bucket{le="2.0"} 1\n'
        'trio_argoagent_slow_seconds_bucket{le="+Inf"} 3\n'
        "trio_argoagent_slow_seconds_sum 7.5\n"
        "trio_argoagent_slow_seconds_count 3\n"
    )


def test_an_agent_does_not_name_itself() -> None:
    """Prometheus knows whom it scrapes."""
    sheet = Sheet(Program.AGENT, ROWS)
    sheet.put(EACH, 1, agent="east")
    assert samples(sheet) == {("trio_argoagent_each", ()): 1}


def test_agents_beyond_the_bound_are_told_together() -> None:
    """Who comes first has series of its own; of the others numbers are added, and the oldest counts."""
    sheet = Sheet(Program.PRINCIPAL, ROWS, most=2)
    for number, name in enumerate(("a", "b", "c", "d")):
        sheet.put(EACH, number, agent=name)
        sheet.put(AGE, 10 - number, agent=name)
    assert samples(sheet) == {
        ("trio_argoagent_each", ("a",)): 0,
        ("trio_argoagent_each", ("b",)): 1,
        ("trio_argoagent_each", (OTHER,)): 5,
        ("trio_argoagent_age_seconds", ("a",)): 10,
        ("trio_argoagent_age_seconds", ("b",)): 9,
        ("trio_argoagent_age_seconds", (OTHER,)): 8,
    }
    assert sheet.folded == {"c", "d"}


def test_what_is_not_listed_reaches_no_label() -> None:
    """A peer's free text would be a series for each; listed values are there before they are counted."""
    sheet = Sheet(Program.PRINCIPAL, ROWS)
    sheet.put_counts(COLOUR, {"red": 4, "made up": 1, "made up, too": 2})
    assert samples(sheet) == {
        ("trio_argoagent_colour", ("red",)): 4,
        ("trio_argoagent_colour", ("blue",)): 0,
        ("trio_argoagent_colour", (OTHER,)): 3,
    }


@settings(deadline=None, max_examples=50)
@given(st.text(), st.floats() | st.integers(-(2**53), 2**53))
def test_whatever_is_put_is_read_back(label: str, value: float) -> None:
    """Quotes, backslashes, line ends and infinities included."""
    sheet = Sheet(Program.AGENT, ROWS)
    sheet.put(OPEN, value, label)
    # The reader splits lines as Python does, where the format knows one end of a line only.
    if len(f"x{label}x".replace("\n", "").splitlines()) > 1 or label != label.strip():
        return
    ((_, found),) = samples(sheet).items()
    assert found == value or (math.isnan(found) and math.isnan(value))
    assert next(iter(samples(sheet))) == ("trio_argoagent_open", (label,))


def test_it_comes_in_pieces() -> None:
    """Of a bounded number of lines each, so that other tasks have their turn between them."""
    sheet = Sheet(Program.PRINCIPAL, ROWS)
    for number in range(3 * CHUNK):
        sheet.put(EACH, number, agent=f"agent-{number}")
    pieces = list(sheet.text())
    assert max(piece.count(b"\n") for piece in pieces) == CHUNK
    assert len(samples(sheet)) == 3 * CHUNK


@pytest.mark.parametrize(("row", "labels"), [(COLOUR, ()), (EACH, ("red",)), (gauge("x", "Unknown."), ())])
def test_what_the_table_does_not_say_is_a_bug(row: Row, labels: tuple[str, ...]) -> None:
    """Neither other metrics nor other labels."""
    with pytest.raises(LocalProtocolError):
        Sheet(Program.PRINCIPAL, ROWS).put(row, 1, *labels)


def test_a_histogram_has_its_buckets() -> None:
    """And no others."""
    with pytest.raises(LocalProtocolError):
        Sheet(Program.PRINCIPAL, ROWS).put_histogram(SLOW, [1, 2], 3.0)


def test_a_program_has_only_its_own_metrics() -> None:
    """Those of the other one are not there to be put."""
    row = Row("x", Kind.GAUGE, "An agent's.", programs=Program.AGENT)
    with pytest.raises(LocalProtocolError):
        Sheet(Program.PRINCIPAL, (row,)).put(row, 1)
