"""Which objects go where, over whole fleets: moves, namespaces, selectors, and what is none of ours."""

from __future__ import annotations

import attrs
import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.resources import APPLICATIONS, EVENTS, NAMESPACES, SECRETS
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.principal.clusters import HOME, make_secret
from trio_argoagent.principal.unclaimed import RECHECK
from trio_argoagent.replication.happenings import RENEW
from trio_argoagent.runtime.config import AgentConfig, NamespaceCreation, PrincipalConfig
from trio_argoagent.sync import conditions, names, scope
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import ALL, Patterns
from trio_argoagent.testing.argocd.applications import application, automated
from trio_argoagent.testing.fleet import SpokePlan, open_fleet

from ..parity.destinations import make, play_by_destination, tenant, until_gone, until_there
from ..parity.play import play
from ..parity.stage import Stage, find, namespace

A_WHILE = 10.0
"""Seconds in which whatever should not happen would have happened."""


async def said(stage: Stage, where: str, name: str) -> str:
    """What our condition on an Application of the hub says."""
    app = await find(stage.hub, APPLICATIONS, where, name)
    return conditions.said((app.get("status") if app is not None else None) or {})


async def until_said(stage: Stage, where: str, name: str, text: str) -> None:
    """Wait for our condition to say that; empty: for there to be none."""

    async def there() -> bool:
        found = await said(stage, where, name)
        return text in found if text else not found

    await stage.until(there)


def test_an_application_that_moves_keeps_its_workload_on_the_old_cluster() -> None:
    """The copy there goes without cascading, the new agent gets one; and back."""

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        team = await tenant(stage, "a", east, west)
        await make(stage, team, "web", east.name, cascade=True, syncPolicy=automated())

        async def deployed() -> bool:
            return bool(east.world.live(team, "web", 0.0))

        await stage.until(deployed)
        for there, here in ((west, east), (east, west)):
            change = MergePatch({"spec": {"destination": {"name": there.name}}})
            await stage.hub.patch(APPLICATIONS, team, "web", change)
            await until_there(stage, there, team, "web")
            await until_gone(stage, here, team, "web")
            await stage.agree()
        assert not east.world.prunes and not west.world.prunes

    play_by_destination(story, managed=("east", "west"))


def test_what_names_no_agent_is_not_written() -> None:
    """A hybrid hub: its own Applications, and those that take no part, keep their resourceVersion."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        team = await tenant(stage, "a", east)
        family = [names.FAMILY]
        strangers = [
            application("own", namespace=team, cascade=False),
            application("other", namespace=team, cascade=False, destination={"name": "prod-7"}),
            application("east", namespace=stage.namespace, metadata={"labels": {names.IGNORE_SYNC: "true"}}),
        ]
        strangers[2]["spec"]["destination"] = {"name": east.name, "namespace": "x"}
        strangers[2]["metadata"]["finalizers"] = family
        made = [await stage.hub.create(APPLICATIONS, value) for value in strangers]
        ask = MergePatch({"operation": {"sync": {}}, "metadata": {"annotations": {names.REFRESH: "normal"}}})
        asked = [await stage.hub.patch(APPLICATIONS, o.meta.namespace, o.meta.name, ask) for o in made]
        await stage.hub.delete(APPLICATIONS, stage.namespace, "east")
        leaving = await stage.hub.get(APPLICATIONS, stage.namespace, "east")
        await make(stage, team, "web", east.name)
        await until_there(stage, east, team, "web")
        await trio.sleep(A_WHILE)
        for before in (*asked[:2], leaving):
            now = await stage.hub.get(APPLICATIONS, before.meta.namespace, before.meta.name)
            assert now.meta.resource_version == before.meta.resource_version

    play_by_destination(story, managed=("east",))


def test_s1061_an_agent_comes_after_the_applications_that_name_it() -> None:
    """s1061: they wait, and nothing is lost."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        secrets = await stage.hub.list(SECRETS, stage.namespace, selector=names.AGENT_NAME)
        await stage.hub.delete(SECRETS, stage.namespace, secrets.items[0].meta.name)
        team = await tenant(stage, "a", east)
        await trio.sleep(A_WHILE)
        await make(stage, team, "web", east.name)
        await trio.sleep(A_WHILE)
        assert await find(east.cluster, APPLICATIONS, team, "web") is None
        await stage.hub.create(SECRETS, make_secret(east.name, stage.namespace))
        await until_there(stage, east, team, "web")
        await stage.agree()

    play_by_destination(story, managed=("east",))


async def test_s1061_an_application_of_an_unknown_agent_is_told(autojump_clock: MockClock) -> None:
    """Once for each name that it names: s1061 was a typing mistake that nobody saw."""
    async with open_fleet([SpokePlan("m1")], style=Style.DESTINATION) as fleet:
        await trio.sleep(2.0)
        wrong = {"destination": {"name": "m9", "namespace": "x"}}
        users = fleet.hub_as("users")
        await users.create(APPLICATIONS, application("web", namespace="m1", **wrong))
        note = MergePatch({"metadata": {"labels": {"a": "b"}}})
        await users.patch(APPLICATIONS, "m1", "web", note)
        await trio.sleep(2.0)
        told = [event.text for _, _, event in fleet.events if event.name == "no-such-agent"]
        assert len(told) == 1 and "m1/web names m9" in told[0]


def test_an_application_that_waits_for_an_agent_says_so() -> None:
    """An Event about it, also if it was there before; not where the name is a cluster of the hub's own."""

    async def said_of(stage: Stage, where: str, name: str) -> list[tuple[str, int]]:
        events = [event.value() for event in (await stage.hub.list(EVENTS, where)).items]
        return [(e["message"], e["count"]) for e in events if e["involvedObject"]["name"] == name]

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        stage.principal.crash()
        team = await tenant(stage, "a", east)
        own = make_secret("prod-7", stage.namespace)
        del own["metadata"]["labels"][names.AGENT_NAME]
        await stage.hub.create(SECRETS, own)
        await make(stage, team, "web", "esat")
        await make(stage, team, "api", "prod-7")
        await make(stage, "default", "elsewhere", "esat")
        stage.principal.start()

        async def is_told() -> bool:
            return bool(await said_of(stage, team, "web"))

        await stage.until(is_told)
        assert "names esat" in (await said_of(stage, team, "web"))[0][0]
        await trio.sleep(RENEW + RECHECK + A_WHILE)
        assert [count for _, count in await said_of(stage, team, "web")] == [2]
        right = MergePatch({"spec": {"destination": {"name": east.name}}})
        await stage.hub.patch(APPLICATIONS, team, "web", right)
        await until_there(stage, east, team, "web")
        await trio.sleep(RENEW + RECHECK + A_WHILE)
        assert [count for _, count in await said_of(stage, team, "web")] == [2]
        assert not await said_of(stage, team, "api") and not await said_of(stage, "default", "elsewhere")

    play_by_destination(story, managed=("east",))


@pytest.mark.parametrize("leaves", [False, True])
def test_what_nobody_says_any_more_goes(leaves: bool) -> None:
    """A refusal of an agent that an Application no longer names, or that the hub no longer knows."""

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, style=Style.DESTINATION, allowed_namespaces=ALL)

    async def story(stage: Stage) -> None:
        side = stage.side
        await stage.hub.create(NAMESPACES, namespace(side.namespace))
        await make(stage, side.namespace, "web", side.name)
        await until_said(stage, side.namespace, "web", "is not mapped")
        if leaves:
            await stage.hub.delete(SECRETS, stage.namespace, f"cluster-{side.name}")
        else:
            elsewhere = MergePatch({"spec": {"destination": {"name": "in-cluster"}}})
            await stage.hub.patch(APPLICATIONS, side.namespace, "web", elsewhere)
        await until_said(stage, side.namespace, "web", "")

    play(story, principal=principal)


def test_s593_s921_two_tenants_share_a_cluster() -> None:
    """s593, s921: Applications of one name in two namespaces are two, from the hub to the workload."""

    async def story(stage: Stage) -> None:
        east = stage.sides["east"]
        teams = [await tenant(stage, name, east) for name in "ab"]
        for team in teams:
            await make(stage, team, "web", east.name, syncPolicy=automated())
        for team in teams:
            await until_there(stage, east, team, "web")
        await stage.agree()
        await stage.hub.delete(APPLICATIONS, teams[0], "web")
        await until_gone(stage, east, teams[0], "web")
        assert await find(east.cluster, APPLICATIONS, teams[1], "web") is not None
        await stage.agree()

    play_by_destination(story, managed=("east",))


def test_a_namespace_that_the_agent_may_not_use() -> None:
    """s783: the hub's Application says so, nothing is written there, and it comes once it is allowed."""
    allowed = [Patterns(("team-b*",))]

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, style=Style.DESTINATION, allowed_namespaces=ALL)

    def agent(config: AgentConfig) -> AgentConfig:
        return attrs.evolve(config, allowed_namespaces=allowed[0])

    async def story(stage: Stage) -> None:
        side = stage.side
        team = await tenant(stage, "a", side)
        await make(stage, team, "web", side.name)
        await until_said(stage, team, "web", scope.FORBIDDEN)
        await trio.sleep(A_WHILE)
        assert await find(side.cluster, APPLICATIONS, team, "web") is None
        allowed[0] = ALL
        side.agent.crash()
        await trio.sleep(1.0)
        side.agent.start()
        await until_there(stage, side, team, "web")
        await until_said(stage, team, "web", "")
        await stage.agree()

    play(story, principal=principal, agent=agent)


def test_a_namespace_that_is_missing() -> None:
    """It is said on the hub, or made where that was asked for: within what is allowed."""

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, style=Style.DESTINATION, allowed_namespaces=ALL)

    def agent(config: AgentConfig) -> AgentConfig:
        makes = config.name.startswith("west")
        return attrs.evolve(config, allowed_namespaces=Patterns(("team-*",)), creates_namespaces=makes)

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        team = await tenant(stage, "a")
        await stage.hub.create(NAMESPACES, namespace(f"other{stage.backing.tag}"))
        await make(stage, team, "web", east.name)
        await make(stage, team, "api", west.name)
        await make(stage, f"other{stage.backing.tag}", "api", west.name)
        await until_there(stage, west, team, "api")
        await until_said(stage, team, "web", "not found")
        await until_said(stage, f"other{stage.backing.tag}", "api", scope.FORBIDDEN)
        assert await find(west.cluster, NAMESPACES, "", f"other{stage.backing.tag}") is None

    play(story, managed=("east", "west"), principal=principal, agent=agent)


def test_what_would_fall_onto_another_application_says_so() -> None:
    """Of two that would have one name on the spoke, that of the hub's own namespace is it."""

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, style=Style.DESTINATION, allowed_namespaces=ALL)

    async def story(stage: Stage) -> None:
        side = stage.side
        await stage.hub.create(NAMESPACES, namespace(side.namespace))
        await make(stage, side.namespace, "web", side.name)
        winner = await make(stage, stage.namespace, "web", side.name)
        await until_said(stage, side.namespace, "web", "is not mapped")
        copy = await until_there(stage, side, side.namespace, "web")
        assert copy.annotations[names.SOURCE_UID] == winner.meta.uid
        assert await said(stage, stage.namespace, "web") == ""

    play(story, principal=principal)


@pytest.mark.parametrize("of_agent", [False, True])
def test_a_label_selector_of_either_side(of_agent: bool) -> None:
    """What it does not choose stays on the hub; what loses the label goes, and its workload stays."""
    chosen = LabelSelector.parse("team=a")

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return config if of_agent else attrs.evolve(config, selector=chosen)

    def agent(config: AgentConfig) -> AgentConfig:
        return attrs.evolve(config, selector=chosen) if of_agent else config

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("api", cascade=False)
        await side.create("web", cascade=True, metadata={"labels": {"team": "a"}})

        async def there() -> bool:
            return await side.on_spoke("web") is not None

        async def gone() -> bool:
            return not await there()

        await stage.until(there)
        await trio.sleep(A_WHILE)
        assert await side.on_spoke("api") is None
        await side.edit_on_hub("web", {"metadata": {"labels": {"team": "b"}}})
        await stage.until(gone)
        assert not side.world.prunes
        await side.edit_on_hub("web", {"metadata": {"labels": {"team": "a"}}})
        await stage.until(there)

    play(story, principal=principal, agent=agent)


def test_another_selector_takes_nothing_off_the_spokes() -> None:
    """It may be a slip: what it leaves out is held until a person confirms it."""
    selector = ["team=a"]

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, selector=LabelSelector.parse(selector[0]))

    async def restarted(stage: Stage, text: str) -> None:
        selector[0] = text
        stage.principal_config = principal(PrincipalConfig(stage.namespace))
        stage.principal.crash()
        await trio.sleep(1.0)
        stage.principal.start()
        await trio.sleep(4 * A_WHILE)

    async def story(stage: Stage) -> None:
        side = stage.side
        for number in range(3):
            await side.create(f"app{number}", cascade=True, metadata={"labels": {"team": "a"}})

        async def there() -> bool:
            return await side.on_spoke("app2") is not None

        await stage.until(there)
        await restarted(stage, "team=b")
        assert await side.on_spoke("app0") is not None and await side.on_spoke("app2") is not None
        agent = side.agent.instance
        assert agent is not None and agent.status().held is not None
        await restarted(stage, "team=a")
        assert agent.status().held is None and await there()

    play(story, principal=principal)


def test_applications_that_the_hub_did_not_make_are_left_alone() -> None:
    """Also where it has one of that name, which then says so."""

    def agent(config: AgentConfig) -> AgentConfig:
        return attrs.evolve(config, ignores_unmanaged=True)

    async def story(stage: Stage) -> None:
        side = stage.side
        local = await side.cluster.create(APPLICATIONS, application("web", namespace=side.namespace))
        await side.create("web", cascade=False)
        await until_said(stage, side.name, "web", "that is not ours")
        found = await side.on_spoke("web")
        assert found is not None and found.get("spec") == local.get("spec")
        assert names.SOURCE_UID not in found.annotations

    play(story, agent=agent)


def test_a_hub_namespace_that_the_cluster_secret_names() -> None:
    """The agent's Applications are there, and no longer where its name says."""

    async def story(stage: Stage) -> None:
        side = stage.side
        home = f"tenant{stage.backing.tag}"
        await stage.hub.create(NAMESPACES, namespace(home))
        (secret,) = (await stage.hub.list(SECRETS, stage.namespace, selector=names.AGENT_NAME)).items
        note = MergePatch({"metadata": {"annotations": {HOME: home}}})
        await stage.hub.patch(SECRETS, stage.namespace, secret.meta.name, note)
        value = application("web", namespace=home, cascade=False)
        await stage.hub.create(APPLICATIONS, value)

        async def there() -> bool:
            return await side.on_spoke("web") is not None

        await stage.until(there)
        await side.create("old", cascade=False)
        await trio.sleep(A_WHILE)
        assert await side.on_spoke("old") is None

    play(story)


def test_an_agent_that_maps_otherwise_is_refused_by_the_flags_name() -> None:
    """On both sides alike, or not at all."""

    def agent(config: AgentConfig) -> AgentConfig:
        return attrs.evolve(config, style=Style.DESTINATION)

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("web", cascade=False)

        async def told() -> bool:
            events = (await stage.hub.list(EVENTS, stage.namespace)).items
            return any("--destination-based-mapping" in str(event.get("message")) for event in events)

        await stage.until(told)
        assert await side.on_spoke("web") is None

    play(story, agent=agent)


def test_hub_namespaces_of_autonomous_agents_are_made() -> None:
    """Where that was asked for: after the pattern, with the labels."""
    creation = NamespaceCreation("^edge", (("made-by", "us"),))

    def principal(config: PrincipalConfig) -> PrincipalConfig:
        return attrs.evolve(config, creation=creation)

    async def story(stage: Stage) -> None:
        side = stage.sides["edge"]
        await stage.hub.delete(NAMESPACES, "", side.name)

        async def gone() -> bool:
            return await find(stage.hub, NAMESPACES, "", side.name) is None

        await stage.until(gone)
        await side.create("web", cascade=False)

        async def made() -> bool:
            found = await find(stage.hub, NAMESPACES, "", side.name)
            return found is not None and found.labels.get("made-by") == "us"

        await stage.until(made)
        await stage.agree()

    play(story, autonomous=("edge",), principal=principal)


def test_a_refused_mode_is_said_before_anything_starts() -> None:
    """In one line, with the flag that is wrong."""
    for wrong, flag in (
        ({"mode": Mode.AUTONOMOUS, "style": Style.DESTINATION}, "--destination-based-mapping"),
        ({"mode": Mode.MANAGED, "creates_namespaces": True}, "--create-namespace"),
        ({"mode": Mode.AUTONOMOUS, "ignores_unmanaged": True}, "--ignore-unmanaged-apps"),
    ):
        with pytest.raises(UserError, match=f"^{flag}: "):
            AgentConfig("argocd", **wrong)
