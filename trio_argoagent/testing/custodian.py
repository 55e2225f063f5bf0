"""Who keeps repositories' credentials and GPG keys: creates, edits, moves and deletes them on the hub.

It works on what all agents share, so that an agent's name says no more than whom a project is moved to or
from; on the agent's own cluster somebody tampers with the copies.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import Any, Final

from trio_argoagent.errors import AlreadyExists
from trio_argoagent.model.resources import APP_PROJECTS, CONFIG_MAPS, SECRETS, Resource
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.testing.argocd.applications import app_project
from trio_argoagent.testing.argocd.repositories import GPG_KEYS, encoded, gpg_keys, repo_creds, repository

NAMES: Final = ("cred0", "cred1", "cred2")
PROJECT: Final = "vault"
"""The AppProject that comes and goes with its credentials; ``team`` is the workload's."""


class Custodian:
    """See the module.

    Args:
        hub: the hub's API as users have it.
        namespace: Argo CD's on the hub.
        chance: what happens.
    """

    def __init__(self, hub: Cluster, namespace: str, chance: Random) -> None:
        self._hub, self._namespace, self._chance = hub, namespace, chance

    def actions(self) -> Mapping[str, Callable[[str, Cluster, str], Awaitable[None]]]:
        """What it does, by name: given an agent, its cluster, and Argo CD's namespace there."""
        return {
            "entrust": self._entrust,
            "rescope": self._rescope,
            "revoke": self._revoke,
            "keys": self._keys,
            "pilfer": self._pilfer,
        }

    async def _apply(self, resource: Resource, value: dict[str, Any]) -> None:
        try:
            await self._hub.create(resource, value)
        except AlreadyExists:
            name = value["metadata"]["name"]
            await self._hub.patch(resource, self._namespace, name, MergePatch(value))

    async def _entrust(self, agent: str, spoke: Cluster, namespace: str) -> None:
        """Credentials come, or change: what they are for, whose they are, of which type they are."""
        make = self._chance.choice((repository, repository, repo_creds))
        project = self._chance.choice((PROJECT, PROJECT, "team", "default", "missing", ""))
        value = make(
            self._chance.choice(NAMES),
            namespace=self._namespace,
            project=project,
            password=str(self._chance.randrange(1000)),
        )
        value["data"].setdefault("project", encoded(project))
        await self._apply(SECRETS, value)

    async def _rescope(self, agent: str, spoke: Cluster, namespace: str) -> None:
        """The project of the credentials comes, goes, or is for others."""
        if self._chance.random() < 0.2:
            await self._hub.delete(APP_PROJECTS, self._namespace, PROJECT)
            return
        whom = self._chance.choice((["*"], [agent], ["nobody"], ["*", f"!{agent}"]))
        places = [{"name": name, "namespace": "*", "server": ""} for name in whom]
        project = app_project(
            PROJECT, namespace=self._namespace, destinations=places, sourceNamespaces=["*"]
        )
        await self._apply(APP_PROJECTS, project)

    async def _revoke(self, agent: str, spoke: Cluster, namespace: str) -> None:
        await self._hub.delete(SECRETS, self._namespace, self._chance.choice(NAMES))

    async def _keys(self, agent: str, spoke: Cluster, namespace: str) -> None:
        if self._chance.random() < 0.2:
            await self._hub.delete(CONFIG_MAPS, self._namespace, GPG_KEYS)
        else:
            key = {f"K{self._chance.randrange(4)}": str(self._chance.randrange(100))}
            await self._apply(CONFIG_MAPS, gpg_keys(namespace=self._namespace, **key))

    async def _pilfer(self, agent: str, spoke: Cluster, namespace: str) -> None:
        """Somebody edits or deletes a copy."""
        name = self._chance.choice(NAMES)
        if self._chance.random() < 0.5:
            await spoke.delete(SECRETS, namespace, name)
        else:
            mine = MergePatch({"data": {"password": encoded("mine")}})
            await spoke.patch(SECRETS, namespace, name, mine)
