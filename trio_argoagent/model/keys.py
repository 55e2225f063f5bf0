"""What names a replicated thing."""

from __future__ import annotations

import enum

import msgspec


class Kind(enum.StrEnum):
    """The kinds a feed can carry. A new kind is a new member here and a new row in ``sync.kinds``."""

    APPLICATION = "Application"
    APP_PROJECT = "AppProject"
    REPOSITORY = "Repository"
    """A Secret with the credentials of one repository."""
    REPO_CREDS = "RepoCreds"
    """A Secret with credentials for all repositories whose URL begins alike."""
    GPG_KEYS = "GPGKeys"
    """The ConfigMap with the public keys that commits may be signed with."""
    STATUS = "ApplicationStatus"
    """The status of an Application: a map of its own, so that both modes replicate it alike."""
    INTENT = "Intent"

    # An Enum's own is a function in Python, and part of the hash of each key.
    __hash__ = str.__hash__


class Verb(enum.StrEnum):
    """What an Intent asks for; part of its key, so a waiting sync never blocks the terminate."""

    SYNC = "sync"
    REFRESH = "refresh"
    HYDRATE = "hydrate"
    TERMINATE = "terminate"


class Feed(enum.StrEnum):
    """The two one-way maps of a link: ``desired`` flows to the agent, ``observed`` to the principal."""

    DESIRED = "desired"
    OBSERVED = "observed"


class Key(msgspec.Struct, frozen=True, order=True):
    """One entry of a feed, in spoke-side names.

    An Intent's key is that of its Application plus the verb; ``verb`` is empty for every other kind.
    """

    kind: Kind
    namespace: str
    name: str
    verb: str = ""

    def __str__(self) -> str:
        tail = f"#{self.verb}" if self.verb else ""
        return f"{self.kind}/{self.namespace}/{self.name}{tail}"

    def of(self, kind: Kind, verb: str = "") -> Key:
        """The key of another kind (or verb) about the same name."""
        return Key(kind, self.namespace, self.name, verb)
