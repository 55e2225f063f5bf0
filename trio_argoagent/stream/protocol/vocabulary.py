"""The vocabulary as one table: the number on the wire, the class, and the shape of each field.

A frame is the msgpack array ``[number, field, ...]``. Fields are only ever added, at the end, and numbers
are never used again. Numbers below 128 are understood or the link ends; from 128 on they may be ignored,
so that a later version can add what an older one can do without.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import AS_ASKED, Evidence, Holding, Outcome, Record, Result
from trio_argoagent.ports.transport import TUNNEL_ID
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.compiled import Bind, Source
from trio_argoagent.stream.protocol.fields import Fields
from trio_argoagent.stream.protocol.payload import MAX_BODY, Encoding
from trio_argoagent.stream.protocol.shapes import (
    Blob,
    Choice,
    Code,
    Decimal,
    Flag,
    Line,
    Many,
    Optional,
    Pair,
    Seconds,
    Text,
    Whole,
    broken,
)

IGNORED_FROM: Final = 128
"""Unknown numbers from here on are ignored."""
MAX_NUMBER: Final = 2**53
"""The last number of a record on one link, and of any other counter."""
MAX_SELECTOR: Final = 1024
"""Characters of a label selector that travels."""

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-.a-z0-9]*[a-z0-9])?")

# Names become parts of URLs and of other objects' names: what is no Kubernetes name ends here.
NAMESPACE = Text(63, 0, re.compile(f"({_LABEL.pattern})?"), "a namespace")
NAME = Text(253, 1, _SUBDOMAIN, "a name")
AGENT = Text(63, 1, _LABEL, "an agent's name")
UID = Text(128, 1, None, "a uid")
DIGEST = Text(128, 1, None, "a digest")
ASOF = Decimal(32, "a decimal resourceVersion")
SHORT = Text(64)
LINE = Line(m.MAX_LINE)
ROOT = Blob(m.ROOT_SIZE, m.ROOT_SIZE)
FINGERPRINT = Blob(m.FINGERPRINT_SIZE, m.FINGERPRINT_SIZE)
TOKEN = Blob(m.MAX_TOKEN)
TUNNEL = Text(2 * TUNNEL_ID, 2 * TUNNEL_ID, re.compile(r"[0-9a-f]*"), "the id of a tunnel")
METADATA = Many(Pair(Text(64, 1), Text(m.MAX_VALUE)), m.MAX_METADATA)
SET = Text(m.SET_SIZE, 0, re.compile(r"([0-9a-f]{32})?"), "the name of a set")
TIME = Text(20, 0, re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z)?"), "a time")
CAPABILITIES = Many(SHORT, 64)
HIGHWATER = Many(Pair(SHORT, ASOF), 64)
VERSION = Whole(1, 65_535)
DAY: Final = 86_400.0


# Members by a name of their own: to look one up in its class costs more than all the rest of a check.
_INTENT: Final = Kind.INTENT
_PLAIN, _PREFIX = Encoding.PLAIN, Encoding.PREFIX


def _check_key(key: Key) -> None:
    if (key.kind is _INTENT) != bool(key.verb):
        raise broken("a verb in the key of an Intent, and only there", "verb")


def _check_record(record: Record) -> None:
    """A value has a digest, a tombstone has none but evidence. So may a value that makes a copy go."""
    tombstone = record.body is None  # the property, without its call
    if tombstone and record.evidence is None:
        raise broken("evidence in a tombstone", "evidence")
    if tombstone != (not record.digest):
        raise broken("a digest with a body, and none without", "digest")


def _check_message(message: m.RecordMessage) -> None:
    """Who refers says to what, and what comes in parts begins with fewer bytes than it has."""
    if (message.encoding is _PREFIX) == (not message.base):
        raise broken("a base where the encoding needs one, and only there", "base")
    body = message.record.body
    if body is None and message.encoding is not _PLAIN:
        raise broken("no encoding of what is not there", "encoding")
    if message.length and (body is None or len(body) >= message.length):
        raise broken("more bytes than are here, or 0", "length")


def _check_hello(hello: m.Hello) -> None:
    if hello.protocols[0] > hello.protocols[1]:
        raise broken("the oldest version, then the newest", "protocols")


class _Verb:
    """A verb, or nothing."""

    _known = frozenset(["", *Verb])

    def read(self, value: object) -> str:
        if type(value) is not str or value not in self._known:
            raise broken("a verb or nothing")
        return value

    def write(self, value: str) -> object:
        return self.read(str(value))

    def reading(self, bind: Bind) -> Source:
        return Source("True", f'"" if @ == "" else {bind(self.read)}(@)')

    def writing(self, bind: Bind) -> Source:
        return Source("True", f'"" if @ == "" else {bind(self.write)}(@)')


KEY: Fields[Key] = Fields(Key, _check_key, kind=Choice(Kind), namespace=NAMESPACE, name=NAME, verb=_Verb())
REMEMBERED: Final = 4096
"""Keys that are remembered, some 300 bytes each: links name the same objects over and over."""


class _Remembered:
    """The key of a record: read or written once, then known."""

    read, write = staticmethod(KEY.read), staticmethod(KEY.write)

    def reading(self, bind: Bind) -> Source:
        # With more fields than we know it is not remembered: they may be large.
        fields = len(KEY.names)
        remembered = bind(lru_cache(REMEMBERED)(KEY.read))
        return Source(f"type(@) is tuple and len(@) == {fields}", f"{remembered}(@)")

    def writing(self, bind: Bind) -> Source:
        remembered = bind(lru_cache(REMEMBERED)(KEY.write))
        return Source(f"type(@) is {bind(Key)}", f"{remembered}(@)")


HOLDING: Fields[Holding] = Fields(Holding, uid=UID, digest=Text(128))
RECORD: Fields[Record] = Fields(
    Record,
    _check_record,
    key=_Remembered(),
    uid=UID,
    digest=Text(128),
    asof=ASOF,
    body=Optional(Blob(MAX_BODY)),
    evidence=Optional(Choice(Evidence)),
    replaces=Text(128),
)


class _Held:
    """What a result says is held: nothing, what was asked, or something else."""

    def read(self, value: object) -> Holding | None:
        if value is None:
            return None
        return AS_ASKED if value is True else HOLDING.read(value)

    def write(self, value: Holding | None) -> object:
        if value is None:
            return None
        return True if value == AS_ASKED else HOLDING.write(value)

    def reading(self, bind: Bind) -> Source:
        return Source("True", f"{bind(AS_ASKED)} if @ is True else {bind(self.read)}(@)")

    def writing(self, bind: Bind) -> Source:
        return Source("True", f"True if @ == {bind(AS_ASKED)} else {bind(self.write)}(@)")


RESULT: Fields[Result] = Fields(
    Result,
    number=Whole(0, MAX_NUMBER),
    outcome=Choice(Outcome),
    reason=LINE,
    holding=_Held(),
    asof=ASOF,
)
REASON = Choice(m.Reason, other=m.Reason.OTHER)
NO_TUNNEL = Choice(m.NoTunnel, other=m.NoTunnel.OTHER)
MINUTE: Final = 60.0
TARGET = Text(63, 1, _LABEL, "a target")

HELLO: Fields[m.Hello] = Fields(
    m.Hello,
    _check_hello,
    protocols=Pair(VERSION, VERSION),
    capabilities=CAPABILITIES,
    version=SHORT,
    instance=SHORT,
    cluster_uid=UID,
    mode=Choice(Mode),
    namespace=NAMESPACE,
    mapping=SHORT,
    selector=Text(MAX_SELECTOR),
    incarnation=Whole(0, MAX_NUMBER),
    root=ROOT,
    asof=HIGHWATER,
)
WELCOME: Fields[m.Welcome] = Fields(
    m.Welcome,
    protocol=VERSION,
    capabilities=CAPABILITIES,
    version=SHORT,
    instance=SHORT,
    principal_uid=UID,
    agent=AGENT,
    root=ROOT,
    keepalive=Seconds(DAY),
    asof=HIGHWATER,
)

TYPES: Final[dict[int, tuple[type[Any], Fields[Any]]]] = {
    1: (m.Hello, HELLO),
    2: (m.Welcome, WELCOME),
    3: (m.Refuse, Fields(m.Refuse, reason=REASON, detail=LINE, retry_after=Seconds(DAY))),
    4: (
        m.RecordMessage,
        Fields(
            m.RecordMessage,
            _check_message,
            number=Whole(0, MAX_NUMBER),
            record=RECORD,
            encoding=Code(Encoding),
            base=Whole(0, MAX_NUMBER),
            length=Whole(0, MAX_BODY),
        ),
    ),
    5: (m.Results, Fields(m.Results, results=Many(RESULT, m.MAX_ENTRIES))),
    6: (m.Have, Fields(m.Have, entries=Many(Pair(KEY, Optional(HOLDING)), m.MAX_ENTRIES))),
    7: (m.Mark, Fields(m.Mark, root=ROOT)),
    8: (m.Buckets, Fields(m.Buckets, hashes=Blob(*[m.BUCKETS * m.BUCKET_SIZE] * 2))),
    9: (
        m.Leaf,
        Fields(
            m.Leaf,
            buckets=Blob(m.BUCKETS),
            entries=Many(Pair(KEY, HOLDING), m.MAX_ENTRIES),
            last=Flag(),
        ),
    ),
    10: (m.Ping, Fields(m.Ping, token=TOKEN)),
    11: (m.Pong, Fields(m.Pong, token=TOKEN)),
    12: (m.Drain, Fields(m.Drain)),
    13: (m.Goodbye, Fields(m.Goodbye, reason=REASON, detail=LINE)),
    14: (m.Part, Fields(m.Part, number=Whole(0, MAX_NUMBER), data=Blob(m.MAX_PART, 1))),
    16: (
        m.Open,
        Fields(
            m.Open,
            tunnel_id=TUNNEL,
            target=TARGET,
            metadata=METADATA,
            within=Seconds(MINUTE),
        ),
    ),
    17: (m.Decline, Fields(m.Decline, tunnel_id=TUNNEL, reason=NO_TUNNEL, detail=LINE)),
    128: (
        m.View,
        Fields(
            m.View,
            namespace=Text(128),
            mapping=Text(128),
            sessions=Whole(0, MAX_NUMBER),
            settled=Flag(),
        ),
    ),
    129: (
        m.Held,
        Fields(m.Held, name=SET, reason=LINE, total=Whole(0, MAX_NUMBER), keys=Many(KEY, m.MAX_ENTRIES)),
    ),
    130: (m.Confirm, Fields(m.Confirm, name=SET)),
    131: (
        m.ClusterInfo,
        Fields(
            m.ClusterInfo,
            applications=Whole(0, MAX_NUMBER),
            apis=Whole(0, MAX_NUMBER),
            resources=Whole(0, MAX_NUMBER),
            version=SHORT,
            synced=TIME,
        ),
    ),
    132: (m.Trusted, Fields(m.Trusted, roots=Many(FINGERPRINT, m.MAX_ROOTS))),
    133: (
        m.Authorities,
        Fields(
            m.Authorities,
            pem=Blob(m.MAX_BUNDLE),
            signer=FINGERPRINT,
            dropped=Many(FINGERPRINT, m.MAX_ROOTS),
        ),
    ),
}
"""Number to class and shape."""

NUMBERS: Final[dict[type[Any], int]] = {made: number for number, (made, _) in TYPES.items()}
"""Class to number."""
