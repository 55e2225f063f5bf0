"""Versions and cipher suites of TLS, by argocd-agent's names for them, and what may go together.

The names of cipher suites are IANA's, as Go has them; OpenSSL's are others.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from typing import Final

from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import TlsSettings

VERSIONS: Final = {"tls1.2": ssl.TLSVersion.TLSv1_2, "tls1.3": ssl.TLSVersion.TLSv1_3}
LINKS: Final = "tls1.3"
"""The lowest version of links, unless the user says otherwise."""
NEWEST: Final = ("TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256")
"""The suites of TLS 1.3: all are always there."""
OLDER: Final[Mapping[str, str]] = {
    f"TLS_ECDHE_{key}_WITH_{iana}": f"ECDHE-{key}-{name}"
    for key in ("ECDSA", "RSA")
    for iana, name in (
        ("AES_128_GCM_SHA256", "AES128-GCM-SHA256"),
        ("AES_256_GCM_SHA384", "AES256-GCM-SHA384"),
        ("CHACHA20_POLY1305_SHA256", "CHACHA20-POLY1305"),
    )
}
"""Those of TLS 1.2 that HTTP/2 allows (RFC 9113 appendix A), with OpenSSL's names."""


def parse_suites(text: str) -> tuple[str, ...]:
    """The names of cipher suites, with commas between.

    Raises:
        ValueError: there is no such suite.
    """
    named = tuple(each.strip() for each in text.split(",") if each.strip())
    if named == ("list",):
        # The programs never come here: they print the names.
        raise ValueError("'list' prints the names, and nothing is started: name those that are wanted")
    for name in named:
        if name not in NEWEST and name not in OLDER:
            raise ValueError(f"there is no {name}: 'list' prints the names")
    return named


def read_settings(minimum: str | None, maximum: str | None, suites: Sequence[str]) -> TlsSettings:
    """What they say together.

    Args:
        minimum: one of ``VERSIONS``; None: not chosen.
        maximum: likewise.
        suites: of ``NEWEST`` and ``OLDER``.

    Raises:
        UserError: they contradict each other.
    """
    lowest = minimum or LINKS
    if maximum and VERSIONS[maximum] < VERSIONS[lowest]:
        why = "" if minimum else "links take tls1.3 or newer: "
        raise UserError(f"--tls-max-version {maximum}: {why}give --tls-min-version {maximum}, or lower, too")
    older = [name for name in suites if name in OLDER]
    if older and lowest != "tls1.2":
        raise UserError(f"--tls-ciphersuites: {older[0]} is of tls1.2: give --tls-min-version tls1.2, too")
    return TlsSettings(
        VERSIONS[minimum] if minimum else None,
        VERSIONS[maximum] if maximum else None,
        tuple(OLDER[name] for name in older),
    )
