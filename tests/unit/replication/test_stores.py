"""Kinds that share a resource: told apart, in order; and what is none of them is not kept."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator

import attrs
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.errors import ApiError, Forbidden, Invalid, NotFound, Unavailable
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import CONFIG_MAPS, NAMESPACES, SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.replication.stores import Stores
from trio_argoagent.sync import steps
from trio_argoagent.testing.argocd.repositories import GPG_KEYS, SECRET_TYPE, gpg_keys, repository

from .world import NAMESPACE, Script, Steps, make_env

KINDS = (Kind.REPOSITORY, Kind.REPO_CREDS, Kind.GPG_KEYS)
CANARY = "hunter2-canary"


@attrs.define
class World:
    """A cluster and its stores, which run."""

    users: LocalCluster
    script: Script
    ours: LocalCluster
    stores: Stores
    told: list[tuple[Kind, str, bool]]
    """Kind, name, and whether it is there."""

    async def label(self, name: str, value: str | None) -> None:
        """Give a Secret another type."""
        patch = MergePatch({"metadata": {"labels": {SECRET_TYPE: value}}})
        await self.users.patch(SECRETS, NAMESPACE, name, patch)
        await wait_all_tasks_blocked()


@contextlib.asynccontextmanager
async def open_world() -> AsyncIterator[World]:
    """See ``World``."""
    env, script = make_env(), Script()
    server = argocd_server(entropy=env.entropy)
    users = LocalCluster(server, env=env, actor="user")
    ours = LocalCluster(server, env=env, actor="product", gate=script)
    await users.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
    stores = Stores(users, dict.fromkeys(KINDS, NAMESPACE), env)
    told: list[tuple[Kind, str, bool]] = []

    def hear(kind: Kind, change: Change) -> None:
        told.append((kind, change.object.meta.name, change.new is not None))

    stores.on_change(hear)
    async with trio.open_nursery() as nursery:
        await nursery.start(stores.run)
        await stores.wait_all()
        yield World(users, script, ours, stores, told)
        nursery.cancel_scope.cancel()


async def test_another_type_goes_first_and_comes_then(autojump_clock: MockClock) -> None:
    """In both directions; and what loses its type goes."""
    async with open_world() as world:
        await world.users.create(SECRETS, repository("x"))
        await wait_all_tasks_blocked()
        for value in ("repo-creds", "repository", None):
            await world.label("x", value)
        assert world.told == [
            (Kind.REPOSITORY, "x", True),
            (Kind.REPOSITORY, "x", False), (Kind.REPO_CREDS, "x", True),
            (Kind.REPO_CREDS, "x", False), (Kind.REPOSITORY, "x", True),
            (Kind.REPOSITORY, "x", False),
        ]  # fmt: skip
        assert world.stores.objects(Kind.REPOSITORY) == []


async def test_other_secrets_are_never_read(autojump_clock: MockClock) -> None:
    """Neither cluster secrets nor any without a type."""
    async with open_world() as world:
        cluster = repository("cluster-east")
        cluster["metadata"]["labels"] = {SECRET_TYPE: "cluster"}
        plain = repository("plain")
        del plain["metadata"]["labels"]
        for value in (cluster, plain, repository("mine")):
            await world.users.create(SECRETS, value)
        await wait_all_tasks_blocked()
        assert [name for _, name in world.stores[Kind.REPOSITORY].informer.objects] == ["mine"]


async def test_one_config_map_of_many(autojump_clock: MockClock) -> None:
    """Of the others nothing but the metadata is kept."""
    async with open_world() as world:
        other = gpg_keys(key=CANARY)
        other["metadata"]["name"] = "argocd-cm"
        for value in (other, gpg_keys(A1="text")):
            await world.users.create(CONFIG_MAPS, value)
        await wait_all_tasks_blocked()
        assert world.told == [(Kind.GPG_KEYS, GPG_KEYS, True)]
        assert world.stores.get(Kind.GPG_KEYS, NAMESPACE, "argocd-cm") is None
        kept = world.stores[Kind.GPG_KEYS].informer.get(NAMESPACE, "argocd-cm")
        assert kept is not None and not kept.fields


async def test_what_no_informer_shows_is_known_without_its_content(autojump_clock: MockClock) -> None:
    """As long as one attempt lasts; whoever changes it afterwards tells nobody, so the next looks again."""
    async with open_world() as world:
        plain = repository("x", password=CANARY)
        del plain["metadata"]["labels"]
        await world.users.create(SECRETS, plain)
        executor = world.stores.executors(world.ours)[Kind.REPOSITORY]
        plan = Steps(steps.Create(repository("x")))
        assert (await executor.bring_about(NAMESPACE, "x", plan)) == steps.APPLIED
        first, then = plan.seen
        assert first is None and isinstance(then, Object) and not then.fields
        await world.users.delete(SECRETS, NAMESPACE, "x")
        again = Steps()
        await executor.bring_about(NAMESPACE, "x", again)
        assert again.seen == [None]


RBAC = (
    'secrets "x" is forbidden: User "system:serviceaccount:argocd:agent" cannot create resource'
    ' "secrets" in API group "" in the namespace "argocd"'
)
HOOK = f"admission webhook denied the request: {CANARY}"
WORDS: dict[str, tuple[ApiError, str]] = {
    "invalid": (Invalid(f"data: Invalid value: {CANARY}"), "the API server does not accept it (Invalid)"),
    "rbac": (Forbidden(f"{RBAC}: {CANARY}"), RBAC),
    "webhook": (Forbidden(HOOK), "secrets is forbidden, for a reason that may quote it"),
    "webhook that fails": (Unavailable(HOOK), "the API server does not accept it (Unavailable)"),
    "no namespace": (NotFound('namespaces "argocd" not found'), 'namespaces "argocd" not found'),
    "not found": (NotFound(CANARY), "the API server does not accept it (NotFound)"),
}


@pytest.mark.parametrize("name", WORDS)
async def test_a_refused_secret_is_told_by_its_reason_alone(
    name: str, autojump_clock: MockClock
) -> None:
    """An API server may quote what it was sent, and a webhook in it, too."""
    refusal, told = WORDS[name]
    async with open_world() as world:
        world.script.refuse("create", refusal)
        executor = world.stores.executors(world.ours)[Kind.REPOSITORY]
        done = await executor.bring_about(NAMESPACE, "x", Steps(steps.Create(repository("x"))))
        assert done.reason == told
