"""The principal's options on the two ports at which the hub's Argo CD looks.

argocd-agent has these ports fixed (6379 and 9090); another one is for several principals on one machine.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.options.kinds import FILE, NAME, PORT, SWITCH
from trio_argoagent.runtime.options.rows import Option
from trio_argoagent.runtime.options.usual import REDIS_PROXY_SECRET, RESOURCE_PROXY_SECRET

REDIS: Final = (
    Option(
        "--disable-redis-proxy",
        "DISABLE_REDIS_PROXY",
        "disable-redis-proxy",
        SWITCH,
        "false",
        "Do not pass Argo CD's connections on to Redis.",
    ),
    Option(
        "--redis-proxy-port",
        "REDIS_PROXY_PORT",
        "redis-proxy-port",
        PORT,
        "6379",
        "Where Argo CD finds Redis; 0: a free one, which the log names.",
    ),
    Option(
        "--redis-proxy-server-tls-cert",
        "REDIS_PROXY_SERVER_TLS_CERT_PATH",
        "redis.proxy.server.tls.cert-path",
        FILE,
        "",
        "PEM: that port's certificate, instead of a Secret; without either, or TLS to Redis, it is plain.",
        needs="redis_tls_enabled",
    ),
    Option(
        "--redis-proxy-server-tls-key",
        "REDIS_PROXY_SERVER_TLS_KEY_PATH",
        "redis.proxy.server.tls.key-path",
        FILE,
        "",
        "PEM: its private key.",
        needs="redis_tls_enabled",
    ),
    Option(
        "--redis-proxy-server-tls-secret-name",
        "REDIS_PROXY_SERVER_TLS_SECRET_NAME",
        "redis.proxy.server.tls.secret-name",
        NAME,
        "",
        f"The Secret with both; by default {REDIS_PROXY_SECRET} if it is there and --redis-tls-enabled.",
        needs="redis_tls_enabled",
    ),
)
RESOURCE: Final = (
    Option(
        "--enable-resource-proxy",
        "ENABLE_RESOURCE_PROXY",
        "resource-proxy.enable",
        SWITCH,
        "true",
        "Tell Argo CD why it cannot see an agent's live resources; needs a certificate.",
    ),
    Option(
        "--resource-proxy-port",
        "RESOURCE_PROXY_PORT",
        "resource-proxy-port",
        PORT,
        "9090",
        "Where that is told; 0: a free one, which the log names.",
    ),
    Option(
        "--resource-proxy-cert-path",
        "RESOURCE_PROXY_TLS_CERT_PATH",
        "resource-proxy.tls.cert-path",
        FILE,
        "",
        "PEM: that port's certificate, instead of a Secret; without either the port is closed.",
    ),
    Option(
        "--resource-proxy-key-path",
        "RESOURCE_PROXY_TLS_KEY_PATH",
        "resource-proxy.tls.key-path",
        FILE,
        "",
        "PEM: its private key.",
    ),
    Option(
        "--resource-proxy-secret-name",
        "RESOURCE_PROXY_SECRET_NAME",
        "resource-proxy.secret-name",
        NAME,
        "",
        f"The Secret with both; by default {RESOURCE_PROXY_SECRET} if it is there.",
    ),
    Option(
        "--resource-proxy-ca-path",
        "RESOURCE_PROXY_TLS_CA_PATH",
        "resource-proxy.ca.path",
        FILE,
        "",
        "PEM: the CA that certifies that port's clients; without it they need no certificate.",
    ),
    Option(
        "--resource-proxy-ca-secret-name",
        "RESOURCE_PROXY_CA_SECRET_NAME",
        "resource-proxy.ca.secret-name",
        NAME,
        "",
        "The Secret with that CA (ca.crt, else tls.crt), instead of a file.",
    ),
)
