"""A small part of the protocol library that ``connection`` replaces."""

from __future__ import annotations

from h2.connection import ConnectionInputs, ConnectionState, H2ConnectionStateMachine


class OutlivesGoaway(H2ConnectionStateMachine):
    """A connection that GOAWAY does not end: its streams finish (section 6.8)."""

    _transitions = H2ConnectionStateMachine._transitions | {
        (state, goaway): (None, state)
        for state in (ConnectionState.IDLE, ConnectionState.CLIENT_OPEN, ConnectionState.SERVER_OPEN)
        for goaway in (ConnectionInputs.SEND_GOAWAY, ConnectionInputs.RECV_GOAWAY)
    }
