"""What one HTTP/2 connection may cost us, as the SETTINGS we announce and the sizes we keep."""

from __future__ import annotations

from typing import Final

import attrs

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
QUANTUM: Final = 64 * 1024
"""Bytes per send: less costs throughput, more costs the latency of the other streams."""
ROOM: Final = 256 * 1024
"""Bytes queued on a stream; from there on its sender waits."""
UNSENT_CONTROL: Final = 64 * 1024
"""Bytes of answers to the peer's control frames; above it we stop reading until they are sent."""
CLOSED_STREAMS: Final = 1024
"""Closed streams whose end is remembered, to tell late frames from nonsense."""


@attrs.frozen
class Limits:
    """What this side announces. The defaults fit a server of HTTP requests.

    Attributes:
        streams: streams the peer may have open.
        stream_window: bytes per stream.
        connection_window: bytes on all streams together.
        frame: bytes of one frame.
        header_list: bytes of one header list.
    """

    streams: int = STREAMS
    stream_window: int = STREAM_WINDOW
    connection_window: int = CONNECTION_WINDOW
    frame: int = FRAME
    header_list: int = HEADER_LIST
