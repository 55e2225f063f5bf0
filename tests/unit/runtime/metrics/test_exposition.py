"""One scrape after another, of agents that come and go."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pytest
from prometheus_client.parser import text_string_to_metric_families

from trio_argoagent.runtime.metrics import feeds
from trio_argoagent.runtime.metrics.exposition import Exposition
from trio_argoagent.runtime.metrics.rows import OTHER, Program
from trio_argoagent.runtime.metrics.sheet import Sheet

Agents = Mapping[str, tuple[int, int]]
"""By name: links had, and objects wanted."""


def told(scrapes: Sequence[Agents], most: int = 2) -> tuple[list[dict[str, float]], Exposition]:
    """What each scrape says of links, by agent; of one program."""
    now: Agents = {}

    def figures(sheet: Sheet) -> Iterable[None]:
        for name, (links, wanted) in now.items():
            sheet.put(feeds.CONNECTIONS, links, agent=name)
            sheet.put(feeds.SOURCE[0], wanted, agent=name)
            yield

    exposition, found = Exposition(Program.PRINCIPAL, [figures], most), []
    for now in scrapes:
        text = b"".join(exposition.pieces()).decode()
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        found.append({s.labels["agent_name"]: s.value for s in samples if s.name == feeds.CONNECTIONS.name})
        wanted = sum(s.value for s in samples if s.name == feeds.SOURCE[0].name)
        assert wanted == sum(each for _, each in now.values())
    return found, exposition


def test_counters_of_the_others_do_not_fall() -> None:
    """One of the first goes: the next one gets its place, and what is told of the rest stays as it was."""
    whole = {"a": (1, 4), "b": (2, 4), "c": (5, 4), "d": (7, 4)}
    without = {"b": (2, 4), "c": (6, 4), "d": (9, 4)}
    back = {**without, "a": (1, 4)}
    found, exposition = told([whole, whole, without, back])
    assert found == [
        {"a": 1, "b": 2, OTHER: 12},
        {"a": 1, "b": 2, OTHER: 12},
        {"b": 2, "c": 6, OTHER: 14},
        {"b": 2, "c": 6, OTHER: 15},
    ]
    assert exposition.others.agents == {"d", "a"}


def test_who_is_told_of_by_name_is_not_kept() -> None:
    """Nor who is gone."""
    whole = {"a": (1, 0), "b": (2, 0), "c": (5, 0)}
    _, exposition = told([whole, {"c": (6, 0)}])
    assert not exposition.others.agents


@pytest.mark.parametrize("left", [1, 2, 3])
def test_a_scrape_that_is_given_up(left: int) -> None:
    """Nothing is counted twice by the next one."""
    whole = {"a": (1, 4), "b": (2, 4), "c": (5, 4), "d": (7, 4)}
    _, exposition = told([whole])
    pieces = exposition.pieces()
    for _ in range(left):
        next(pieces)
    again = b"".join(exposition.pieces()).decode()
    assert f'{feeds.CONNECTIONS.name}{{agent_name="{OTHER}"}} 12' in again
