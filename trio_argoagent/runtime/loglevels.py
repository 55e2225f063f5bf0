"""How much is logged, of the whole program and of parts of it: ``info`` or ``info,redis-proxy=debug``.

The spelling is argocd-agent's, and so are the names of its subsystems, which stand for the part of ours that
does the same.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from trio_argoagent.errors import UserError

TRACE: Final = 5
NUMBERS: Final = {
    "trace": TRACE,
    "debug": 10,
    "info": 20,
    "warning": 30,
    "error": 40,
    "fatal": 50,
}
"""Level -> its number, as the standard library's ``logging`` counts."""
LEVELS: Final = tuple(NUMBERS)
_SPELLINGS: Final = {"warn": "warning", "panic": "fatal"}


class Subsystem(enum.StrEnum):
    """A part of a program that has a level of its own."""

    RECORDS = "records"
    """What travels, and what becomes of it."""
    INFORMERS = "informers"
    """What the cluster shows."""
    LINK = "link"
    """The way to the other side."""
    IDENTITY = "identity"
    """Certificates, tokens, and who is let in."""
    DELETIONS = "deletions"
    """What is held, doubted and confirmed."""
    REDIS_PROXY = "redis-proxy"
    RESOURCE_PROXY = "resource-proxy"


SUBSYSTEMS: Final = tuple(each.value for each in Subsystem)
ALIASES: Final = {"grpc-event": Subsystem.RECORDS, "informer-event-buffer": Subsystem.INFORMERS}
"""argocd-agent's name -> ours, where they differ."""

EVENTS: Final[Mapping[Subsystem | None, tuple[str, ...]]] = {
    Subsystem.RECORDS: (
        "agent-error", "in-step", "intent-waits", "no-such-agent", "not-scoped", "sync-expired",
        "too-many-objects",
    ),
    Subsystem.INFORMERS: ("cluster-unreachable", "hub-unreachable"),
    Subsystem.LINK: (
        "connection-refused", "link-broken", "link-down", "link-ended", "link-moving", "link-outlived",
        "link-refused", "link-replaced", "link-up", "links-moving", "listening", "proxy", "tunnel-failed",
    ),
    Subsystem.IDENTITY: (
        "agent-contested", "agent-forgotten", "agent-pinned", "agent-registered", "agent-revoked",
        "agent-unusable", "agents-unknown", "banned", "blocklist-unknown", "blocklist-unusable",
        "ca-followed", "ca-not-followed", "ca-unknown", "certificate-expired", "certificate-expires",
        "certificate-issued", "certificate-renewed", "enrolled", "enrolment-failed", "enrolment-impossible",
        "renewal-failed", "renewal-off", "renewal-refused", "tls-doubtful", "tls-insecure", "tls-refused",
        "tls-rotated", "tls-unreadable", "token-ignored",
    ),
    Subsystem.DELETIONS: (
        "deletes-confirmed", "deletes-doubted", "deletes-held", "deletes-released", "tombstones-off",
        "tombstones-on",
    ),
    Subsystem.REDIS_PROXY: ("redis-found", "redis-lost", "redis-proxy", "redis-proxy-failed"),
    Subsystem.RESOURCE_PROXY: ("resource-proxy",),
    None: ("observing", "option-ignored", "traces-incomplete", "traces-lost", "traces-resumed"),
}  # fmt: skip
"""All events there are, by the subsystem that they count to; None: the program as such."""
_OF: Final = {name: subsystem for subsystem, names in EVENTS.items() for name in names}


def subsystem_of(event: str) -> Subsystem | None:
    """The subsystem that an event of this name counts to; None: the program as such."""
    return _OF.get(event)


@attrs.frozen
class Levels:
    """The least that is logged, as numbers.

    Attributes:
        default: of everything that is in no other.
        special: by subsystem.
    """

    default: int = NUMBERS["info"]
    special: Mapping[str, int] = attrs.field(factory=dict)

    def of(self, subsystem: object) -> int:
        """The least that is logged of this subsystem."""
        return self.special.get(str(subsystem), self.default) if self.special else self.default

    @property
    def lowest(self) -> int:
        """The least that is logged of any."""
        return min((self.default, *self.special.values()))


def parse(text: str) -> Levels:
    """Read an option: a level, or levels of subsystems, or both, joined by commas; nothing is ``info``.

    Raises:
        UserError: a level or a subsystem that there is not; the line names the choices.
    """
    default, special = NUMBERS["info"], {}
    for part in text.split(","):
        name, given, level = (each.strip() for each in part.lower().partition("="))
        if not (name or given):
            continue  # As after a comma at the end.
        if not given:
            default = _number(name)
            continue
        subsystem = ALIASES.get(name, name)
        if subsystem not in SUBSYSTEMS:
            known = ", ".join((*SUBSYSTEMS, *ALIASES))
            raise UserError(f"there is no subsystem {name!r}; choose from {known}")
        special[str(subsystem)] = _number(level)
    return Levels(default, special)


def _number(level: str) -> int:
    level = _SPELLINGS.get(level, level)
    if level not in NUMBERS:
        raise UserError(f"there is no level {level!r}; choose from {', '.join(LEVELS)}")
    return NUMBERS[level]
