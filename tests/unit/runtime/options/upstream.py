"""argocd-agent's options: flag -> environment variable and a value that it takes.

Source: argoproj-labs/argocd-agent v0.9, cmd/argocd-agent/principal.go and agent.go, and where these read
variables without a flag. The keys of its ConfigMap are in ``tests/unit/manifests/upstream.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

Facts = Mapping[str, tuple[str, str]]

_SHARED: Final[Facts] = {
    "--namespace": ("NAMESPACE", "argocd"),
    "--log-level": ("LOG_LEVEL", "grpc-event=trace,resource-proxy=warn,info"),
    "--log-format": ("LOG_FORMAT", "json"),
    "--full-detail": ("FULL_DETAIL", "actions,events"),
    "--otlp-address": ("OTLP_ADDRESS", "collector:4317"),
    "--otlp-insecure": ("OTLP_INSECURE", "true"),
    "--metrics-port": ("METRICS_PORT", "0"),
    "--healthz-port": ("HEALTH_CHECK_PORT", "8003"),
    "--pprof-port": ("PPROF_PORT", "6060"),
    "--allowed-namespaces": ("ALLOWED_NAMESPACES", "team-*,/^a/"),
    "--tls-secret-name": ("TLS_SECRET_NAME", "own"),
    "--tls-min-version": ("TLS_MIN_VERSION", "tls1.3"),
    "--tls-max-version": ("TLS_MAX_VERSION", "tls1.3"),
    "--tls-ciphersuites": ("TLS_CIPHERSUITES", "TLS_AES_128_GCM_SHA256"),
    "--insecure-plaintext": ("INSECURE_PLAINTEXT", "true"),
    "--enable-websocket": ("ENABLE_WEBSOCKET", "true"),
    "--enable-resource-proxy": ("ENABLE_RESOURCE_PROXY", "false"),
    "--redis-password": ("", "word"),
    "--redis-creds-dir-path": ("", "/run/redis"),
    "--redis-tls-enabled": ("REDIS_TLS_ENABLED", "true"),
    "--redis-tls-insecure": ("REDIS_TLS_INSECURE", "true"),
    "--grpc-max-message-size": ("GRPC_MAX_MESSAGE_SIZE", "209715200"),
    "--destination-based-mapping": ("DESTINATION_BASED_MAPPING", "true"),
    "--label-selector": ("LABEL_SELECTOR", "team=a"),
    "--kubeconfig": ("", "config"),
    "--kubecontext": ("", "hub"),
}
PRINCIPAL: Final[Facts] = {
    **_SHARED,
    "--listen-host": ("LISTEN_HOST", "127.0.0.1"),
    "--listen-port": ("LISTEN_PORT", "8443"),
    "--namespace-create-enable": ("NAMESPACE_CREATE_ENABLE", "true"),
    "--namespace-create-pattern": ("NAMESPACE_CREATE_PATTERN", "^a"),
    "--namespace-create-labels": ("NAMESPACE_CREATE_LABELS", "a=1,b=2"),
    "--tls-cert": ("TLS_SERVER_CERT_PATH", "crt"),
    "--tls-key": ("TLS_SERVER_KEY_PATH", "key"),
    "--insecure-tls-generate": ("TLS_SERVER_ALLOW_GENERATE", "true"),
    "--tls-ca-secret-name": ("TLS_SERVER_ROOT_CA_SECRET_NAME", "ca"),
    "--root-ca-path": ("TLS_SERVER_ROOT_CA_PATH", "ca"),
    "--require-client-certs": ("TLS_CLIENT_CERT_REQUIRE", "true"),
    "--client-cert-subject-match": ("TLS_CLIENT_CERT_MATCH_SUBJECT", "true"),
    "--resource-proxy-secret-name": ("RESOURCE_PROXY_SECRET_NAME", "proxy"),
    "--resource-proxy-cert-path": ("RESOURCE_PROXY_TLS_CERT_PATH", "crt"),
    "--resource-proxy-key-path": ("RESOURCE_PROXY_TLS_KEY_PATH", "key"),
    "--resource-proxy-ca-secret-name": ("RESOURCE_PROXY_CA_SECRET_NAME", "ca"),
    "--resource-proxy-ca-path": ("RESOURCE_PROXY_TLS_CA_PATH", "ca"),
    "--resource-proxy-address": ("RESOURCE_PROXY_ADDRESS", "proxy:9090"),
    "--jwt-secret-name": ("JWT_SECRET_NAME", "argocd-agent-jwt"),
    "--jwt-key": ("JWT_KEY_PATH", "key"),
    "--insecure-jwt-generate": ("JWT_ALLOW_GENERATE", "true"),
    "--auth": ("AUTH", "mtls:CN=([^,]+)"),
    "--keepalive-min-interval": ("KEEP_ALIVE_MIN_INTERVAL", "30s"),
    "--redis-server-address": ("REDIS_SERVER_ADDRESS", "argocd-redis:6379"),
    "--redis-compression-type": ("REDIS_COMPRESSION_TYPE", "none"),
    "--disable-redis-proxy": ("DISABLE_REDIS_PROXY", "true"),
    "--redis-proxy-server-tls-cert": ("REDIS_PROXY_SERVER_TLS_CERT_PATH", "crt"),
    "--redis-proxy-server-tls-key": ("REDIS_PROXY_SERVER_TLS_KEY_PATH", "key"),
    "--redis-proxy-server-tls-secret-name": ("REDIS_PROXY_SERVER_TLS_SECRET_NAME", "proxy"),
    "--redis-ca-path": ("REDIS_CA_PATH", "ca"),
    "--redis-ca-secret-name": ("REDIS_CA_SECRET_NAME", "ca"),
    "--event-processors": ("EVENT_PROCESSORS", "10"),
    "--enable-self-cluster-registration": ("ENABLE_SELF_CLUSTER_REGISTRATION", "true"),
    "--self-registration-client-cert-secret": ("SELF_REGISTRATION_CLIENT_CERT_SECRET", "client"),
    "--ha-enabled": ("HA_ENABLED", "false"),
    "--ha-preferred-role": ("HA_PREFERRED_ROLE", "primary"),
    "--ha-peer-address": ("HA_PEER_ADDRESS", "other:8404"),
    "--ha-admin-port": ("HA_ADMIN_PORT", "8405"),
    "--ha-allowed-replication-clients": ("HA_ALLOWED_REPLICATION_CLIENTS", "a,b"),
    "--ha-failover-timeout": ("HA_FAILOVER_TIMEOUT", "30s"),
    "--ha-replication-initial-ack-timeout": ("HA_REPLICATION_INITIAL_ACK_TIMEOUT", "5m"),
}
AGENT: Final[Facts] = {
    **_SHARED,
    "--server-address": ("REMOTE_SERVER", "hub"),
    "--server-port": ("REMOTE_PORT", "8443"),
    "--agent-mode": ("MODE", "managed"),
    "--creds": ("CREDS", "mtls:any"),
    "--insecure-tls": ("TLS_INSECURE", "true"),
    "--root-ca-secret-name": ("TLS_ROOT_CA_SECRET_NAME", "ca"),
    "--root-ca-path": ("TLS_ROOT_CA_PATH", "ca"),
    "--tls-client-cert": ("TLS_CLIENT_CERT_PATH", "crt"),
    "--tls-client-key": ("TLS_CLIENT_KEY_PATH", "key"),
    "--enable-compression": ("ENABLE_COMPRESSION", "true"),
    "--keep-alive-ping-interval": ("KEEP_ALIVE_PING_INTERVAL", "50s"),
    "--heartbeat-interval": ("HEARTBEAT_INTERVAL", "1m30s"),
    "--redis-addr": ("REDIS_ADDR", "argocd-redis:6379"),
    "--redis-username": ("", "reader"),
    "--redis-tls-ca-path": ("REDIS_TLS_CA_PATH", "ca"),
    "--redis-tls-ca-secret-name": ("REDIS_TLS_CA_SECRET_NAME", "ca"),
    "--cache-refresh-interval": ("CACHE_REFRESH_INTERVAL", "10s"),
    "--informer-sync-timeout": ("INFORMER_SYNC_TIMEOUT", "10s"),
    "--buffer-informer-event-interval": ("BUFFER_INFORMER_EVENT_INTERVAL", "500ms"),
    "--create-namespace": ("CREATE_NAMESPACE", "true"),
    "--ignore-unmanaged-apps": ("IGNORE_UNMANAGED_APPS", "true"),
    "--source-uid-mismatch-policy": ("SOURCE_UID_MISMATCH_POLICY", "upsert"),
    "--on-application-recreate": ("ON_APPLICATION_RECREATE", "resync"),
    "--adoption-policy": ("ADOPTION_POLICY", "never"),
}
UNPREFIXED: Final = {
    "REDIS_PASSWORD": "--redis-password",
    "REDIS_CREDS_DIR_PATH": "--redis-creds-dir-path",
    "REDIS_USERNAME": "--redis-username",
}
"""Variables that both programs have, with the whole name."""
AGENTS_OWN: Final = {"ARGOCD_PRINCIPAL_LOG_FORMAT": ("--log-format", "json")}
"""The agent's, with the whole name; each with a value."""
WITHOUT_FLAG: Final = tuple(
    f"ARGOCD_AGENT_{each}" for each in ("KUBE_QPS", "KUBE_BURST", "SEND_QUEUE_SIZE", "RECV_QUEUE_SIZE")
)
"""Likewise, which have no flag."""
