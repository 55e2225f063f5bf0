"""Options on Argo CD's Redis, of both programs.

Its password comes from the environment or a mounted Secret; on a command line everybody on the node sees it.
"""

from __future__ import annotations

from typing import Final

from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.runtime.options.kinds import DURATION, FILE, NAME, SWITCH, file, one_of, text
from trio_argoagent.runtime.options.meanings import ADDRESS
from trio_argoagent.runtime.options.rows import Option
from trio_argoagent.runtime.options.usual import REDIS_CA_SECRET, REDIS_PORT


def _address(flag: str, key: str) -> Option:
    variable = flag.removeprefix("--").replace("-", "_").upper()
    return Option(
        flag,
        variable,
        key,
        ADDRESS,
        f"argocd-redis:{REDIS_PORT}",
        "Argo CD's Redis in this cluster; empty: none.",
        name="redis_address",
        also=(variable,),
    )


def _compression(key: str) -> Option:
    return Option(
        "--redis-compression-type",
        "REDIS_COMPRESSION_TYPE",
        key,
        one_of(Compression),
        Compression.GZIP.value,
        "How Argo CD compresses there (its redis.compression).",
    )


def _ca(flags: tuple[str, str], keys: tuple[str, str]) -> tuple[Option, Option]:
    path, secret = (flag.removeprefix("--").replace("-", "_").upper() for flag in flags)
    return (
        Option(
            flags[0],
            path,
            keys[0],
            FILE,
            "",
            "PEM: the CA of its certificate, instead of a Secret.",
            name="redis_ca",
            needs="redis_tls_enabled",
        ),
        Option(
            flags[1],
            secret,
            keys[1],
            NAME,
            "",
            f"The Secret with that CA (ca.crt); by default {REDIS_CA_SECRET} if it is there, else the"
            " system's authorities count.",
            name="redis_ca_secret",
            needs="redis_tls_enabled",
        ),
    )


_WHO: Final = (
    Option(
        "--redis-username",
        "REDIS_USERNAME",
        "",
        NAME,
        "",
        "User of its access list; without it: the default user.",
        also=("REDIS_USERNAME",),
    ),
    Option(
        "--redis-password",
        "REDIS_PASSWORD",
        "",
        text("WORD"),
        "",
        "Its password; better given by REDIS_PASSWORD.",
        also=("REDIS_PASSWORD",),
        secret=True,
    ),
    Option(
        "--redis-creds-dir-path",
        "REDIS_CREDS_DIR_PATH",
        "",
        file("DIR"),
        "",
        "A mounted Secret with auth and maybe auth_username, instead of these two.",
        also=("REDIS_CREDS_DIR_PATH",),
    ),
)
_TLS: Final = Option(
    "--redis-tls-enabled", "REDIS_TLS_ENABLED", "redis.tls.enabled", SWITCH, "false", "Speak TLS to it."
)
_INSECURE: Final = Option(
    "--redis-tls-insecure",
    "REDIS_TLS_INSECURE",
    "redis.tls.insecure",
    SWITCH,
    "false",
    "Take any certificate of it.",
    needs="redis_tls_enabled",
)

PRINCIPAL: Final = (
    _address("--redis-server-address", "redis.server.address"),
    *_WHO,
    _compression("redis.compression.type"),
    _TLS,
    *_ca(("--redis-ca-path", "--redis-ca-secret-name"), ("redis.ca-path", "redis.ca-secret-name")),
    _INSECURE,
)
AGENT: Final = (
    _address("--redis-addr", "redis.address"),
    *_WHO,
    _compression("redis-compression-type"),
    _TLS,
    *_ca(
        ("--redis-tls-ca-path", "--redis-tls-ca-secret-name"),
        ("redis.tls.ca-path", "redis-tls-ca-secret-name"),
    ),
    _INSECURE,
    Option(
        "--cache-refresh-interval",
        "CACHE_REFRESH_INTERVAL",
        "cache-refresh-interval",
        DURATION,
        "10s",
        "How often to look at what Argo CD counts here, for the hub's UI; 0: never.",
    ),
)
