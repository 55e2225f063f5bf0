"""What an agent that has proven who it is can do to others: nothing, and the attempt is written down."""

from __future__ import annotations

import base64
import random
from contextlib import suppress
from fnmatch import fnmatchcase
from itertools import product
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import Forbidden, LinkBroken
from trio_argoagent.model.identity import Mode, is_dns_label
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import Evidence, Holding, Outcome, Record, Result
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS, NAMESPACES, SECRETS, Resource
from trio_argoagent.model.rulings import Decision
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.confined import Confined
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync import names
from trio_argoagent.sync.destinations import DestinationMapping
from trio_argoagent.sync.mapping import IN_CLUSTER_SERVER, NamespaceMapping
from trio_argoagent.sync.patterns import Patterns
from trio_argoagent.testing.argocd.applications import app_project, application

from .hub import HUB, Agent, Hub, app_key, copy_body, open_hub, project_body, value

MISTAKE = "a mistake of the principal"
SPACES = ("argocd", "other", "edge", "kube-system")
NAMES = ("web", "hubs", "default", "mine", "other-mine", "edge-web", "cluster-other", "x" * 250)


async def _snapshot(hub: Hub) -> dict[tuple[str, str, str], str]:
    """All that is not edge's own: what it is, and its version."""
    found: dict[tuple[str, str, str], str] = {}
    for resource in (APPLICATIONS, APP_PROJECTS, SECRETS, NAMESPACES):
        for obj in (await hub.users.list(resource)).items:
            namespace, name = obj.meta.namespace, obj.meta.name
            own = {APPLICATIONS: namespace == "edge", APP_PROJECTS: name.startswith("edge-")}
            if not own.get(resource, False):
                found[resource.plural, namespace, name] = obj.meta.resource_version
    return found


def _uids(hub: Hub) -> tuple[str, ...]:
    victim, project = hub.app("other"), hub.project("other-mine")
    assert victim is not None and project is not None
    return "spoke-uid", victim.meta.uid, project.meta.uid


def _spoofed(chance: random.Random, uids: tuple[str, ...]) -> dict[str, Any]:
    """A copy whose labels and annotations say that it is another agent's, or the hub's own."""
    return chance.choice((copy_body, project_body))(
        annotations={
            names.AGENT: chance.choice(("other", "edge", "")),
            names.SOURCE_UID: chance.choice(uids),
            names.PRINCIPAL_UID: chance.choice(uids),
            names.MARKER: f"v1 D1 AP 7 {chance.choice(uids)}",
        },
        labels={names.AGENT_NAME: "other", names.SECRET_TYPE: "cluster"},
        finalizers=[names.FAMILY],
    )


def _message(chance: random.Random, number: int, uids: tuple[str, ...]) -> messages.Message:
    kind = chance.choice(tuple(Kind))
    verb = chance.choice(tuple(Verb)) if kind is Kind.INTENT else ""
    key = Key(kind, chance.choice(SPACES), chance.choice(NAMES), verb)
    uid = chance.choice(uids)
    holding = chance.choice((None, Holding(uid, "D1"), Holding(uid, "")))
    match chance.randrange(20):
        case 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7:
            return messages.RecordMessage(number, value(key, _spoofed(chance, uids), uid))
        case 8 | 9 | 10:
            evidence = chance.choice(tuple(Evidence))
            return messages.RecordMessage(number, Record(key, uid, "", "7", None, evidence))
        case 11 | 12 | 13:
            return messages.Have(((key, holding),))
        case 14 | 15 | 16:
            result = Result(chance.randrange(1, 9), chance.choice(tuple(Outcome)), "because", holding, "7")
            return messages.Results((result,))
        case 17:
            return messages.Confirm("5e" * 16)
        case 18:
            return messages.Open(f"{number:032x}", key.name[:63], (), 1.0)
        case _:
            return messages.Held("5e" * 16, "because", 1, (key,))


async def _attack(hub: Hub, agent: Agent, chance: random.Random) -> None:
    """Say a dozen of these, as long as the link lives; whoever is not let in waits."""
    uids = _uids(hub)
    with trio.move_on_after(600):
        while not agent.ended and not any(isinstance(each, messages.Welcome) for each in agent.heard):
            await agent.wait_change()
        with suppress(LinkBroken):
            for number in range(1, 13):
                agent.say(_message(chance, number, uids))
                await trio.sleep(chance.choice((0.0, 0.01)))
            return
    await trio.sleep(600)


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("seed", range(4))
async def test_foreign_names_in_every_message(seed: int, mode: Mode, autojump_clock: MockClock) -> None:
    """Whatever namespaces, names, kinds, uids and labels it says, nothing but its own is touched."""
    chance = random.Random(seed)
    async with open_hub("edge", "other") as hub:
        await hub.users.create(APP_PROJECTS, app_project("default", namespace=HUB))
        victim = await hub.autonomous("other")
        assert (await victim.ask(value(app_key(), copy_body()))).outcome is Outcome.APPLIED
        project = app_key("mine", Kind.APP_PROJECT)
        assert (await victim.ask(value(project, project_body()))).outcome is Outcome.APPLIED
        await hub.users.create(APPLICATIONS, application("hubs", namespace=HUB))
        await hub.join("edge", mode=mode, cluster_uid="c-edge")
        await trio.sleep(5)
        before = await _snapshot(hub)
        for _ in range(40):
            await _attack(hub, await hub.dial("edge", mode=mode, cluster_uid="c-edge"), chance)
        await trio.sleep(400)
        assert await _snapshot(hub) == before
        said = [each for each in hub.rulings if each.decision is Decision.SCOPE_VIOLATION]
        assert said and all(each.agent == "edge" for each in said)
        assert not [each for each in said if MISTAKE in each.reason]


BY_NAMESPACE = NamespaceMapping("edge", "argocd", "argocd", autonomous=False)
MIRRORED = NamespaceMapping("edge", "argocd", "argocd", autonomous=True)
ALLOWED = Patterns(("team-*", "spoke-*"))
BY_DESTINATION = DestinationMapping("edge", "spoke-argocd", "argocd", autonomous=False, allowed=ALLOWED)


@pytest.mark.parametrize(
    ("mapping", "resource", "namespace", "name", "may"),
    [
        (BY_NAMESPACE, APPLICATIONS, "edge", "web", True),
        (BY_NAMESPACE, APPLICATIONS, "other", "web", False),
        (BY_NAMESPACE, APPLICATIONS, "argocd", "web", False),
        (BY_NAMESPACE, APPLICATIONS, "edge", "../other/web", False),
        (BY_NAMESPACE, APPLICATIONS, "edge", "", False),
        (BY_NAMESPACE, APP_PROJECTS, "argocd", "any", True),
        (BY_NAMESPACE, APP_PROJECTS, "edge", "any", False),
        (BY_NAMESPACE, SECRETS, "argocd", "cluster-edge", False),
        (BY_NAMESPACE, NAMESPACES, "", "other", False),
        (MIRRORED, APPLICATIONS, "edge", "web", True),
        (MIRRORED, APP_PROJECTS, "argocd", "edge-web", True),
        (MIRRORED, APP_PROJECTS, "argocd", "edge-", False),
        (MIRRORED, APP_PROJECTS, "argocd", "other-web", False),
        (MIRRORED, APP_PROJECTS, "argocd", "default", False),
        (BY_DESTINATION, APPLICATIONS, "argocd", "web", True),
        (BY_DESTINATION, APPLICATIONS, "team-a", "web", True),
        (BY_DESTINATION, APPLICATIONS, "spoke-argocd", "web", True),
        (BY_DESTINATION, APPLICATIONS, "kube-system", "web", False),
        (BY_DESTINATION, APP_PROJECTS, "team-a", "web", False),
    ],
)
async def test_a_mistake_above_ends_at_the_hubs_api(
    mapping: NamespaceMapping, resource: Resource, namespace: str, name: str, may: bool,
    autojump_clock: MockClock,
) -> None:  # fmt: skip
    """Each verb, by the names of the call alone; what is refused is told, and the API is not asked."""
    said: list[str] = []
    refused: list[str] = []
    async with open_hub("edge") as hub:
        confined = Confined(hub.users, mapping, lambda verb, what: said.append(f"{verb} {what}"))
        value = {"apiVersion": resource.api_version, "kind": resource.kind,
                 "metadata": {"name": name, "namespace": namespace}}  # fmt: skip
        calls = {
            "get": lambda: confined.get(resource, namespace, name),
            "replace": lambda: confined.replace(resource, value),
            "patch": lambda: confined.patch(resource, namespace, name, MergePatch({})),
            "delete": lambda: confined.delete(resource, namespace, name),
            "create": lambda: confined.create(resource, value),
        }
        for call in calls.values():
            try:
                await call()  # type: ignore[no-untyped-call]
            except Forbidden as exc:
                refused.append(str(exc).removesuffix(": it is not agent edge's"))
            except Exception:
                pass  # The API's own no: it has been asked.
    what = f"{resource.kind} {namespace}/{name}"
    assert refused == said == ([] if may else [f"{verb} {what}" for verb in calls])


def test_names_that_could_be_two_agents() -> None:
    """A + b-c = a-b + c: over a small alphabet, each such pair differs in the owner that the mirror names."""
    drawn = ("".join(letters) for size in (1, 2, 3) for letters in product("ab-", repeat=size))
    words = [word for word in drawn if is_dns_label(word)]
    owners: dict[tuple[str, str], dict[str, None]] = {}
    for agent, project in product(words, words):
        mapping = NamespaceMapping(agent, "argocd", HUB, autonomous=True)
        key = Key(Kind.APP_PROJECT, "argocd", project)
        assert mapping.in_scope(key)
        place = mapping.hub_name(key)
        assert mapping.key(Kind.APP_PROJECT, *place) == key
        owners.setdefault(place, {})[agent] = None
    assert sum(len(each) > 1 for each in owners.values()) == 8


COLLIDING = [("a", "b-x", "a-b", "x"), ("a", "b-b", "a-b", "b"), ("a-a", "a", "a", "a-a")]


@pytest.mark.parametrize(("one", "first", "two", "second"), COLLIDING)
@pytest.mark.parametrize("reverse", [False, True])
async def test_the_second_claimant_of_a_name_waits(
    one: str, first: str, two: str, second: str, reverse: bool, autojump_clock: MockClock
) -> None:
    """Whoever comes first has it, whoever's name is the longer one, and keeps it."""
    claims = [(one, first), (two, second)]
    if reverse:
        claims.reverse()
    (owner, mine), (thief, theirs) = claims
    async with open_hub(one, two) as hub:
        holds, wants = await hub.autonomous(owner), await hub.autonomous(thief)
        answer = await holds.ask(value(app_key(mine, Kind.APP_PROJECT), project_body()))
        assert answer.outcome is Outcome.APPLIED
        await trio.sleep(1)
        before = hub.project(f"{owner}-{mine}")
        spoof = project_body(annotations={names.AGENT: owner, names.SOURCE_UID: "spoke-uid"})
        key = app_key(theirs, Kind.APP_PROJECT)
        assert (await wants.ask(value(key, spoof), final=False)).outcome is Outcome.PENDING
        await wants.send(Record(key, "spoke-uid", "", "7", None, Evidence.WITNESSED))
        await trio.sleep(300)
        after = hub.project(f"{owner}-{mine}")
        assert before is not None and after is not None
        assert after.meta.resource_version == before.meta.resource_version
        assert after.annotations[names.AGENT] == owner


@pytest.mark.parametrize("seed", range(40))
def test_a_project_is_never_widened(seed: int) -> None:
    """Whatever a spoke puts into it, on the hub it is for the agent's cluster and namespace alone."""
    chance = random.Random(seed)
    mapping = NamespaceMapping("edge", "argocd", HUB, autonomous=True)
    spec: dict[str, Any] = {
        "destinations": [
            {
                key: chance.choice(("*", "other", "!edge", "in-cluster", IN_CLUSTER_SERVER, ""))
                for key in ("name", "server", "namespace")
                if chance.random() < 0.7
            }
            for _ in range(chance.randrange(4))
        ],
        "sourceNamespaces": chance.sample(["*", "other", "argocd", "/.*/"], chance.randrange(4)),
        "clusterResourceWhitelist": [{"group": "*", "kind": "*"}],
        "roles": [{"name": "r", "policies": ["p, proj:x:r, applications, *, x/*, allow"]}],
    }
    shown = mapping.up(app_key("x", Kind.APP_PROJECT), project_body(spec=spec))
    up = shown["spec"]
    assert up["sourceNamespaces"] == ["edge"]
    assert all((each["name"], each["server"]) == ("edge", "*") for each in up["destinations"])
    assert len(up["destinations"]) == len(spec["destinations"])
    (role,) = up["roles"]
    assert role["policies"] == ["p, proj:edge-x:r, applications, *, edge-x/edge/*, allow"]
    assert shown["finalizers"] == []


def _entitled(secret: dict[str, Any], projects: dict[str, dict[str, Any]], agent: str) -> bool:
    """May this agent see that Secret? Written anew from the rule, for comparison."""
    kind = secret["metadata"].get("labels", {}).get(names.SECRET_TYPE)
    if secret["metadata"]["namespace"] != HUB or kind not in ("repository", "repo-creds"):
        return False
    named = base64.b64decode(secret["data"].get("project", "")).decode()
    if named not in projects:
        return False
    spec = projects[named]["spec"]
    clusters = [each.get("name", "") for each in spec["destinations"]]
    if any(each.startswith("!") and fnmatchcase(agent, each[1:]) for each in clusters):
        return False
    return any(fnmatchcase(agent, each) for each in clusters) and any(
        fnmatchcase(agent, each) for each in spec["sourceNamespaces"]
    )


CLUSTERS = ("edge", "other", "*", "e*", "!edge", "!*", "o*")


@pytest.mark.parametrize("seed", range(10))
async def test_which_secrets_leave_the_hub(seed: int, autojump_clock: MockClock) -> None:
    """Twenty worlds each: what an agent is sent is what a rule written apart from ours says, and no more."""
    chance = random.Random(seed)
    async with open_hub("edge", "other") as hub:
        wanted: set[str] = set()
        for world in range(20):
            projects: dict[str, dict[str, Any]] = {}
            for number in range(2):
                clusters = chance.sample(CLUSTERS, chance.randrange(1, 3))
                name = f"p{world}-{number}"
                projects[name] = app_project(
                    name,
                    namespace=HUB,
                    destinations=[{"name": each, "namespace": "*", "server": "*"} if each[0] == "!" else
                                  {"name": each, "namespace": "*"} for each in clusters],
                    sourceNamespaces=chance.sample(("edge", "other", "*", "ed?e"), chance.randrange(1, 3)),
                )  # fmt: skip
                await hub.users.create(APP_PROJECTS, projects[name])
            kind = chance.choice(("repository", "repo-creds", "cluster", "repository-x", ""))
            named = chance.choice((*projects, *projects, "gone", ""))
            secret = {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": f"s{world}",
                    "namespace": chance.choice((HUB, HUB, HUB, "edge", "other")),
                    "labels": {names.SECRET_TYPE: kind, names.AGENT_NAME: "edge"} if kind else {},
                    "annotations": {names.SOURCE_UID: "x"},
                },
                "data": {
                    "url": base64.b64encode(b"https://x.example/r").decode(),
                    "password": base64.b64encode(b"hidden").decode(),
                    "project": base64.b64encode(named.encode()).decode(),
                },
            }
            await hub.users.create(SECRETS, secret)
            if _entitled(secret, projects, "edge"):
                wanted.add(f"s{world}")
        agent = await hub.join("edge")
        await agent.hear(messages.Buckets)
        agent.say(messages.Leaf(bytes(range(messages.BUCKETS)), (), last=True))
        await trio.sleep(60)
        records = [each.record for each in agent.heard if isinstance(each, messages.RecordMessage)]
        secrets = {each.key.name for each in records if each.key.kind in (Kind.REPOSITORY, Kind.REPO_CREDS)}
        assert secrets == wanted
        said = "".join(repr(each.key) for each in records)
        assert "cluster-" not in said
