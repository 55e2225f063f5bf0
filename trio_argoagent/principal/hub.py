"""The hub's objects: the informers and executors that all peers share."""

from __future__ import annotations

from trio_argoagent.kube.informer import Informer
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.resources import APP_PROJECTS, APPLICATIONS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.replication.executor import Executor
from trio_argoagent.replication.known import Known


class Hub:
    """See the module.

    Args:
        cluster: the hub's API.
        namespace: Argo CD's on the hub; Applications are looked for in all namespaces.
        env: time and randomness.
    """

    def __init__(self, cluster: Cluster, namespace: str, env: Env) -> None:
        self.namespace, self.env = namespace, env
        self.applications = Informer(cluster, APPLICATIONS, env=env)
        self.projects = Informer(cluster, APP_PROJECTS, namespace, env=env)
        self.known_applications = Known(self.applications)
        self.known_projects = Known(self.projects)
        self.on_applications = Executor(cluster, APPLICATIONS, self.known_applications)
        self.on_projects = Executor(cluster, APP_PROJECTS, self.known_projects)

    def informer(self, kind: Kind) -> Informer:
        """Where objects of this kind (or what hangs on them) are read."""
        return self.projects if kind is Kind.APP_PROJECT else self.applications

    def uses(self, project: str) -> bool:
        """Does any Application of the hub name this AppProject?"""
        apps = self.applications.objects.values()
        return any(((app.get("spec") or {}).get("project") or "default") == project for app in apps)
