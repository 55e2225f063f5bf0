"""The spokes of a simulated fleet: what is planned for each, and what it is made of."""

from __future__ import annotations

from typing import Final

import attrs

from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.model.identity import Mode
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.sync.destinations import DestinationMapping
from trio_argoagent.sync.mapping import NamespaceMapping, Style
from trio_argoagent.sync.patterns import ALL
from trio_argoagent.sync.policy import DEFAULTS, Policies
from trio_argoagent.testing.argocd.application_controller import run_application_controller
from trio_argoagent.testing.argocd.names import Settings
from trio_argoagent.testing.argocd.world import World

NAMESPACE: Final = "argocd"
"""Argo CD's namespace on every cluster."""
CONTROLLER: Final = "application-controller"


@attrs.frozen
class SpokePlan:
    """One spoke of a fleet, before it is built.

    Attributes:
        name: of the agent, and of its namespace on the hub.
        mode: who owns the specs.
        settings: of its application-controller.
        policies: of its agent.
    """

    name: str
    mode: Mode = Mode.MANAGED
    settings: Settings = attrs.field(factory=Settings)
    policies: Policies = DEFAULTS


@attrs.frozen
class Spoke:
    """One spoke: its API server and its workload."""

    plan: SpokePlan
    server: ApiServer
    env: Env
    world: World
    mapping: NamespaceMapping

    @property
    def name(self) -> str:
        """The agent's name."""
        return self.plan.name

    @property
    def app_namespaces(self) -> str:
        """The namespace of its Applications there; empty: any."""
        return "" if isinstance(self.mapping, DestinationMapping) else NAMESPACE

    @property
    def apps_in(self) -> str:
        """The namespace there of what is in the namespace on the hub that is called as the agent."""
        return self.mapping.agent_namespace if self.app_namespaces else self.name

    @property
    def controller(self) -> str:
        """The name of its application-controller among the fleet's programs."""
        return f"{self.name}/{CONTROLLER}"

    def agent_config(self) -> AgentConfig:
        """Of its agent."""
        config = AgentConfig(NAMESPACE, self.plan.mode, self.name, policies=self.plan.policies)
        if self.app_namespaces:
            return config
        return attrs.evolve(config, style=Style.DESTINATION, allowed_namespaces=ALL, creates_namespaces=True)


@attrs.frozen
class Controller:
    """Its application-controller."""

    cluster: Cluster
    env: Env
    spoke: Spoke

    async def run(self) -> None:
        """Until cancelled."""
        spoke = self.spoke
        further = () if spoke.app_namespaces else ("*",)
        settings = attrs.evolve(spoke.plan.settings, namespaces=further)
        await run_application_controller(
            self.cluster, NAMESPACE, env=self.env, world=spoke.world, settings=settings
        )
