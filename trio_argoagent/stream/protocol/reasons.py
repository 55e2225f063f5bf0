"""Why one side says no, for machines."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """Why a link is refused or ended, for machines. A value that we do not know is read as ``OTHER``."""

    VERSION = "version"
    """The two speak no version of the protocol in common."""
    MODE = "mode"
    """The agent is pinned to the other mode."""
    MAPPING = "mapping"
    """The two map namespaces or destinations differently: a flag differs."""
    SELECTOR = "selector"
    """The two select objects differently: a flag differs."""
    IDENTITY = "identity"
    """The certificate names nobody, or somebody else, or the name is pinned to another cluster."""
    DUPLICATE = "duplicate"
    """Another process of that name is connected, and stays."""
    REPLACED = "replaced"
    """Another process of that name has taken over."""
    MOVED = "moved"
    """The agent goes on over another connection."""
    UNKNOWN_AGENT = "unknown-agent"
    """The principal has no such agent."""
    NOT_READY = "not-ready"
    """Not yet: caches are filling, or this process does not lead."""
    REVOKED = "revoked"
    """The certificate or the name is blocked."""
    SHUTDOWN = "shutdown"
    """The process ends."""
    PROTOCOL = "protocol"
    """The other side broke the protocol."""
    INTERNAL = "internal"
    """Something failed here that is not the other side's fault."""
    OTHER = "other"
    """A reason of a later version: the detail says what it is."""


class NoTunnel(enum.StrEnum):
    """Why there will be no tunnel, for machines. A value that we do not know is read as ``OTHER``."""

    UNKNOWN_TARGET = "unknown-target"
    """The agent has nothing of that name that a tunnel could lead to."""
    FORBIDDEN = "forbidden"
    """The agent's configuration does not allow it."""
    UNREACHABLE = "unreachable"
    """What it leads to does not answer."""
    TOO_MANY = "too-many"
    """The link has as many as it may."""
    NOT_AWAITED = "not-awaited"
    """The principal does not wait for it: not any more, or it never did."""
    TIMEOUT = "timeout"
    """It was not opened in time."""
    NOT_CONNECTED = "not-connected"
    """The agent has no link now."""
    UNSUPPORTED = "unsupported"
    """The agent's version has no tunnels."""
    OTHER = "other"
    """A reason of a later version: the detail says what it is."""
