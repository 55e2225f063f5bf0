"""What one HTTP/2 connection may cost us: the SETTINGS we announce, the sizes we keep, the time we wait."""

from __future__ import annotations

import math
from typing import Final

import attrs

from trio_argoagent.net.protocol.budgets import Budget, Rate

STREAM_WINDOW: Final = 256 * 1024
"""Bytes a peer may send on a stream ahead of its reader."""
WIDE_WINDOW: Final = 1024 * 1024
"""Bytes, for the few streams that carry bulk: 1 MiB at 50 ms round trip is 21 MB/s."""
CONNECTION_WINDOW: Final = 16 * 1024 * 1024
"""Bytes on all streams of a connection that may be on the way to us; re-opened on receipt."""
FRAME: Final = 64 * 1024
"""Bytes of one frame. 64 KiB costs a third of the default's CPU; larger loses again."""
HEADER_LIST: Final = 16 * 1024
"""Bytes of one header list, uncompressed."""
HEADER_TABLE: Final = 4096
"""Bytes of HPACK state, either way: a peer that offers more does not get it."""
STREAMS: Final = 256
"""Streams a peer may have open: an API client keeps all its watches on one connection."""
SETTINGS_ENTRIES: Final = 32
"""Entries of one SETTINGS frame; each unknown one would be kept for ever."""
CONTINUATIONS: Final = 8
"""CONTINUATION frames of one header block."""
QUANTUM: Final = 64 * 1024
"""Bytes per send: less costs throughput, more costs the latency of the other streams."""
ROOM: Final = 256 * 1024
"""Bytes queued on a stream; from there on its sender waits."""
QUEUED: Final = 4 * 1024 * 1024
"""Bytes queued on all streams of a connection; from there on a stream has room only when it has nothing."""
UNSENT_CONTROL: Final = 64 * 1024
"""Bytes of answers to the peer's control frames; above it we stop reading until they are sent."""
UNSENT_FRAMES: Final = 1000
"""Frames of such answers, likewise."""
FRAMES: Final = 256
"""Frames looked at before the bounds above are, and before others get their turn: some two milliseconds. It
is not a number of bytes, which would cut the frames of bulk."""
CLOSED_STREAMS: Final = 1024
"""Closed streams whose end is remembered, to tell late frames from nonsense."""
NEVER: Final = math.inf
"""Seconds that do not pass."""


@attrs.frozen
class Patience:
    """How long a peer may take, in seconds.

    Attributes:
        settings: until its preface and SETTINGS.
        send: for one send of about 64 KiB to get through.
        stalled: that a stream's bytes may wait for the peer to open its window.
        silence: without a byte from it, until it is sent a PING.
        answer: after that PING, until it counts as gone; 0: no PING is sent, it counts as gone at once.
        idle: that it may be connected without a stream.
    """

    settings: float = 5.0
    send: float = 30.0
    stalled: float = 60.0
    silence: float = 30.0
    answer: float = 20.0
    idle: float = 300.0


_REQUESTS: Final = Budget(resets=Rate(1000, 100))
_PATIENT: Final = Patience()


@attrs.frozen
class Limits:
    """What this side announces, and what its peer may cost it. The defaults fit a server of HTTP requests.

    Attributes:
        streams: streams the peer may have open.
        stream_window: bytes per stream.
        connection_window: bytes on all streams together.
        frame: bytes of one frame.
        header_list: bytes of one header list.
        budget: frames that bring nothing.
        patience: time.
    """

    streams: int = STREAMS
    stream_window: int = STREAM_WINDOW
    connection_window: int = CONNECTION_WINDOW
    frame: int = FRAME
    header_list: int = HEADER_LIST
    budget: Budget = _REQUESTS
    patience: Patience = _PATIENT


CLIENT: Final = Limits(budget=Budget(resets=Rate(10_000, 1000)), patience=Patience(idle=NEVER))
"""For whoever dials: it knows whom, and what comes back is bounded by what it has asked for."""
PRINCIPAL: Final = Limits(
    budget=Budget(resets=Rate(256, 10), pings=Rate(4, 0.1)),
    patience=Patience(silence=75.0, answer=0.0, idle=10.0),
)
"""For the port that agents dial: each opens a link at once, a few tunnels now and then, and keeps itself
alive. A PING every ten seconds is expected, three that come sooner are forgiven. All of 64 tunnels may be
reset at once, and four times over: the service that they lead to has stopped."""
