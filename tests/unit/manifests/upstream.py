"""argocd-agent's ConfigMap ``argocd-agent-params``: environment variable -> key, as its manifests map them.

Source: argoproj-labs/argocd-agent, install/kubernetes/{principal,agent}.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PRINCIPAL: Final[Mapping[str, str]] = {
    f"ARGOCD_PRINCIPAL_{name}": f"principal.{key}"
    for name, key in {
        "LISTEN_HOST": "listen.host",
        "LISTEN_PORT": "listen.port",
        "LOG_LEVEL": "log.level",
        "LOG_FORMAT": "log.format",
        "METRICS_PORT": "metrics.port",
        "HEALTH_CHECK_PORT": "healthz.port",
        "PPROF_PORT": "pprof.port",
        "NAMESPACE": "namespace",
        "ALLOWED_NAMESPACES": "allowed-namespaces",
        "NAMESPACE_CREATE_ENABLE": "namespace-create.enable",
        "NAMESPACE_CREATE_PATTERN": "namespace-create.pattern",
        "NAMESPACE_CREATE_LABELS": "namespace-create.labels",
        "TLS_SECRET_NAME": "tls.secret-name",
        "TLS_SERVER_CERT_PATH": "tls.server.cert-path",
        "TLS_SERVER_KEY_PATH": "tls.server.key-path",
        "TLS_SERVER_ALLOW_GENERATE": "tls.server.allow-generate",
        "TLS_SERVER_ROOT_CA_SECRET_NAME": "tls.server.root-ca-secret-name",
        "TLS_SERVER_ROOT_CA_PATH": "tls.server.root-ca-path",
        "TLS_CLIENT_CERT_REQUIRE": "tls.client-cert.require",
        "TLS_CLIENT_CERT_MATCH_SUBJECT": "tls.client-cert.match-subject",
        "INSECURE_PLAINTEXT": "tls.insecure-plaintext",
        "RESOURCE_PROXY_SECRET_NAME": "resource-proxy.secret-name",
        "RESOURCE_PROXY_TLS_CERT_PATH": "resource-proxy.tls.cert-path",
        "RESOURCE_PROXY_TLS_KEY_PATH": "resource-proxy.tls.key-path",
        "RESOURCE_PROXY_CA_SECRET_NAME": "resource-proxy.ca.secret-name",
        "RESOURCE_PROXY_TLS_CA_PATH": "resource-proxy.ca.path",
        "ENABLE_RESOURCE_PROXY": "resource-proxy.enable",
        "JWT_ALLOW_GENERATE": "jwt.allow-generate",
        "JWT_SECRET_NAME": "jwt.secret-name",
        "JWT_KEY_PATH": "jwt.key-path",
        "AUTH": "auth",
        "ENABLE_WEBSOCKET": "websocket.enable",
        "KEEP_ALIVE_MIN_INTERVAL": "keep-alive.min-interval",
        "REDIS_SERVER_ADDRESS": "redis.server.address",
        "REDIS_COMPRESSION_TYPE": "redis.compression.type",
        "REDIS_TLS_ENABLED": "redis.tls.enabled",
        "REDIS_TLS_INSECURE": "redis.tls.insecure",
        "REDIS_CA_PATH": "redis.ca-path",
        "REDIS_CA_SECRET_NAME": "redis.ca-secret-name",
        "REDIS_PROXY_SERVER_TLS_CERT_PATH": "redis.proxy.server.tls.cert-path",
        "REDIS_PROXY_SERVER_TLS_KEY_PATH": "redis.proxy.server.tls.key-path",
        "REDIS_PROXY_SERVER_TLS_SECRET_NAME": "redis.proxy.server.tls.secret-name",
    }.items()
}
AGENT: Final[Mapping[str, str]] = {
    f"ARGOCD_AGENT_{name}": f"agent.{key}"
    for name, key in {
        "REMOTE_SERVER": "server.address",
        "REMOTE_PORT": "server.port",
        "LOG_LEVEL": "log.level",
        "LOG_FORMAT": "log.format",
        "NAMESPACE": "namespace",
        "TLS_SECRET_NAME": "tls.secret-name",
        "TLS_CLIENT_CERT_PATH": "tls.client.cert-path",
        "TLS_CLIENT_KEY_PATH": "tls.client.key-path",
        "TLS_INSECURE": "tls.client.insecure",
        "TLS_ROOT_CA_SECRET_NAME": "tls.root-ca-secret-name",
        "TLS_ROOT_CA_PATH": "tls.root-ca-path",
        "TLS_MIN_VERSION": "tls.min-version",
        "TLS_MAX_VERSION": "tls.max-version",
        "TLS_CIPHERSUITES": "tls.ciphersuites",
        "INSECURE_PLAINTEXT": "tls.insecure-plaintext",
        "MODE": "mode",
        "CREDS": "creds",
        "METRICS_PORT": "metrics.port",
        "HEALTH_CHECK_PORT": "healthz.port",
        "PPROF_PORT": "pprof.port",
        "ENABLE_WEBSOCKET": "websocket.enable",
        "ENABLE_COMPRESSION": "compression.enable",
        "KEEP_ALIVE_PING_INTERVAL": "keep-alive.interval",
        "REDIS_ADDR": "redis.address",
        "REDIS_TLS_ENABLED": "redis.tls.enabled",
        "REDIS_TLS_CA_PATH": "redis.tls.ca-path",
        "REDIS_TLS_INSECURE": "redis.tls.insecure",
        "ENABLE_RESOURCE_PROXY": "resource-proxy.enable",
        "DESTINATION_BASED_MAPPING": "destination-based-mapping",
        "CREATE_NAMESPACE": "create-namespace",
        "ALLOWED_NAMESPACES": "allowed-namespaces",
        "LABEL_SELECTOR": "label-selector",
        "INFORMER_SYNC_TIMEOUT": "informer-sync-timeout",
    }.items()
}
