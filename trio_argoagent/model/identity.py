"""Modes, names, and who a peer is."""

from __future__ import annotations

import enum
import math
import re
from typing import Final

import attrs

_DNS_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


class Mode(enum.StrEnum):
    """Which side owns the specs of an agent's objects."""

    MANAGED = "managed"
    AUTONOMOUS = "autonomous"


def is_dns_label(name: str) -> bool:
    """Is it an RFC 1123 label: what a namespace, and so an agent, may be called?"""
    return _DNS_LABEL.fullmatch(name) is not None


@attrs.frozen
class Peer:
    """Who is at the other end of a link, as TLS has proven it, never as it says itself."""

    name: str
    """The agent's name (from its certificate); on the agent's side the principal's host."""
    fingerprint: str = ""
    """SHA-256 of the peer's certificate, upper-case hexadecimal; empty where there is no TLS."""
    address: str = ""
    """``host:port``, for people: where it is reached, or has dialled from."""
    expires: float = math.inf
    """When the first certificate of its chain does (Unix time)."""
    issued: float = -math.inf
    """When what it has shown was issued (Unix time); minus infinity: nothing says so."""
    anchor: str = ""
    """The CA that it hangs on (``net.certificates.Facts.anchor``); empty where there is none."""
