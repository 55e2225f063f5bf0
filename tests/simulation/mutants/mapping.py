"""Which objects go where, and in which order: rules, and stories of fleets of any mapping that need them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final, TypeVar

import attrs
import trio

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import APPLICATIONS, SECRETS, Resource
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.ports.cluster import Cluster, JsonPatch, MergePatch
from trio_argoagent.ports.forwarding import ForwardingCluster
from trio_argoagent.replication.dependencies import WAIT
from trio_argoagent.runtime.config import AgentConfig, PrincipalConfig
from trio_argoagent.sync import names
from trio_argoagent.testing.argocd import argocd_server
from trio_argoagent.testing.argocd.repositories import encoded

from ...parity import test_repository as credentials
from ...parity.destinations import make, play_by_destination, tenant, until_gone, until_there
from ...parity.play import Story, play
from ...parity.stage import Side, Stage
from .. import test_mapping
from .judging import Staged
from .mutant import Mutant, mutant
from .rewriting import Rewrite

MAPPED: Final[tuple[Mutant, ...]] = (
    mutant(
        "destinations-are-not-asked",
        "by destination, an Application is every agent's, whichever it names",
        Rewrite("sync.destinations:DestinationMapping.find", "destination_of(obj) != self.agent", "False"),
    ),
    mutant(
        "moves-are-not-seen-to-happen",
        "an Application that moves to another agent counts as merely absent",
        Rewrite(
            "principal.peer:Peer.on_change",
            "change = mine",
            "change = attrs.evolve(mine, witnessed=mine.witnessed and (mine.new or change.new) is mine.new)",
        ),
    ),
    mutant(
        "shadowed-is-mapped",
        "two Applications of the hub go to one on the spoke",
        Rewrite(
            "sync.destinations:DestinationMapping.key", "namespace == self.agent_namespace", "False"
        ),
    ),
    mutant(
        "shadowed-is-not-told",
        "an Application that is not mapped, because another one has its place, does not say so",
        Rewrite("principal.peer:Peer._remark", "self.mapping.shadowed(app)", "''"),
    ),
    mutant(
        "forbidden-namespaces-are-written",
        "an agent writes in whatever namespace the hub names",
        Rewrite("sync.scope:Scope.refusal", "self.covers(key.namespace)", "True"),
        Rewrite("sync.scope:Scope.covers", "self.allowed.match(namespace)", "True"),
    ),
    mutant(
        "another-selector-is-a-witness",
        "what another selector of the principal leaves out counts as seen to be taken away",
        Rewrite("principal.desired:Desired._was_passed_over", "self.selection.passes_over(old)", "False"),
        Rewrite("principal.desired:Desired._was_passed_over", "old is None", "False"),
    ),
    mutant(
        "another-selector-of-a-spoke-is-a-witness",
        "what another selector of an autonomous agent leaves out counts as seen to be taken away",
        Rewrite("agent.spoke:Spoke._was_passed_over", "old is None", "False"),
    ),
    mutant(
        "a-label-taken-off-is-not-seen",
        "what loses the label that it is chosen by counts as merely absent",
        Rewrite("principal.desired:Desired._was_passed_over", "old is None", "True"),
    ),
    mutant(
        "the-ignored-lose-their-finalizers",
        "a deleting Application that takes no part is let go by us",
        Rewrite("principal.keeper:Keeper._next_step", "self._takes_part(obj)", "True"),
    ),
    mutant(
        "the-unselected-lose-their-finalizers",
        "likewise one that the label selector does not choose",
        Rewrite(
            "principal.peer:Peer._takes_part",
            "self._desired.selection.leaves_out(obj)",
            "(obj.labels.get('argocd-agent.argoproj-labs.io/ignore-sync') == 'true')",
        ),
    ),
    mutant(
        "applications-before-their-credentials",
        "an Application is created before its repository's credentials, which are on their way",
        Rewrite(
            "replication.dependencies:Dependencies.misses",
            "any(self._arrive(url) for url in repositories.needed(spec))",
            "False",
        ),
    ),
    mutant(
        "applications-sit-out-their-wait",
        "an Application that waits for credentials is not told that they have come",
        Rewrite("agent.spoke:Spoke._ended", "self._touch_waiting(Kind.APPLICATION)", "None"),
    ),
    mutant(
        "credentials-before-their-application",
        "credentials are withdrawn while an Application needs them to be deleted",
        Rewrite(
            "replication.dependencies:Dependencies.holds_back",
            "key.kind in CREDENTIALS and patient",
            "False",
        ),
    ),
    mutant(
        "credentials-stay-with-a-stuck-application",
        "credentials are not withdrawn as long as an Application that needs them is on its way out",
        Rewrite("replication.dependencies:Dependencies.holds_back", "patient", "True"),
    ),
)  # fmt: skip

_CHOSEN: Final = {"labels": {"team": "a"}}
_NAMES: Final = ("app0", "app1", "app2")
_A_WHILE: Final = 30.0
"""Seconds in which what needs nobody's word has happened, and what should not would have."""
Config = TypeVar("Config", PrincipalConfig, AgentConfig)


def _selecting(config: Config, selector: list[str]) -> Config:
    return attrs.evolve(config, selector=LabelSelector.parse(selector[0]))


async def _all_there(stage: Stage, cluster: Cluster, where: str) -> None:
    """Wait until all of them are there."""

    async def there() -> bool:
        return await _count(cluster, where) == len(_NAMES)

    await stage.until(there)


async def _count(cluster: Cluster, where: str) -> int:
    return len((await cluster.list(APPLICATIONS, where)).items)


def _all_move() -> None:
    """All Applications of an agent move at once, and are seen to: nobody has to confirm."""

    async def story(stage: Stage) -> None:
        east, west = stage.sides["east"], stage.sides["west"]
        team = await tenant(stage, "a", east, west)
        for name in _NAMES:
            await make(stage, team, name, east.name)
        await _all_there(stage, east.cluster, team)
        await stage.agree()
        for name in _NAMES:
            change = MergePatch({"spec": {"destination": {"name": west.name}}})
            await stage.hub.patch(APPLICATIONS, team, name, change)
        await _all_there(stage, west.cluster, team)
        for name in _NAMES:
            await until_gone(stage, east, team, name)

    play_by_destination(story, managed=("east", "west"))


def _labels_taken_off() -> None:
    """All Applications of an agent lose the label that they are chosen by: that is seen, and they go."""

    async def story(stage: Stage) -> None:
        side = stage.side
        for name in _NAMES:
            await side.create(name, cascade=False, metadata=_CHOSEN)
        await _all_there(stage, side.cluster, side.namespace)
        for name in _NAMES:
            await side.edit_on_hub(name, {"metadata": {"labels": {"team": None}}})
        for name in _NAMES:
            await until_gone(stage, side, side.namespace, name)

    play(story, principal=lambda config: _selecting(config, ["team=a"]))


def _another_selector_of_a_spoke() -> None:
    """An autonomous agent comes back with a selector that leaves all out: the mirrors stay."""
    selector = ["team=a"]

    async def story(stage: Stage) -> None:
        side = stage.side
        for name in _NAMES:
            await side.create(name, cascade=False, metadata=_CHOSEN)
        await _all_there(stage, stage.hub, side.name)
        selector[0] = "team=b"
        side.agent.crash()
        await trio.sleep(1.0)
        side.agent.start()
        await trio.sleep(_A_WHILE)
        assert await _count(stage.hub, side.name) == len(_NAMES), "a slip has emptied the hub"

    play(story, mode=Mode.AUTONOMOUS, agent=lambda config: _selecting(config, selector))


def _deleted_unselected() -> None:
    """An Application that is not chosen is deleted with its workload: its own controller is to do that."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await side.create("own", cascade=True)
        await side.create("web", cascade=False, metadata=_CHOSEN)
        await until_there(stage, side, side.namespace, "web")
        await stage.hub.delete(APPLICATIONS, side.name, "own")
        await trio.sleep(_A_WHILE)
        left = await side.on_hub("own")
        assert left is not None and names.family(left.finalizers), "nobody has pruned its workload"

    play(story, principal=lambda config: _selecting(config, ["team=a"]))


class _SlowSecrets(ForwardingCluster):
    """A cluster that takes its time with a Secret."""

    async def create(self, resource: Resource, value: Mapping[str, Any]) -> Object:
        await self._wait(resource)
        return await super().create(resource, value)

    async def patch(
        self, resource: Resource, namespace: str, name: str, patch: JsonPatch | MergePatch
    ) -> Object:
        await self._wait(resource)
        return await super().patch(resource, namespace, name, patch)

    async def _wait(self, resource: Resource) -> None:
        if resource == SECRETS:
            await trio.sleep(WAIT / 2)


async def _comes_with_its_credentials(stage: Stage) -> None:
    """The Application, which waits for them, and not for longer."""
    began, side = trio.current_time(), stage.side
    await until_there(stage, side, side.namespace, "web")
    assert await credentials.on_spoke(side) is not None, "Argo CD cannot read its repository"
    assert trio.current_time() < began + WAIT, "its credentials have come, and it still waits"
    await stage.agree()


def _credentials_come_slowly() -> None:
    """A project, credentials in it and an Application come together, and the spoke's API is slow."""

    async def story(stage: Stage) -> None:
        side = stage.side
        await stage.agree()
        side.agent.crash()
        await trio.sleep(1.0)
        side.cluster = _SlowSecrets(side.cluster)
        await credentials.project(stage)
        await credentials.secret(stage)
        await side.create("web", cascade=False, project="team")
        side.agent.start()
        await _comes_with_its_credentials(stage)

    play(story)


def _credentials_rotated() -> None:
    """A password is changed, and an Application that needs it comes with it: the Secret is no new one."""

    async def story(stage: Stage) -> None:
        side = await credentials.prepared(stage)
        side.agent.crash()
        await trio.sleep(1.0)
        side.cluster = _SlowSecrets(side.cluster)
        await credentials.edit(stage, {"data": {"password": encoded("correct horse")}})
        await side.create("web", cascade=False, project="team")
        side.agent.start()
        await _comes_with_its_credentials(stage)

    play(story)


async def _leaving_with_its_credentials(stage: Stage) -> Side:
    """An Application is to be pruned, which takes time, and its credentials are deleted with it."""
    side = stage.side
    await credentials.project(stage)
    await credentials.secret(stage)
    await side.create("web", cascade=True, project="team")
    await until_there(stage, side, side.namespace, "web")
    await stage.agree()
    side.controller.crash()
    await argocd_server.delete(stage.hub, side.name, "web")
    await trio.sleep(1.0)
    await stage.hub.delete(SECRETS, stage.namespace, "private")
    return side


async def _pruned_with_credentials(stage: Stage) -> None:
    """They stay as long as the pruning takes, if that is not long."""
    side = await _leaving_with_its_credentials(stage)
    await trio.sleep(WAIT / 2)
    assert await credentials.on_spoke(side) is not None, "Argo CD cannot read what it has to prune"


async def _stuck_with_credentials(stage: Stage) -> None:
    """They do not stay for a pruning that has no end."""
    side = await _leaving_with_its_credentials(stage)
    await trio.sleep(2 * WAIT)
    assert await side.on_spoke("web") is not None
    assert await credentials.on_spoke(side) is None, "a right that was lost is still there"


def _played(story: Story) -> Callable[[], None]:
    return partial(play, story)


MAPPING: Final = (
    Staged("moved", test_mapping.test_an_application_that_moves_keeps_its_workload_on_the_old_cluster),
    Staged("all-move", _all_move),
    Staged("shadowed", test_mapping.test_what_would_fall_onto_another_application_says_so),
    Staged("forbidden-namespace", test_mapping.test_a_namespace_that_the_agent_may_not_use),
    Staged("another-selector", test_mapping.test_another_selector_takes_nothing_off_the_spokes),
    Staged("another-selector-of-a-spoke", _another_selector_of_a_spoke),
    Staged("labels-taken-off", _labels_taken_off),
    Staged("deleted-while-ignored", test_mapping.test_what_names_no_agent_is_not_written),
    Staged("deleted-unselected", _deleted_unselected),
    Staged("credentials-come-slowly", _credentials_come_slowly),
    Staged("credentials-rotated", _credentials_rotated),
    Staged("pruned-with-credentials", _played(_pruned_with_credentials)),
    Staged("stuck-with-credentials", _played(_stuck_with_credentials)),
)
