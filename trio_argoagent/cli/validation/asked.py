"""What the checks ask for. Names are argocd-agent's and Argo CD's."""

from __future__ import annotations

from typing import Final

from trio_argoagent.cli.validation.checks import Query, Side
from trio_argoagent.model.fingerprints import BLOCKLIST
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES, SECRETS, Resource
from trio_argoagent.principal.clusters import SELECTOR

DEPLOYMENTS: Final = Resource("apps", "v1", "deployments", "Deployment")
STATEFUL_SETS: Final = Resource("apps", "v1", "statefulsets", "StatefulSet")
NETWORK_POLICIES: Final = Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy")
SERVICES: Final = Resource("", "v1", "services", "Service")
ROUTES: Final = Resource("route.openshift.io", "v1", "routes", "Route")
"""OpenShift's; other clusters have none."""
OPERATED: Final = Resource("argoproj.io", "v1beta1", "argocds", "ArgoCD")
"""What Argo CD's operator is told; clusters without the operator have none."""

PARAMETERS: Final = "argocd-agent-params"
HUB_CA: Final = Query(
    Side.HUB,
    SECRETS,
    "argocd-agent-ca",
    named_by="principal.tls.server.root-ca-secret-name",
    filed_by="principal.tls.server.root-ca-path",
)
HUB_TLS: Final = Query(
    Side.HUB,
    SECRETS,
    "argocd-agent-principal-tls",
    named_by="principal.tls.secret-name",
    filed_by="principal.tls.server.cert-path",
)
HUB_PROXY_TLS: Final = Query(
    Side.HUB,
    SECRETS,
    "argocd-agent-resource-proxy-tls",
    named_by="principal.resource-proxy.secret-name",
    filed_by="principal.resource-proxy.tls.cert-path",
)
HUB_JWT: Final = Query(Side.HUB, SECRETS, "argocd-agent-jwt")
HUB_CLUSTERS: Final = Query(Side.HUB, SECRETS, selector=SELECTOR)
HUB_BLOCKLIST: Final = Query(Side.HUB, CONFIG_MAPS, BLOCKLIST)
HUB_PARAMETERS: Final = Query(Side.HUB, CONFIG_MAPS, PARAMETERS)
HUB_ARGOCD: Final = Query(Side.HUB, CONFIG_MAPS, "argocd-cm")
HUB_COMMANDS: Final = Query(Side.HUB, CONFIG_MAPS, "argocd-cmd-params-cm")
HUB_OPERATED: Final = Query(Side.HUB, OPERATED)
HUB_APPLICATIONS: Final = Query(Side.HUB, APPLICATIONS)
HUB_NAMESPACES: Final = Query(Side.HUB, NAMESPACES, everywhere=True)
HUB_SERVICES: Final = Query(Side.HUB, SERVICES)
HUB_ROUTES: Final = Query(Side.HUB, ROUTES)

SPOKE_CA: Final = Query(
    Side.SPOKE,
    SECRETS,
    "argocd-agent-ca",
    named_by="agent.tls.root-ca-secret-name",
    filed_by="agent.tls.root-ca-path",
)
SPOKE_TLS: Final = Query(
    Side.SPOKE,
    SECRETS,
    "argocd-agent-client-tls",
    named_by="agent.tls.secret-name",
    filed_by="agent.tls.client.cert-path",
)
SPOKE_PARAMETERS: Final = Query(Side.SPOKE, CONFIG_MAPS, PARAMETERS)


def workloads(side: Side) -> tuple[Query, Query]:
    """What runs in Argo CD's namespace."""
    return Query(side, DEPLOYMENTS), Query(side, STATEFUL_SETS)


def policies(side: Side) -> Query:
    """Who may talk to whom there."""
    return Query(side, NETWORK_POLICIES)
