"""A fleet in virtual time as Prometheus sees it: each metric of the table is there, and tells the story."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from io import StringIO

import attrs
import pytest
import trio
from prometheus_client.parser import text_string_to_metric_families
from trio.testing import MockClock

from trio_argoagent._version import __version__
from trio_argoagent.agent import metrics as agent_metrics
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.latency import Latencies
from trio_argoagent.model.resources import APPLICATIONS, SECRETS
from trio_argoagent.model.rulings import Decision, unaudited
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal import metrics as principal_metrics
from trio_argoagent.principal.clusters import make_secret
from trio_argoagent.principal.peer import Peer
from trio_argoagent.principal.redisproxy import RedisProxy
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.logfile import Unfailing
from trio_argoagent.runtime.material import InUse
from trio_argoagent.runtime.metrics import common
from trio_argoagent.runtime.metrics.exposition import Exposition
from trio_argoagent.runtime.metrics.rows import AGENT_NAME, OTHER, Program, Row
from trio_argoagent.runtime.metrics.table import ROWS
from trio_argoagent.runtime.observing.lag import Lag
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.enrolment import Denial
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.redisfake import FakeRedis
from trio_argoagent.testing.scheduling import simulate

OURS = "trio_argoagent_"
SETTLING = 60.0
"""Seconds in which everything that is not held up has long been done."""
AWAY = 100.0
"""Seconds for which east is cut off, with a change waiting for it."""
EXPIRES = (InUse("link", "a file", "CA", "BB", 1.2e9, 1.9e9), InUse("link", "a file", "east", "AA", 1e9, 2e9))


@attrs.frozen
class Seen:
    """One scrape.

    Attributes:
        types: by metric.
        values: by the sample's name and its labels.
    """

    types: Mapping[str, str]
    values: Mapping[tuple[str, frozenset[tuple[str, str]]], float]

    def __call__(self, name: str, **labels: str) -> float:
        """The value of one sample; with ``trio_argoagent_`` before its name, or without."""
        key = frozenset(labels.items())
        return self.values[name, key] if (name, key) in self.values else self.values[OURS + name, key]


def scrape(exposition: Exposition) -> Seen:
    """What a reader finds."""
    return read(b"".join(exposition.pieces()))


def read(content: bytes) -> Seen:
    """The text format."""
    text = content.decode()
    families = list(text_string_to_metric_families(text))
    types = {line.split()[2]: line.split()[3] for line in text.splitlines() if line.startswith("# TYPE")}
    samples = [sample for family in families for sample in family.samples]
    values = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in samples}
    assert len(values) == len(samples)
    return Seen(types, values)


def around() -> common.Around:
    """What does not come from the program itself, and is not simulated."""
    taken = Latencies()
    taken.note(0.3)
    requests = {("GET", "200"): 7, ("PATCH", "409"): 2}
    return common.Around(Lag(), lambda: EXPIRES, requests, {"PATCH": taken}, Unfailing(StringIO()))


def of_principal(fleet: Fleet) -> Exposition:
    """Its metrics, from everything that it has."""
    assert fleet.principal.instance is not None
    rulings = common.Rulings(unaudited)
    for _, ruling in fleet.rulings:
        rulings(ruling)
    proxy = RedisProxy(FakeRedis().server(), None, ignore)
    denials = {Denial.TOKEN: 3}
    return principal_metrics.exposition(fleet.principal.instance, around(), rulings.counts, denials, proxy)


def of_agent(fleet: Fleet, name: str) -> Exposition:
    """Likewise."""
    agent = fleet.agents[name].instance
    assert agent is not None
    return agent_metrics.exposition(agent, around(), {"renewed": 1})


@attrs.frozen
class Story:
    """What was seen when, and the records that have gone which way: agent, and whether to the hub.

    Attributes:
        there: everybody is connected and in step.
        away: east is cut off, with a change waiting for it.
        back: it is there again.
        folded: the same, with names for one agent only.
        reborn: the principal is another process, and east is cut off again.
        meanwhile: while this was told, west was taken off the hub.
        forgotten: after that.
        agents: likewise as of ``back``.
        records: until then.
    """

    there: Seen
    away: Seen
    back: Seen
    folded: Seen
    reborn: Seen
    meanwhile: Seen
    forgotten: Seen
    agents: Mapping[str, Seen]
    records: Mapping[tuple[str, bool], int]


async def _play() -> Story:
    records: Counter[tuple[str, bool]] = Counter()

    def on_frame(agent: str, up: bool, frame: bytes) -> None:
        records[agent, up] += isinstance(codec.decode(frame), messages.RecordMessage)

    async with open_fleet((SpokePlan("east"), SpokePlan("west", Mode.AUTONOMOUS))) as fleet:
        fleet.network.on_frame = on_frame
        for number in range(3):
            await fleet.apply(application(f"app{number}", namespace="east", syncPolicy=automated()))
            await fleet.apply(application(f"app{number}", namespace=NAMESPACE), "west")
        await trio.sleep(SETTLING)
        await fleet.wait_consistent()
        exposition = of_principal(fleet)
        there = scrape(exposition)
        fleet.cut("east")
        change = MergePatch({"spec": {"source": {"targetRevision": "other"}}})
        await fleet.cluster("hub").patch(APPLICATIONS, "east", "app0", change)
        await trio.sleep(AWAY)
        away = scrape(exposition)
        fleet.heal("east")
        await trio.sleep(SETTLING)
        await fleet.wait_consistent()
        back, counted = scrape(exposition), Counter(records)
        agents = {name: scrape(of_agent(fleet, name)) for name in fleet.agents}
        folded = scrape(attrs.evolve(of_principal(fleet), most=1))
        fleet.kill(PRINCIPAL)
        fleet.cut("east")
        fleet.restart(PRINCIPAL)
        await trio.sleep(SETTLING)
        exposition = of_principal(fleet)
        reborn, scraping = scrape(exposition), exposition.pieces()
        begun = b"".join(next(scraping) for _ in range(2))
        await fleet.cluster("hub").delete(SECRETS, NAMESPACE, "cluster-west")
        await trio.sleep(SETTLING)
        meanwhile = read(begun + b"".join(scraping))
        forgotten = scrape(exposition)
    return Story(there, away, back, folded, reborn, meanwhile, forgotten, agents, counted)


@cache
def story() -> Story:
    """It is played once, for all tests."""
    return simulate(_play, seed=9)


def rows_of(program: Program) -> dict[str, Row]:
    """What the table says that it has."""
    return {row.name: row for row in ROWS if program in row.programs}


def seen_by(program: Program) -> Iterable[Seen]:
    """All scrapes of it."""
    played = story()
    return played.agents.values() if program is Program.AGENT else (played.there, played.away, played.reborn)


@pytest.mark.parametrize("program", list(Program))
def test_all_that_the_table_says_is_there_and_nothing_else(program: Program) -> None:
    """Each metric of the program, with its type."""
    rows = rows_of(program)
    for seen in seen_by(program):
        assert seen.types == {name: row.kind.value for name, row in rows.items()}


@pytest.mark.parametrize("program", list(Program))
def test_samples_have_the_labels_of_the_table(program: Program) -> None:
    """Those and no others, and of a list of values only these."""
    rows = rows_of(program)
    for seen in seen_by(program):
        for name, labels in seen.values:
            row = rows.get(name) or rows.get(name.removesuffix("_total")) or rows[name.rpartition("_")[0]]
            known = {label.name: label for label in row.labels_in(program)}
            given = dict(labels)
            given.pop("le", None)
            assert given.keys() == known.keys()
            for label, value in given.items():
                assert known[label].open or value in known[label].values, (name, value)


def test_agents_are_named_by_the_hub_alone() -> None:
    """Both of them, in each metric that has their names."""
    named = [
        dict(labels)[AGENT_NAME.name] for _, labels in story().there.values if AGENT_NAME.name in dict(labels)
    ]
    assert {*named} == {"east", "west"}
    each = sum(row.per_agent for row in rows_of(Program.PRINCIPAL).values())
    assert Counter(named) == {"east": each, "west": each}


def test_records_are_counted_as_they_crossed_the_wire() -> None:
    """By both sides alike, one agent at a time and all together."""
    played = story()
    for name, seen in played.agents.items():
        down, up = played.records[name, False], played.records[name, True]
        assert up > 0
        assert played.back("source_records_sent_total", agent_name=name) == down
        assert played.back("replica_records_received_total", agent_name=name) == up
        assert seen("agent_events_received_total") == seen("replica_records_received_total") == down
        assert seen("agent_events_sent_total") == seen("source_records_sent_total") == up
    # The reader of the text adds _total to a counter that has none.
    assert played.back("principal_events_sent_total") == sum(
        n for (_, up), n in played.records.items() if not up
    )
    assert played.back("principal_events_received_total") == sum(
        n for (_, up), n in played.records.items() if up
    )


def test_what_one_side_sends_the_other_receives() -> None:
    """Bytes of the agents' own count and of the principal's."""
    played = story()
    for name, seen in played.agents.items():
        assert played.back("link_received_bytes_total", agent_name=name) == seen("link_sent_bytes_total") > 0
        assert seen("bodies_packed_bytes_total") < seen("bodies_plain_bytes_total")


def test_what_is_in_step_has_no_age() -> None:
    """Three Applications and their project, nothing on its way, and the hub is at one with both."""
    seen = story().there
    assert seen("argocd_principal_connected_agents") == 2
    for name in ("east", "west"):
        assert seen("agent_connected", agent_name=name) == 1
        for clean in ("dirty_keys", "in_flight_records", "rejected_keys", "mismatches_total"):
            assert seen(f"source_{clean}", agent_name=name) == 0
        assert seen("source_oldest_dirty_age_seconds", agent_name=name) == 0
        assert seen("source_consistent_as_of_age_seconds", agent_name=name) == 0
        assert seen("replica_pending_keys", agent_name=name) == 0
    assert seen("source_wanted_objects", agent_name="east") == 4
    assert seen("replica_held_objects", agent_name="east") == 3  # The statuses of its Applications.


def test_what_waits_for_an_agent_that_is_away_grows_old() -> None:
    """The one change, for as long as the agent has been away; the others stay as they are."""
    seen = story().away
    assert seen("argocd_principal_connected_agents") == 1
    assert (seen("agent_connected", agent_name="east"), seen("agent_connected", agent_name="west")) == (0, 1)
    assert seen("source_dirty_keys", agent_name="east") == 1
    for age in ("source_oldest_dirty_age_seconds", "source_consistent_as_of_age_seconds"):
        assert seen(age, agent_name="east") == pytest.approx(AWAY, abs=1)
        assert seen(age, agent_name="west") == 0
    assert seen("link_ends_total", cause="broken") == 1


def test_what_has_waited_has_taken_so_long() -> None:
    """The histogram knows of the one change that took longer than the agent was away."""
    before, after = story().there, story().back
    assert after("source_settled_seconds_count") == before("source_settled_seconds_count") + 1
    assert after("source_settled_seconds_bucket", le="60.0") == before("source_settled_seconds_count")
    assert after("source_settled_seconds_bucket", le="300.0") == after("source_settled_seconds_count")
    assert AWAY < after("source_settled_seconds_sum") - before("source_settled_seconds_sum") < 2 * AWAY
    assert after("source_consistent_as_of_age_seconds", agent_name="east") == 0
    assert after("argocd_principal_agent_connections_total", agent_name="east") == 2
    assert story().agents["east"]("argocd_agent_connections_total") == 2


def test_beyond_the_bound_agents_are_told_together() -> None:
    """As many as there were series for keep theirs, and the number of the others is told."""
    seen, whole = story().folded, story().back
    assert seen("metrics_unnamed_agents") == 1 and whole("metrics_unnamed_agents") == 0
    sent = [whole("source_records_sent_total", agent_name=name) for name in ("east", "west")]
    named = [dict(labels).get(AGENT_NAME.name) for _, labels in seen.values]
    assert len({*named} - {None}) == 2 and OTHER in named
    (name,) = {*named} - {None, OTHER}
    other = sum(sent) - whole("source_records_sent_total", agent_name=name or "")
    assert seen("source_records_sent_total", agent_name=OTHER) == other
    assert seen("principal_events_sent_total") == sum(sent)


def test_a_principal_that_has_proven_nothing_says_so() -> None:
    """It is not known since when the spoke differs: for ever, until it is there."""
    seen = story().reborn
    assert seen("source_consistent_as_of_age_seconds", agent_name="east") == math.inf
    assert seen("source_consistent_as_of_age_seconds", agent_name="west") == 0
    assert seen("argocd_principal_agent_connections_total", agent_name="east") == 0


def test_an_agent_that_is_taken_off_takes_only_its_own_series_along() -> None:
    """In the middle of a scrape, too; and no counter of all together falls."""
    before, after = story().reborn, story().forgotten
    for seen in (story().meanwhile, after):
        named = {dict(labels).get(AGENT_NAME.name) for _, labels in seen.values} - {None}
        assert "east" in named
        for name in (
            "principal_events_received_total",
            "source_settled_seconds_count",
            "link_sent_frames_total",
        ):
            assert seen(name) >= before(name)
    assert before("link_sent_frames_total") > 0
    assert not any(dict(labels).get(AGENT_NAME.name) == "west" for _, labels in after.values)
    assert after("link_ends_total", cause="unknown-agent") == 1


def test_what_the_program_says_of_itself() -> None:
    """Its version, when the first certificate for each purpose expires, and what was decided."""
    seen = story().there
    assert seen("argocd_agent_build_info", version=__version__, git_revision="unknown") == 1
    assert seen("certificate_expiry_timestamp_seconds", purpose="link") == 1.9e9
    assert seen("certificate_start_timestamp_seconds", purpose="link") == 1.2e9
    assert seen("rest_client_requests_total", method="PATCH", code="409") == 2
    assert seen("rest_client_request_duration_seconds_bucket", verb="PATCH", le="0.25") == 0
    assert seen("rest_client_request_duration_seconds_bucket", verb="PATCH", le="0.5") == 1
    assert seen("rest_client_request_duration_seconds_sum", verb="PATCH") == 0.3
    assert seen("rulings_total", decision=Decision.ADMITTED.value) == 2
    assert seen("rulings_total", decision=Decision.BANNED.value) == 0
    assert seen("certificate_denials_total", reason=Denial.TOKEN.value) == 3
    assert seen("informer_objects", resource="applications.argoproj.io") == 6
    assert seen("informer_complete", resource="applications.argoproj.io") == 1


async def test_an_agent_that_comes_again_begins_anew(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that is sent to both is counted: of the first one nothing is remembered."""
    sent = 0

    def on_frame(agent: str, up: bool, frame: bytes) -> None:
        nonlocal sent
        sent += not up and isinstance(codec.decode(frame), messages.RecordMessage)

    monkeypatch.setattr(Peer, "status", None)  # It names what is not told here, and costs more.
    async with open_fleet([SpokePlan("east")]) as fleet:
        fleet.network.on_frame = on_frame
        await fleet.until(lambda: fleet.principal.instance is not None)
        exposition, principal = of_principal(fleet), fleet.principal.instance
        assert principal is not None
        for lives in range(2):
            for number in range(3 + 9 * lives):
                await fleet.apply(application(f"app{lives}-{number}", namespace="east"))
            await trio.sleep(SETTLING)
            assert scrape(exposition)("principal_events_sent_total") == sent > 3
            await fleet.cluster("hub").delete(SECRETS, NAMESPACE, "cluster-east")
            await fleet.until(lambda: not principal.peers)
            scrape(exposition)
            await fleet.cluster("hub").create(SECRETS, make_secret("east", NAMESPACE))
            await fleet.until(lambda: "east" in principal.peers)
