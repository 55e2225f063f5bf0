"""Where a kind lives in the Kubernetes API."""

from __future__ import annotations

import attrs


@attrs.frozen
class Resource:
    """One resource of an API group: what a request path is built from.

    Attributes:
        api_version: ``group/version``, or the bare version in the core group.
    """

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    api_version: str = attrs.field(init=False, eq=False, repr=False)

    @api_version.default
    def _api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "") -> str:
        """The request path of the collection, or of one object of it."""
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        scope = f"/namespaces/{namespace}" if namespace and self.namespaced else ""
        tail = f"/{name}" if name else ""
        return f"{root}{scope}/{self.plural}{tail}"

    def __str__(self) -> str:
        return f"{self.plural}.{self.group}" if self.group else self.plural


APPLICATIONS = Resource("argoproj.io", "v1alpha1", "applications", "Application")
APP_PROJECTS = Resource("argoproj.io", "v1alpha1", "appprojects", "AppProject")
NAMESPACES = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
SECRETS = Resource("", "v1", "secrets", "Secret")
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
EVENTS = Resource("", "v1", "events", "Event")
