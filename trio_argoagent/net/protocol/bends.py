"""Small parts of the protocol library that ``connection`` replaces."""

from __future__ import annotations

from typing import Any, Final

from h2.connection import ConnectionInputs, ConnectionState, H2ConnectionStateMachine
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hpack import Encoder, HPACKError

UNDECODABLE: Final = (HPACKError, IndexError, TypeError, UnicodeDecodeError)
"""What hpack raises for a header block that cannot be decoded, as h2 sees it."""


class CompressionError(ProtocolError):
    """A header block that cannot be decompressed (RFC 9113 section 4.3)."""

    error_code = ErrorCodes.COMPRESSION_ERROR


class OutlivesGoaway(H2ConnectionStateMachine):
    """A connection that GOAWAY does not end: its streams finish (section 6.8)."""

    _transitions = H2ConnectionStateMachine._transitions | {
        (state, goaway): (None, state)
        for state in (ConnectionState.IDLE, ConnectionState.CLIENT_OPEN, ConnectionState.SERVER_OPEN)
        for goaway in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY)
    }


class PlainEncoder(Encoder):
    """Without Huffman coding."""

    def encode(self, headers: Any, huffman: bool = False) -> bytes:
        """See ``Encoder``."""
        return super().encode(headers, huffman)
