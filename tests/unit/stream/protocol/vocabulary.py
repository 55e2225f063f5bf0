"""Hypothesis strategies for every message, and the plain value of each."""

import string
from collections.abc import Iterator
from typing import Any

import msgpack  # type: ignore[import-untyped]
from hypothesis import strategies as st
from msgspec import structs

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.records import AS_ASKED, Evidence, Holding, Outcome, Record, Result
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol import messages as m
from trio_argoagent.stream.protocol.payload import MAX_BODY, Encoding

LABELS = st.from_regex(r"[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?", fullmatch=True)
NAMES = st.lists(LABELS, min_size=1, max_size=3).map(".".join)
UIDS = st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=36)
DIGESTS = st.text("0123456789abcdef", min_size=1, max_size=32)
ASOFS = st.just("") | st.integers(0, 2**64).map(str)
ROOTS = st.binary(min_size=32, max_size=32)
NUMBERS = st.integers(0, 2**53)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=64)
REASONS = st.sampled_from(m.Reason)
SECONDS = st.floats(0, 86_400)
HIGHWATERS = st.lists(st.tuples(TEXTS, ASOFS), max_size=3).map(tuple)

INTENTS = st.builds(Key, st.just(Kind.INTENT), LABELS, NAMES, st.sampled_from(Verb))
PLAIN_KEYS = st.builds(
    Key, st.sampled_from([Kind.APPLICATION, Kind.APP_PROJECT]), LABELS | st.just(""), NAMES
)
KEYS = PLAIN_KEYS | INTENTS
HOLDINGS = st.builds(Holding, UIDS, DIGESTS | st.just(""))
BODIES = st.binary(max_size=600) | st.binary(min_size=1, max_size=20).map(lambda part: part * 200)
EVIDENCE = st.none() | st.sampled_from(Evidence)
VALUES = st.builds(Record, KEYS, UIDS, DIGESTS, ASOFS, BODIES, EVIDENCE, st.just("") | UIDS)
TOMBSTONES = st.builds(Record, KEYS, UIDS, st.just(""), ASOFS, st.none(), st.sampled_from(Evidence))
HELD = st.none() | st.just(AS_ASKED) | HOLDINGS
RESULTS = st.builds(Result, NUMBERS, st.sampled_from(Outcome), TEXTS, HELD, ASOFS)
TUNNELS = st.binary(min_size=16, max_size=16).map(bytes.hex)
FINGERPRINTS = ROOTS
SETS = st.just("") | st.text("0123456789abcdef", min_size=32, max_size=32)
VERSIONS = st.lists(st.integers(1, 65_535), min_size=2, max_size=2).map(lambda pair: tuple(sorted(pair)))

TIMES = ("", "2026-05-04T03:02:01Z")
STRATEGIES: dict[type[Any], st.SearchStrategy[Any]] = {
    m.Hello: st.builds(
        m.Hello,
        protocols=VERSIONS,
        capabilities=st.lists(TEXTS, max_size=3).map(tuple),
        version=TEXTS,
        instance=TEXTS,
        cluster_uid=UIDS,
        mode=st.sampled_from(Mode),
        namespace=LABELS,
        mapping=TEXTS,
        selector=TEXTS,
        incarnation=NUMBERS,
        root=ROOTS,
        asof=HIGHWATERS,
    ),
    m.Welcome: st.builds(
        m.Welcome,
        protocol=st.integers(1, 65_535),
        capabilities=st.lists(TEXTS, max_size=3).map(tuple),
        version=TEXTS,
        instance=TEXTS,
        principal_uid=UIDS,
        agent=LABELS,
        root=ROOTS,
        keepalive=SECONDS,
        asof=HIGHWATERS,
    ),
    m.Refuse: st.builds(m.Refuse, REASONS, TEXTS, SECONDS),
    m.RecordMessage: st.builds(m.RecordMessage, NUMBERS, VALUES | TOMBSTONES)
    | st.builds(m.RecordMessage, NUMBERS, VALUES, st.just(Encoding.ZSTD))
    | st.builds(
        m.RecordMessage,
        NUMBERS,
        VALUES,
        st.just(Encoding.PREFIX),
        st.integers(1, 2**53),
        st.just(0) | st.integers(5_000, MAX_BODY),
    ),
    m.Part: st.builds(m.Part, NUMBERS, st.binary(min_size=1, max_size=600)),
    m.Results: st.builds(m.Results, st.lists(RESULTS, max_size=4).map(tuple)),
    m.Have: st.builds(m.Have, st.lists(st.tuples(KEYS, st.none() | HOLDINGS), max_size=4).map(tuple)),
    m.Mark: st.builds(m.Mark, ROOTS),
    m.Buckets: st.builds(m.Buckets, st.binary(min_size=2048, max_size=2048)),
    m.Leaf: st.builds(
        m.Leaf,
        st.binary(max_size=256),
        st.lists(st.tuples(KEYS, HOLDINGS), max_size=4).map(tuple),
        st.booleans(),
    ),
    m.Ping: st.builds(m.Ping, st.binary(max_size=64)),
    m.Pong: st.builds(m.Pong, st.binary(max_size=64)),
    m.Drain: st.just(m.Drain()),
    m.Goodbye: st.builds(m.Goodbye, REASONS, TEXTS),
    m.Open: st.builds(
        m.Open,
        TUNNELS,
        LABELS,
        st.dictionaries(TEXTS.filter(bool), TEXTS, max_size=3).map(lambda given: tuple(given.items())),
        st.floats(0, 60),
    ),
    m.Decline: st.builds(m.Decline, TUNNELS, st.sampled_from(m.NoTunnel), TEXTS),
    m.View: st.builds(m.View, UIDS | st.just(""), DIGESTS | st.just(""), NUMBERS, st.booleans()),
    m.Held: st.builds(m.Held, SETS, TEXTS, NUMBERS, st.lists(KEYS, max_size=4).map(tuple)),
    m.Confirm: st.builds(m.Confirm, SETS),
    m.Trusted: st.builds(m.Trusted, st.lists(FINGERPRINTS, max_size=m.MAX_ROOTS).map(tuple)),
    m.Authorities: st.builds(
        m.Authorities,
        st.binary(max_size=100),
        FINGERPRINTS,
        st.lists(FINGERPRINTS, max_size=2).map(tuple),
    ),
    m.ClusterInfo: st.builds(m.ClusterInfo, NUMBERS, NUMBERS, NUMBERS, TEXTS, st.sampled_from(TIMES)),
}
MESSAGES = st.one_of(*STRATEGIES.values())

_KEY = Key(Kind.INTENT, "argocd", "guestbook", Verb.SYNC)
_HOLDING = Holding("u-1", "d1")
_RECORD = Record(_KEY, "u-1", "d1", "7", b'{"a":1}', None, "u-0")
EXAMPLES: dict[str, Any] = {
    "hello": m.Hello(
        (1, 2), ("a",), "1.0", "i", "c", Mode.MANAGED, "argocd", "namespace", "s", 3, bytes(32), (("A", "1"),)
    ),
    "welcome": m.Welcome(1, ("a",), "1.0", "i", "p", "a1", bytes(32), 30.0, (("A", "1"),)),
    "refuse": m.Refuse(m.Reason.MODE, "because", 1.0),
    "record": m.RecordMessage(1, _RECORD, Encoding.PREFIX, 7, 70_000),
    "part": m.Part(1, b"more"),
    "tombstone": m.RecordMessage(
        2, structs.replace(_RECORD, digest="", body=None, evidence=Evidence.INFERRED, replaces="")
    ),
    "results": m.Results((Result(1, Outcome.APPLIED, "why", _HOLDING, "8"),)),
    "have": m.Have(((_KEY, _HOLDING), (_KEY, None))),
    "mark": m.Mark(bytes(32)),
    "buckets": m.Buckets(bytes(2048)),
    "leaf": m.Leaf(b"\x07", ((_KEY, _HOLDING),), True),
    "ping": m.Ping(b"t"),
    "pong": m.Pong(b"t"),
    "drain": m.Drain(),
    "goodbye": m.Goodbye(m.Reason.SHUTDOWN, "bye"),
    "open": m.Open("0" * 32, "tcp", (("address", "a:1"),), 10.0),
    "decline": m.Decline("0" * 32, m.NoTunnel.FORBIDDEN, "because"),
    "view": m.View("n-1", "m", 7, True),
    "held": m.Held("0" * 32, "because", 3, (_KEY,)),
    "confirm": m.Confirm("0" * 32),
    "trusted": m.Trusted((b"\x01" * m.FINGERPRINT_SIZE, b"\x02" * m.FINGERPRINT_SIZE)),
    "authorities": m.Authorities(b"pem", b"\x02" * m.FINGERPRINT_SIZE, (b"\x01" * m.FINGERPRINT_SIZE,)),
    "cluster info": m.ClusterInfo(3, 40, 1234, "1.33", TIMES[1]),
}
"""One full message of each kind, by a name for people."""


def plain(message: m.Message) -> list[Any]:
    """The msgpack value of a message, changeable."""
    value = msgpack.unpackb(codec.encode(message))
    assert isinstance(value, list)
    return value


def leaves(value: Any, path: tuple[int, ...] = ()) -> Iterator[tuple[int, ...]]:
    """The path of every scalar in a plain value, but for the number of the message."""
    if isinstance(value, list):
        for index, item in enumerate(value):
            if path or index:
                yield from leaves(item, (*path, index))
    else:
        yield path


def replaced(value: Any, path: tuple[int, ...], new: Any) -> Any:
    """The plain value with one thing in it replaced."""
    if not path:
        return new
    return [replaced(item, path[1:], new) if i == path[0] else item for i, item in enumerate(value)]
