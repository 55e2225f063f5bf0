"""The vocabulary of a link: everything that two sides can say to each other.

A feed is implied by the direction: a record that the principal sends belongs to ``desired``, one that the
agent sends to ``observed``. What answers it (results, holdings, leaves) flows the other way.

What may be said when stands in ``handshake``; how it looks on the wire in ``vocabulary`` and ``codec``.
"""

from __future__ import annotations

from typing import Final

import msgspec

from trio_argoagent.model.discreet import Discreet
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key
from trio_argoagent.model.records import Holding, Record, Result
from trio_argoagent.stream.protocol.payload import Encoding
from trio_argoagent.stream.protocol.reasons import NoTunnel as NoTunnel
from trio_argoagent.stream.protocol.reasons import Reason as Reason

MAX_ENTRIES: Final = 256
"""Entries of one results, have or leaf message: a longer list goes out as several messages.

Small on purpose: a msgpack array is allocated from its header, before its contents are seen.
"""
MAX_LINE: Final = 1024
"""Characters of a text for people (a detail, a reason); a longer one is cut when it is sent."""
MAX_PART: Final = 64 * 1024
"""Bytes of a record's data that travel at once, where both ends know of parts."""
MAX_TOKEN: Final = 64
"""Bytes of a ping's token."""
MAX_ROOTS: Final = 16
"""Authorities that are trusted at once."""
MAX_BUNDLE: Final = 64 * 1024
"""Bytes of their certificates (PEM)."""
FINGERPRINT_SIZE: Final = 32
"""Bytes of a certificate's SHA-256."""
ROOT_SIZE: Final = 32
"""Bytes of a root hash (SHA-256)."""
BUCKETS: Final = 256
"""Buckets of a feed."""
BUCKET_SIZE: Final = 8
"""Bytes of one bucket's hash."""
SET_SIZE: Final = 32
"""Characters of the name of a held set."""
MAX_METADATA: Final = 16
"""Entries of what is said about a tunnel that is asked for."""
MAX_VALUE: Final = 1024
"""Characters of one of them."""

Highwater = tuple[tuple[str, str], ...]
"""Per kind the resourceVersion up to which a side has seen it: ``(("Application", "1234"), ...)``.

Kinds are plain text here, because this is said before a version is agreed on.
"""


class Hello(msgspec.Struct, frozen=True):
    """The agent's first message.

    Attributes:
        protocols: the oldest and the newest protocol version that it speaks.
        capabilities: what it can do beyond the version; unknown ones are ignored.
        version: of the software, for people.
        instance: random id of this process.
        cluster_uid: uid of the namespace kube-system of its cluster.
        mode: who owns the specs.
        namespace: where it keeps Argo CD's objects.
        mapping: how hub objects find it ("namespace").
        selector: the label selector of what it replicates; empty: everything.
        incarnation: counts the restores of its cluster.
        root: hash of all that it holds of ``desired``.
        asof: per kind the newest ``asof`` it has seen from the principal.
    """

    protocols: tuple[int, int]
    capabilities: tuple[str, ...]
    version: str
    instance: str
    cluster_uid: str
    mode: Mode
    namespace: str
    mapping: str
    selector: str
    incarnation: int
    root: bytes
    asof: Highwater = ()


class Welcome(msgspec.Struct, frozen=True):
    """The principal accepts.

    Attributes:
        protocol: the version to speak.
        capabilities: those that both have.
        version: of the software, for people.
        instance: random id of this process.
        principal_uid: uid of the hub, as it goes into the annotation principal-uid.
        agent: the agent's name, as its certificate has proven it.
        root: hash of all that the principal holds of ``observed``.
        keepalive: seconds between marks, and between pings of a silent link.
        asof: per kind the newest ``asof`` it has seen from the agent.
    """

    protocol: int
    capabilities: tuple[str, ...]
    version: str
    instance: str
    principal_uid: str
    agent: str
    root: bytes
    keepalive: float
    asof: Highwater = ()


class Refuse(msgspec.Struct, frozen=True):
    """The principal will not have this agent.

    Attributes:
        reason: for machines.
        detail: one line for people: what is wrong and what to do.
        retry_after: seconds to wait before dialling again; 0: as the agent likes.
    """

    reason: Reason
    detail: str
    retry_after: float = 0.0


class RecordMessage(msgspec.Struct, frozen=True):
    """A value of the sender's feed. Its result names the same link-local number.

    Attributes:
        number: of the record.
        record: its body is the data that the encoding says how to read, or as much of it as is here.
        encoding: of the body.
        base: the number of the record of the same key whose body this one refers to; 0: it refers to none.
        length: bytes of the data, where the rest of it comes in parts; 0: all of it is here.
    """

    number: int
    record: Record
    encoding: Encoding = Encoding.PLAIN
    base: int = 0
    length: int = 0


class Part(Discreet, frozen=True):
    """More of the data of the record of that number, which has begun and is not whole yet."""

    number: int
    data: bytes


class Results(msgspec.Struct, frozen=True):
    """What became of records. At most ``MAX_ENTRIES``."""

    results: tuple[Result, ...]


class Have(msgspec.Struct, frozen=True):
    """The replica's holdings have changed for another cause than a record. None: it holds nothing there.

    Relative to the listing that was sent on this link, and in one order with the results.
    """

    entries: tuple[tuple[Key, Holding | None], ...]


class Mark(msgspec.Struct, frozen=True):
    """The root of what the sender's replica holds, in one order with its results and holdings.

    The source compares it with what it believes to be held: a continuous check.
    """

    root: bytes


class Buckets(msgspec.Struct, frozen=True):
    """The source's bucket hashes, ``BUCKETS`` of ``BUCKET_SIZE`` bytes; the replica answers with leaves."""

    hashes: bytes


class Leaf(msgspec.Struct, frozen=True):
    """What the replica holds in the buckets that differ.

    Attributes:
        buckets: the numbers of those buckets, one byte each; one may be listed and hold nothing. Only the
            first leaf of a listing names them.
        entries: at most ``MAX_ENTRIES``.
        last: the listing is complete; buckets that it did not name are equal.
    """

    buckets: bytes
    entries: tuple[tuple[Key, Holding], ...]
    last: bool


class Ping(msgspec.Struct, frozen=True):
    """Are you there? For middleboxes that swallow the pings of HTTP/2."""

    token: bytes


class Pong(msgspec.Struct, frozen=True):
    """Yes: the ping's own token."""

    token: bytes


class Drain(msgspec.Struct, frozen=True):
    """The principal wants the agent on another connection: dial again first, then say goodbye here."""


class Goodbye(msgspec.Struct, frozen=True):
    """The sender says nothing more on this link, and why."""

    reason: Reason
    detail: str


class Open(msgspec.Struct, frozen=True):
    """The principal wants a tunnel: the agent opens it, or declines.

    Attributes:
        tunnel_id: what it is opened under; good once, on this link.
        target: what it shall lead to, by a name that the agent knows.
        metadata: what the target needs to know, at most ``MAX_METADATA`` names with their values.
        within: seconds in which it must be open.
    """

    tunnel_id: str
    target: str
    metadata: tuple[tuple[str, str], ...]
    within: float


class Decline(msgspec.Struct, frozen=True):
    """The agent does not open that tunnel, and why."""

    tunnel_id: str
    reason: NoTunnel
    detail: str


class View(msgspec.Struct, frozen=True):
    """What the sender's feed is a view of: a receiver believes no inferred deletion of another one.

    Said before any record, and again when it changes. Empty: not known, and no reason to doubt.

    Attributes:
        namespace: uid of the namespace that the sender's objects lie in.
        mapping: hash of what selects and maps them.
        sessions: counts its links with this peer; kept in the sender's cluster, so a restore takes it back.
        settled: the receiver has been found to hold all that it should, and nothing else, on this link; not
            said any more once ``namespace`` or ``mapping`` has changed.
    """

    namespace: str
    mapping: str
    sessions: int
    settled: bool = False


class Held(msgspec.Struct, frozen=True):
    """Deletions that the sender's replica does not carry out until a person confirms them.

    Attributes:
        name: of the set, for the confirmation; empty: nothing is held.
        reason: for people.
        total: how many there are.
        keys: the first ``MAX_ENTRIES`` of them, in order.
    """

    name: str
    reason: str
    total: int
    keys: tuple[Key, ...]


class Confirm(msgspec.Struct, frozen=True):
    """A person on the hub wants the deletions of this set carried out."""

    name: str


class ClusterInfo(msgspec.Struct, frozen=True):
    """What the agent's cluster holds, for Argo CD's UI. It says how things are, and replaces what was said.

    Attributes:
        applications: how many Applications.
        apis: kinds of objects that Argo CD's cluster cache watches there; 0: not known.
        resources: objects that it has seen; 0: not known.
        version: of its Kubernetes API; empty: not known.
        synced: when that cache was built (RFC 3339, UTC); empty: not known.
    """

    applications: int
    apis: int = 0
    resources: int = 0
    version: str = ""
    synced: str = ""


class Trusted(msgspec.Struct, frozen=True):
    """Which authorities the agent takes the principal's certificate from. It replaces what was said.

    Attributes:
        roots: SHA-256 of each one's certificate, in order.
    """

    roots: tuple[bytes, ...]


class Authorities(msgspec.Struct, frozen=True):
    """The hub's authorities while one takes over from another, and later for whoever trusts what was dropped.

    It replaces what was said.

    Attributes:
        pem: their certificates: the agent is to trust them, whatever it trusts besides.
        signer: SHA-256 of the one that issues now: a certificate of another one is renewed at once.
        dropped: SHA-256 of those that are to be trusted no more.
    """

    pem: bytes
    signer: bytes
    dropped: tuple[bytes, ...] = ()


Message = (
    Hello
    | Welcome
    | Refuse
    | RecordMessage
    | Part
    | Results
    | Have
    | Mark
    | Buckets
    | Leaf
    | Ping
    | Pong
    | Drain
    | Goodbye
    | Open
    | Decline
    | View
    | Held
    | Confirm
    | ClusterInfo
    | Trusted
    | Authorities
)
"""Anything that can be said."""
