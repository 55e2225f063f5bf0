"""Credentials reach nobody who may not have them, and are shown nowhere."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping
from typing import Any, Final

import hypothesis.strategies as st
import pytest
import trio
from hypothesis import Phase, given, settings

from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import decode
from trio_argoagent.model.resources import APP_PROJECTS, EVENTS, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.payload import Packed, unpack
from trio_argoagent.testing import oracle
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.repositories import encoded, repo_creds, repository
from trio_argoagent.testing.faults import NONE, Faults
from trio_argoagent.testing.fleet import HUB, NAMESPACE, PRINCIPAL, Fleet, SpokePlan, open_fleet
from trio_argoagent.testing.monitors import Monitors
from trio_argoagent.testing.plan import Options
from trio_argoagent.testing.scheduling import simulate
from trio_argoagent.testing.snapshot import Snapshot
from trio_argoagent.testing.timeline import _changes
from trio_argoagent.testing.trial import run_trial

AGENTS: Final = ("east", "west")
PROJECTS: Final = ("red", "green")
NAMES: Final = ("one", "two")
CANARY: Final = "canary-hunter2"


def may_have(hub: Fleet, agent: str, secret: Mapping[str, Any]) -> bool:
    """The rule once more, from Argo CD's documents and not from the product: by the hub's own objects."""
    name = secret["data"].get("project")
    projects = {encoded(each): each for each in PROJECTS}
    if name not in projects:
        return False
    found = oracle.objects(hub.hub, APP_PROJECTS, NAMESPACE).get(projects[name])
    if found is None:
        return False
    spec = found.get("spec")
    wanted = [each["name"] for each in spec["destinations"]]
    if any(each.startswith("!") and fnmatch.fnmatchcase(agent, each[1:]) for each in wanted):
        return False
    by_name = any(fnmatch.fnmatchcase(agent, each) for each in wanted if not each.startswith("!"))
    return by_name and any(fnmatch.fnmatchcase(agent, each) for each in spec["sourceNamespaces"])


PATTERNS = st.sampled_from(["*", "east", "west", "e*", "!east", "!w*", "nobody"])
SPECS = st.tuples(st.lists(PATTERNS, min_size=1, max_size=3), st.lists(st.sampled_from(["*", "e*", "west"])))
SECRETS_ = st.tuples(st.sampled_from(NAMES), st.sampled_from([*PROJECTS, "missing", ""]))
STEPS = st.one_of(
    st.tuples(st.just("project"), st.sampled_from(PROJECTS), SPECS),
    st.tuples(st.just("unproject"), st.sampled_from(PROJECTS)),
    st.tuples(st.just("secret"), SECRETS_),
    st.tuples(st.just("drop"), st.sampled_from(NAMES)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.01, 3.0])),
    st.tuples(st.just("restart"), st.sampled_from([PRINCIPAL, *AGENTS])),
)


async def carry_out(fleet: Fleet, step: tuple[Any, ...]) -> None:
    """One thing that happens."""
    hub = fleet.cluster(HUB)
    match step:
        case ("project", name, (destinations, sources)):
            places = [{"name": each, "namespace": "*", "server": ""} for each in destinations]
            spec = {"destinations": places, "sourceNamespaces": sources}
            await fleet.apply(app_project(name, namespace=NAMESPACE, **spec))
        case ("unproject", name):
            if name in oracle.objects(fleet.hub, APP_PROJECTS, NAMESPACE):
                await hub.delete(APP_PROJECTS, NAMESPACE, name)
        case ("secret", (name, project)):
            make = repository if name == "one" else repo_creds
            await fleet.apply(make(name, namespace=NAMESPACE, project=project))
            if not project:
                await hub.patch(SECRETS, NAMESPACE, name, MergePatch({"data": {"project": None}}))
        case ("drop", name):
            if name in oracle.objects(fleet.hub, SECRETS, NAMESPACE):
                await hub.delete(SECRETS, NAMESPACE, name)
        case ("wait", seconds):
            await trio.sleep(seconds)
        case ("restart", program):
            fleet.crash(program)
            fleet.start(program)


async def world(steps: list[tuple[Any, ...]]) -> None:
    """Play these steps; whatever is sent is judged at that moment, and what is held at the end."""
    async with open_fleet([SpokePlan(name) for name in AGENTS]) as fleet:
        await fleet.wait_consistent()
        foreign: list[str] = []
        listener = fleet.network.on_frame

        def on_frame(agent: str, up: bool, frame: bytes) -> None:
            if listener is not None:
                listener(agent, up, frame)
            said = codec.decode(frame)
            if not isinstance(said, messages.RecordMessage) or said.record.body is None:
                return
            scoped = said.record.key.kind in (Kind.REPOSITORY, Kind.REPO_CREDS)
            # A secret travels alone: what it says can be read without what was said before it.
            body = unpack(Packed(said.encoding, said.record.body)) if scoped else b"{}"
            if scoped and not may_have(fleet, agent, decode(body)):
                foreign.append(f"{said.record.key} was sent to {agent}")

        fleet.network.on_frame = on_frame
        for step in steps:
            await carry_out(fleet, step)
            # In virtual time a watch tells at once: what is sent after this was decided after it.
            await trio.sleep(0.001)
        await fleet.wait_consistent(2000.0)
        assert foreign == []
        for agent, spoke in fleet.spokes.items():
            for copy in oracle.objects(spoke.server, SECRETS, NAMESPACE).values():
                if copy.meta.name in NAMES:
                    assert may_have(fleet, agent, copy.value()), f"{agent} holds {copy.meta.name}"


@settings(deadline=None, max_examples=25, phases=[Phase.explicit, Phase.generate])  # A story is dear.
@given(st.lists(STEPS, min_size=3, max_size=10))
def test_no_credentials_for_those_who_may_not_have_them(steps: list[tuple[Any, ...]]) -> None:
    """Whatever projects, agents, Secrets and restarts there are, in whichever order."""
    simulate(world, steps, seed=1)


@pytest.mark.parametrize("faults", [NONE, Faults(refused=0.2, lost=0.2, conflicts=0.2)])
def test_what_is_secret_is_shown_nowhere(faults: Faults, capsys: pytest.CaptureFixture[str]) -> None:
    """Events, conditions, reports, traces, diffs and what values print of themselves."""
    told: list[str] = []

    async def story() -> None:
        async with open_fleet([SpokePlan("east")]) as fleet:
            fleet.observers.append(lambda program, event: told.append(repr((program, event))))
            before = fleet.snapshot()
            listener = fleet.network.on_frame

            def on_frame(agent: str, up: bool, frame: bytes) -> None:
                if listener is not None:
                    listener(agent, up, frame)
                told.append(repr(codec.decode(frame)))

            fleet.network.on_frame = on_frame
            fleet.set_faults(faults)
            everywhere = app_project(
                "team", namespace=NAMESPACE, destinations=_ALL, sourceNamespaces=["*"]
            )
            await fleet.apply([everywhere, secret("one"), secret("two", "")])
            # A Secret of that name and of another type, which the API server does not let us change.
            other = secret("three") | {"type": "kubernetes.io/basic-auth"}
            other["metadata"]["annotations"] = {"argocd.argoproj.io/source-uid": "x"}
            await fleet.cluster("east").create(SECRETS, other)
            await fleet.apply(secret("three"))
            await trio.sleep(60)
            fleet.set_faults(NONE)
            await fleet.apply(secret("one", password=CANARY + "-again"))
            await trio.sleep(30)
            copies = oracle.objects(fleet.spokes["east"].server, SECRETS, NAMESPACE)
            assert copies["one"].get("data")["password"] == encoded(CANARY + "-again")
            told.extend(before.diff(fleet.snapshot()))
            told.extend(fleet.differences())
            told.append(repr(fleet.snapshot().only(kind="Event").objects))
            for server in fleet.servers.values():
                told.extend(f"{entry!r} {_changes(entry)}" for entry in server.log)
                told.extend(repr(obj) for obj in oracle.objects(server, EVENTS, NAMESPACE).values())

    simulate(story, seed=3)
    told.append(capsys.readouterr().out)
    text = "\n".join(told)
    assert "one" in text
    assert CANARY not in text and encoded(CANARY)[:16] not in text


_ALL: Final[list[Any]] = [{"name": "*", "namespace": "*", "server": "*"}]


def secret(name: str, project: str = "team", password: str = CANARY) -> dict[str, Any]:
    """Credentials with a word in them that must not be seen."""
    return repository(name, namespace=NAMESPACE, project=project, password=password)


def test_a_snapshot_says_that_a_secret_differs() -> None:
    """But not in what."""
    name = ("hub", "Secret", NAMESPACE, "one")
    before, after = secret("one"), secret("one", password="other")
    (line,) = Snapshot({name: before}).diff(Snapshot({name: after}))
    assert "data.password" in line and encoded("other") not in line


@pytest.mark.parametrize("seed", [1, 2, 5])
def test_plans_with_credentials(seed: int) -> None:
    """``simulate --credentials``: drawn work with them, under all troubles."""
    report = run_trial(seed, Options(seconds=20.0, credentials=True))
    assert report.violations == ()


async def _write_as_agent(fleet: Fleet, password: str) -> None:
    """The agent has a copy of the hub's ``one``, with that password."""
    uid = oracle.objects(fleet.hub, SECRETS, NAMESPACE)["one"].meta.uid
    copy = secret("one", password=password)
    copy["metadata"]["annotations"] = {"argocd.argoproj.io/source-uid": uid}
    await fleet.spoke_as("east", "agent").create(SECRETS, copy)


@pytest.mark.parametrize(
    ("owned", "late", "password", "allowed"),
    [
        (False, 0.0, CANARY, False),  # It never had the project.
        (True, 0.0, CANARY, True),  # It had it a moment before these credentials came.
        (True, 0.0, "another", False),  # The hub never had these.
        (True, 1000.0, CANARY, False),  # That was long ago.
    ],
)
def test_a_foreign_write_is_seen(owned: bool, late: float, password: str, allowed: bool) -> None:
    """I14 judges what an agent writes, not what the product thinks of it."""
    found: list[str] = []

    async def story() -> None:
        async with open_fleet([SpokePlan("east")], start=False) as fleet:
            monitors = Monitors(fleet)
            everybody = app_project("team", namespace=NAMESPACE, destinations=_ALL, sourceNamespaces=["*"])
            if owned:
                await fleet.apply(everybody)
            await fleet.apply(app_project("team", namespace=NAMESPACE, destinations=[]))
            await fleet.apply(secret("one"))
            await trio.sleep(late)
            await _write_as_agent(fleet, password)
            found.extend(monitors.found())

    simulate(story, seed=1)
    assert any("I14" in line for line in found) is not allowed
