"""Names that things have in an installation of argocd-agent unless somebody says otherwise."""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "argocd"
"""Argo CD's, on either side."""
PRINCIPAL_SECRET: Final = "argocd-agent-principal-tls"
CLIENT_SECRET: Final = "argocd-agent-client-tls"
CA_SECRET: Final = "argocd-agent-ca"
REDIS_PROXY_SECRET: Final = "argocd-redis-proxy-tls"
RESOURCE_PROXY_SECRET: Final = "argocd-agent-resource-proxy-tls"
REDIS_CA_SECRET: Final = "argocd-redis-tls"
REDIS_PORT: Final = 6379
"""Of a Redis whose address names none."""
