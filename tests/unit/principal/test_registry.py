"""Who exists, who is let in, and which process of two stays: the pure cores, cell by cell."""

from __future__ import annotations

import base64
import itertools

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.principal import clusters
from trio_argoagent.principal.clusters import Entry, Pin, make_secret, read_entry, read_pin
from trio_argoagent.principal.registry import (
    TRANSITIONS,
    Admit,
    Effect,
    Register,
    Registry,
    Sight,
    Standing,
    WritePin,
)
from trio_argoagent.principal.rivals import SWAPS, WINDOW, Rivalry
from trio_argoagent.stream.protocol.messages import Reason, Refuse
from trio_argoagent.sync import names

PIN = Pin(Mode.MANAGED, "argocd", "uid-1")
OPEN = Entry("edge", "cluster-edge", "s1", None, "edge")
PINNED = attrs.evolve(OPEN, pin=PIN)
OTHER = attrs.evolve(OPEN, pin=attrs.evolve(PIN, mode=Mode.AUTONOMOUS))
BROKEN = attrs.evolve(OPEN, problem="cannot be read")


def registry(*seen: Entry | None, registers: bool = False) -> tuple[Registry, list[Effect]]:
    """A registry that has seen the secret say these things, and what was to be done."""
    made, effects = Registry(registers=registers, most=2), list[Effect]()
    for entry in seen:
        effects += [deed.effect for deed in made.see("cluster-edge", entry)]
    return made, effects


BUILD, FORGET = Effect.BUILD, Effect.FORGET


@pytest.mark.parametrize(
    ("seen", "standing", "effects"),
    [
        ([None], Standing.ABSENT, []),
        ([OPEN], Standing.EXPECTED, []),
        ([OPEN, OPEN], Standing.EXPECTED, []),
        ([OPEN, None], Standing.ABSENT, []),
        ([OPEN, PINNED], Standing.PINNED, [BUILD]),
        ([PINNED], Standing.PINNED, [BUILD]),
        ([PINNED, PINNED], Standing.PINNED, [BUILD]),
        ([PINNED, None], Standing.ABSENT, [BUILD, FORGET]),
        ([PINNED, OPEN], Standing.RELEASED, [BUILD]),
        ([PINNED, BROKEN], Standing.ABSENT, [BUILD, FORGET]),
        ([PINNED, BROKEN, PINNED], Standing.PINNED, [BUILD, FORGET, BUILD]),
        ([PINNED, attrs.evolve(PINNED, home="shop")], Standing.PINNED, [BUILD, FORGET, BUILD]),
        ([PINNED, OTHER], Standing.PINNED, [BUILD, FORGET, BUILD]),
        ([PINNED, OPEN, OPEN], Standing.RELEASED, [BUILD]),
        ([PINNED, OPEN, PINNED], Standing.PINNED, [BUILD]),
        ([PINNED, OPEN, OTHER], Standing.PINNED, [BUILD, FORGET, BUILD]),
        ([PINNED, OPEN, None], Standing.ABSENT, [BUILD, FORGET]),
        ([PINNED, attrs.evolve(PINNED, uid="s2")], Standing.PINNED, [BUILD, FORGET, BUILD]),
        ([PINNED, attrs.evolve(OPEN, uid="s2")], Standing.EXPECTED, [BUILD, FORGET]),
    ],
)
def test_what_follows(seen: list[Entry | None], standing: Standing, effects: list[Effect]) -> None:
    """Each cell of the table, by what a secret says one after the other."""
    made, done = registry(*seen)
    assert (made.standing("edge"), done) == (standing, effects)


def test_the_table_is_whole() -> None:
    """Every cell is there but those that cannot be: nobody is followed before there was a pin."""
    impossible = {(Standing.ABSENT, Sight.SAME), (Standing.EXPECTED, Sight.SAME)}
    assert set(TRANSITIONS) == set(itertools.product(Standing, Sight)) - impossible


@given(st.lists(st.sampled_from([None, OPEN, PINNED, OTHER, BROKEN]), max_size=12))
def test_whoever_is_followed_was_built_last(seen: list[Entry | None]) -> None:
    """Nobody is built twice or forgotten twice, and without a secret nobody is followed."""
    made, effects = registry(*seen)
    assert all(a is not b for a, b in itertools.pairwise(effects))
    assert not effects or effects[0] is BUILD
    followed = bool(effects) and effects[-1] is BUILD
    assert followed == (made.standing("edge") in (Standing.PINNED, Standing.RELEASED))


@pytest.mark.parametrize(
    ("seen", "pin", "expected"),
    [
        ([OPEN], PIN, WritePin),
        ([PINNED], PIN, Admit),
        ([PINNED, OPEN], PIN, WritePin),
        ([PINNED, OPEN], attrs.evolve(PIN, cluster_uid="uid-2"), WritePin),
        ([PINNED], attrs.evolve(PIN, cluster_uid="uid-2"), Reason.IDENTITY),
        ([PINNED], attrs.evolve(PIN, mode=Mode.AUTONOMOUS), Reason.MODE),
        ([PINNED], attrs.evolve(PIN, namespace="elsewhere"), Reason.MODE),
        ([BROKEN], PIN, Reason.IDENTITY),
        ([], PIN, Reason.UNKNOWN_AGENT),
        ([PINNED, None], PIN, Reason.UNKNOWN_AGENT),
    ],
)
def test_who_dials(seen: list[Entry | None], pin: Pin, expected: type | Reason) -> None:
    """Who is let in, who is pinned first, and why anybody else is refused, with a time to come back."""
    made, _ = registry(*seen)
    decision = made.judge("edge", pin)
    if isinstance(expected, Reason):
        assert isinstance(decision, Refuse) and decision.retry_after > 0
        assert decision.reason is expected
    else:
        assert isinstance(decision, expected)


def test_a_stranger_registers_where_that_is_wanted() -> None:
    """And no more of them than the principal will know."""
    made, _ = registry(registers=True)
    assert made.judge("edge", PIN) == Register(PIN)
    for number in range(2):
        name = f"e{number}"
        made.see(f"cluster-{name}", attrs.evolve(PINNED, agent=name, home=name, secret=f"cluster-{name}"))
    refused = made.judge("edge", PIN)
    assert isinstance(refused, Refuse) and refused.reason is Reason.INTERNAL


def test_a_label_that_changes() -> None:
    """The secret of one agent becomes another's."""
    made, _ = registry(PINNED)
    deeds = made.see("cluster-edge", attrs.evolve(PINNED, agent="west", home="west"))
    assert [(deed.effect, deed.agent) for deed in deeds] == [(FORGET, "edge"), (BUILD, "west")]


def test_two_secrets_of_one_agent() -> None:
    """The one that is pinned counts, then the oldest; when it goes the other one does."""
    made, _ = registry(attrs.evolve(OPEN, born="2026-01-01T00:00:00Z"))
    older = attrs.evolve(OPEN, secret="older", uid="s0", born="2025-01-01T00:00:00Z")
    made.see("older", older)
    assert made.entry("edge") == older
    assert [deed.effect for deed in made.see("cluster-edge", PINNED)] == [BUILD]
    assert made.entry("edge") == PINNED
    assert [deed.effect for deed in made.see("cluster-edge", None)] == [FORGET]
    assert made.entry("edge") == older


def test_one_namespace_of_two_agents() -> None:
    """The one that is pinned has it, then the older one; the other is told, and has it when that has gone."""
    made, _ = registry(PINNED)
    rival = attrs.evolve(PINNED, agent="west", secret="cluster-west", uid="s9", born="2020-01-01T00:00:00Z")
    newer = attrs.evolve(rival, born="2030-01-01T00:00:00Z")
    assert made.see("cluster-west", newer) == ()
    refused = made.judge("west", PIN)
    assert isinstance(refused, Refuse)
    assert refused.detail.startswith("namespace edge of the hub is agent edge's; name another one in")
    assert isinstance(made.judge("edge", PIN), Admit)
    deeds = made.see("cluster-edge", None)
    assert [(deed.effect, deed.agent) for deed in deeds] == [(FORGET, "edge"), (BUILD, "west")]
    deeds = made.see("cluster-edge", attrs.evolve(PINNED, born="2019-01-01T00:00:00Z"))
    assert [(deed.effect, deed.agent) for deed in deeds] == [(BUILD, "edge"), (FORGET, "west")]
    deeds = made.see("cluster-edge", attrs.evolve(PINNED, home="shop"))
    done = [(deed.effect, deed.agent) for deed in deeds]
    assert done == [(FORGET, "edge"), (BUILD, "edge"), (BUILD, "west")]


# What a secret says


@given(st.sampled_from(Mode), st.sampled_from(["argocd", "a-b"]), st.text(min_size=1, max_size=128))
def test_pins_read_back(mode: Mode, namespace: str, uid: str) -> None:
    """Whatever an agent says its cluster's uid is."""
    pin = Pin(mode, namespace, uid)
    assert read_pin(str(pin)) == pin


@pytest.mark.parametrize(
    "text", ["v1", "v2 managed argocd u", "v1 other argocd u", "v1 managed argocd ", "x"]
)
def test_a_pin_that_cannot_be_read(text: str) -> None:
    """Nobody is let in by it, and it says what to do."""
    value = make_secret("edge", "argocd")
    value["metadata"]["annotations"][clusters.PINNED] = text
    entry = read_entry(Object.of(value))
    assert entry.pin is None
    assert entry.problem.startswith("annotation trio-argoagent/pinned of secret cluster-edge: ")
    assert entry.problem.endswith("; remove it")


@pytest.mark.parametrize(("home", "good"), [("shop", True), ("argocd", False), ("Not A Name", False)])
def test_a_namespace_of_another_name(home: str, good: bool) -> None:
    """It may be any one but Argo CD's own."""
    value = make_secret("edge", "argocd")
    assert read_entry(Object.of(value)).home == "edge"
    value["metadata"]["annotations"][clusters.HOME] = home
    entry = read_entry(Object.of(value))
    assert (entry.home, not entry.problem) == (home, good)


def test_a_label_that_is_no_name() -> None:
    """It stands for no agent."""
    value = make_secret("edge", "argocd")
    value["metadata"]["labels"][names.AGENT_NAME] = "Not A Name"
    assert "is no agent's name" in read_entry(Object.of(value)).problem


def test_a_secret_as_argocd_agent_makes_it() -> None:
    """Name, labels, annotations and data that its own tools understand."""
    tls = {"tls.crt": b"C", "tls.key": b"K", "ca.crt": b"A", "other": b"x"}
    made = make_secret("edge", "argocd", "proxy:9090", tls=tls, pin=PIN, registered=True)
    assert made["metadata"]["name"] == "cluster-edge"
    assert made["metadata"]["labels"] == {
        "argocd.argoproj.io/secret-type": "cluster",
        "argocd-agent.argoproj-labs.io/agent-name": "edge",
        "argocd-agent.argoproj-labs.io/self-registered-cluster": "true",
    }
    assert made["metadata"]["annotations"]["argocd.argoproj.io/skip-reconcile"] == "true"
    assert made["stringData"] == {
        "name": "edge",
        "server": "https://proxy:9090?agentName=edge",
        "config": '{"tlsClientConfig":{"insecure":false,"certData":"Qw==","keyData":"Sw==","caData":"QQ=="}}',
    }
    entry = read_entry(Object.of(made))
    assert (entry.agent, entry.pin, entry.problem) == ("edge", PIN, "")


def test_the_data_of_a_secret_is_not_kept() -> None:
    """The keys of the clusters are nobody's business here."""
    made = make_secret("edge", "argocd", tls={"tls.key": b"K"})
    texts = made.pop("stringData")
    data = {name: base64.b64encode(text.encode()).decode() for name, text in texts.items()}
    lean = clusters.lean(Object.of(made | {"data": data}))
    assert list(lean.fields) == ["data"] and list(lean.get("data")) == ["server"]
    assert clusters.server_url(lean) == texts["server"]
    assert clusters.lean(Object.of(made)).fields == {}
    assert clusters.is_of(lean, "edge") and not clusters.is_of(lean, "west")


# Rivals


def test_a_rolling_update_is_no_fight() -> None:
    """Fewer claims than it takes, or spread over a longer time."""
    rivalry = Rivalry()
    for number in range(20):
        rivalry = rivalry.claimed(number * (WINDOW / (SWAPS - 1) + 1))
        assert not rivalry.is_contested(number * (WINDOW / (SWAPS - 1) + 1))


def test_a_fight_and_its_end() -> None:
    """The third claim within the window, until the claims grow old."""
    rivalry = Rivalry()
    for at in (0.0, 60.0, 120.0):
        assert not rivalry.is_contested(at)
        rivalry = rivalry.claimed(at)
    assert rivalry.is_contested(120.0)
    assert rivalry.is_contested(WINDOW - 1)
    assert not rivalry.is_contested(WINDOW + 1)
    assert len(rivalry.claimed(130.0).claims) == SWAPS
