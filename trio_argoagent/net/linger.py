"""The end of a connection that the peer should hear about.

Closing a socket with unread input makes the kernel send RST, which can destroy our last words on their way.
So: say that nothing follows, read until the peer has ended as well, and close; within a second.
"""

from __future__ import annotations

from typing import Final

import trio

from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.tls import TlsStream

LINGER: Final = 1.0
"""Seconds the peer has to end its side."""
_READ: Final = 64 * 1024


async def close_gently(stream: trio.abc.Stream, *, hurry: bool = False) -> None:
    """Close a stream so that what was sent arrives. It takes a second at most; when cancelled it just closes.

    Args:
        stream: nobody else uses it any more.
        hurry: the peer is gone: just close.
    """
    try:
        with trio.move_on_after(LINGER):
            if not hurry and isinstance(stream, TlsStream | trio.abc.HalfCloseableStream):
                await stream.send_eof()
                while await stream.receive_some(_READ):
                    pass
    except (ConnectionBroken, trio.BrokenResourceError, trio.ClosedResourceError):
        pass  # Gone: that is what closing is for.
    finally:
        await trio.aclose_forcefully(stream)
