"""Options on certificates, keys and CAs of links, and on TLS itself.

Files win over a Secret by its usual name; beside one by another name they are a contradiction.
"""

from __future__ import annotations

from typing import Final

import attrs

from trio_argoagent.runtime.options.kinds import FILE, NAME, SWITCH, words
from trio_argoagent.runtime.options.meanings import SUITES
from trio_argoagent.runtime.options.rows import Option
from trio_argoagent.runtime.options.suites import LINKS, VERSIONS
from trio_argoagent.runtime.options.usual import CA_SECRET, CLIENT_SECRET, PRINCIPAL_SECRET

_VERSION: Final = words(*VERSIONS)
_MINIMUM: Final = Option(
    "--tls-min-version",
    "TLS_MIN_VERSION",
    "tls-min-version",
    _VERSION,
    None,
    "The lowest TLS version.",
    shown=f"{LINKS}; beside links: tls1.2",
)
_MAXIMUM: Final = Option(
    "--tls-max-version",
    "TLS_MAX_VERSION",
    "tls-max-version",
    _VERSION,
    None,
    "The highest TLS version.",
    shown="any",
)
_SUITES: Final = Option(
    "--tls-ciphersuites",
    "TLS_CIPHERSUITES",
    "tls-ciphersuites",
    SUITES,
    "",
    "Cipher suites of TLS 1.2; those of 1.3 are always there. 'list' prints the names.",
    shown="OpenSSL's",
)

PRINCIPAL: Final = (
    Option(
        "--tls-secret-name",
        "TLS_SECRET_NAME",
        "tls.secret-name",
        NAME,
        PRINCIPAL_SECRET,
        "Secret with the principal's certificate and key (tls.crt, tls.key).",
    ),
    Option(
        "--tls-cert",
        "TLS_SERVER_CERT_PATH",
        "tls.server.cert-path",
        FILE,
        "",
        "PEM: the principal's certificate, with its chain, instead of the Secret.",
    ),
    Option("--tls-key", "TLS_SERVER_KEY_PATH", "tls.server.key-path", FILE, "", "PEM: its private key."),
    Option(
        "--insecure-tls-generate",
        "TLS_SERVER_ALLOW_GENERATE",
        "tls.server.allow-generate",
        SWITCH,
        "false",
        "INSECURE: make a certificate in memory, for development; agents need --insecure-tls.",
    ),
    Option(
        "--tls-ca-secret-name",
        "TLS_SERVER_ROOT_CA_SECRET_NAME",
        "tls.server.root-ca-secret-name",
        NAME,
        CA_SECRET,
        "Secret with the CA of the agents' certificates (ca.crt, else tls.crt).",
    ),
    Option(
        "--root-ca-path",
        "TLS_SERVER_ROOT_CA_PATH",
        "tls.server.root-ca-path",
        FILE,
        "",
        "PEM: the CA of the agents' certificates, instead of the Secret.",
    ),
    _MINIMUM,
    _MAXIMUM,
    _SUITES,
)
AGENT: Final = (
    Option(
        "--tls-secret-name",
        "TLS_SECRET_NAME",
        "tls.secret-name",
        NAME,
        CLIENT_SECRET,
        "Secret with the agent's certificate and key (tls.crt, tls.key).",
    ),
    Option(
        "--tls-client-cert",
        "TLS_CLIENT_CERT_PATH",
        "tls.client.cert-path",
        FILE,
        "",
        "PEM: the agent's certificate, instead of the Secret; its common name is the agent's name.",
    ),
    Option(
        "--tls-client-key", "TLS_CLIENT_KEY_PATH", "tls.client.key-path", FILE, "", "PEM: its private key."
    ),
    Option(
        "--root-ca-secret-name",
        "TLS_ROOT_CA_SECRET_NAME",
        "tls.root-ca-secret-name",
        NAME,
        CA_SECRET,
        "Secret with the CA of the principal's certificate (ca.crt, else tls.crt).",
    ),
    Option(
        "--root-ca-path",
        "TLS_ROOT_CA_PATH",
        "tls.root-ca-path",
        FILE,
        "",
        "PEM: the CA of the principal's certificate, instead of the Secret.",
    ),
    Option(
        "--insecure-tls",
        "TLS_INSECURE",
        "tls.client.insecure",
        SWITCH,
        "false",
        "INSECURE: take any certificate of the principal.",
    ),
    attrs.evolve(_MINIMUM, key="tls.min-version"),
    attrs.evolve(_MAXIMUM, key="tls.max-version"),
    attrs.evolve(_SUITES, key="tls.ciphersuites"),
)
