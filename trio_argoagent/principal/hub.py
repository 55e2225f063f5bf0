"""The hub's objects: the informers that all peers share, and the writes for which they take turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.identity import Peer
from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.model.rulings import Auditor, Decision, Ruling, about, unaudited
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import clusters
from trio_argoagent.principal.confined import Confined
from trio_argoagent.principal.scoped import Scoped
from trio_argoagent.principal.whereabouts import Whereabouts
from trio_argoagent.replication.executor import Executor
from trio_argoagent.replication.happenings import Involved
from trio_argoagent.replication.memory import Memory
from trio_argoagent.replication.namespaces import NamespaceMaker
from trio_argoagent.replication.sharing import SharedWrites
from trio_argoagent.replication.stores import Stores
from trio_argoagent.runtime.config import PrincipalConfig
from trio_argoagent.sync import kinds, names, views
from trio_argoagent.sync.mapping import NamespaceMapping


class Hub:
    """See the module.

    Args:
        cluster: the hub's API.
        config: of the principal. Argo CD is in its namespace; what is not shared by all agents is looked
            for in all namespaces.
        env: time and randomness.
        audit: told of every security decision about an agent.
    """

    def __init__(
        self, cluster: Cluster, config: PrincipalConfig, env: Env, audit: Auditor = unaudited
    ) -> None:
        self.local, self.intent_expiry = config.local, config.intent_expiry
        self.max_agent_objects = config.max_agent_objects
        self._creation, namespace = config.creation, config.namespace
        self.namespace, self.env, self.cluster, self.audit = namespace, env, cluster, audit
        places = {row.kind: namespace if row.shared else "" for row in kinds.BASE.values()}
        self.stores = Stores(cluster, places, env)
        self.namespaces = Informer(cluster, NAMESPACES, env=env)
        self.secrets = Informer(
            cluster,
            SECRETS,
            namespace,
            selector=clusters.SELECTOR,
            env=env,
            transform=clusters.lean,
            name="cluster secrets",
        )
        self.memory = Memory(cluster, namespace, env)
        self.writes = SharedWrites(rate=config.hub_writes)
        self.scoped, self._whereabouts = Scoped(), Whereabouts(config.style)
        self.stores.on_change(self.scoped.changed)
        self.stores.on_change(self._whereabouts.changed)

    def executors(self, mapping: NamespaceMapping) -> Mapping[Kind, Executor]:
        """For the writes of one agent, by kind: they take turns with the others'."""

        def told(verb: str, what: str) -> None:
            reason = "it is not this agent's: a mistake of the principal"
            self.audit(Ruling(Decision.SCOPE_VIOLATION, f"{verb} {what}", reason, mapping.agent))

        shared = Confined(self.writes.cluster(mapping.agent, self.cluster), mapping, told)
        creation = self._creation
        if creation is None or not mapping.autonomous:
            return self.stores.executors(shared)

        def may_create(namespace: str) -> bool:
            return namespace == mapping.home and creation.allows(namespace)

        return self.stores.executors(NamespaceMaker(shared, may_create, dict(creation.labels)))

    def foreign(self, agent: str, who: Peer | None, key: Key) -> None:
        """An agent has sent a record of what is not its own."""
        self.audit(about(who or Peer(agent), Decision.SCOPE_VIOLATION, f"record of {key}"))

    def informer(self, kind: Kind) -> Informer:
        """Where objects of this kind (or what hangs on them) are read."""
        return self.stores[kind].informer

    def objects(self, kind: Kind, mapping: NamespaceMapping) -> Sequence[Object]:
        """Of a kind whatever may be this agent's, and maybe more."""
        if kind is not Kind.APPLICATION:
            return self.stores.objects(kind)
        found = (self.stores.get(kind, *name) for name in self._whereabouts.near(mapping))
        return [obj for obj in found if obj is not None]

    def is_leaving(self, namespace: str) -> bool:
        """Is this namespace being deleted, or gone? What goes with it was nobody's single decision.

        The namespace controller leaves five seconds between the two (its namespaceDeletionGracePeriod): so
        long we have to hear of the one before the other. Where we may not look, every deletion stands alone.
        """
        if not self.namespaces.is_synced:
            return False
        found = self.namespaces.get("", namespace)
        return found is None or found.deleting

    def namespace_uid(self, namespace: str) -> str:
        """The uid of this namespace; empty: not known. One that is being deleted is another one already."""
        found = self.namespaces.get("", namespace)
        if found is None:
            return ""
        return found.meta.uid + views.LEAVING if found.deleting else found.meta.uid

    def incomplete(self, kind: Kind, home: str) -> str:
        """Why absence of this kind says nothing of an agent of that home; empty: it does."""
        row = kinds.BASE[kind]
        if row.within is not None and (reason := self.incomplete(row.within, home)):
            return reason
        informer = self.informer(kind)
        if not informer.complete:
            return informer.degraded or "the hub's objects are not known yet"
        namespace = self.namespace if row.shared else home
        return f"namespace {namespace} is being deleted, or gone" if self.is_leaving(namespace) else ""

    def is_any_leaving(self, kind: Kind) -> bool:
        """Is any object of this kind being deleted?"""
        return any(obj.deleting for obj in self.informer(kind).objects.values())

    def uses(self, project: str) -> bool:
        """Does any Application of the hub name this AppProject?"""
        apps = self.stores.objects(Kind.APPLICATION)
        return any(((app.get("spec") or {}).get("project") or "default") == project for app in apps)

    async def cluster_secret(self, agent: str, otherwise: Involved) -> Involved:
        """The Argo CD cluster secret of this agent; where there is none to be seen, ``otherwise``."""
        own = (each for each in self.secrets.objects.values() if each.labels.get(names.AGENT_NAME) == agent)
        entry = clusters.choose(map(clusters.read_entry, own))
        return clusters.involved(entry, agent, self.namespace) if entry is not None else otherwise
