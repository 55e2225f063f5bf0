"""Where our connection differs from the library's. Each test fails when a new h2 undoes one difference."""

from __future__ import annotations

import struct

import pytest
from h2.events import ConnectionTerminated, DataReceived, RequestReceived, StreamReset
from hyperframe.frame import DataFrame, Frame, PingFrame, SettingsFrame
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.errors import LocalProtocolError
from trio_argoagent.net.protocol import limits
from trio_argoagent.net.protocol.connection import Connection

REQUEST = [(":method", "POST"), (":scheme", "https"), (":authority", "x"), (":path", "/")]


def pair(server_limits: limits.Limits | None = None) -> tuple[Connection, Connection]:
    """A client and a server that have seen each other's SETTINGS."""
    client = Connection(client=True, allowed=limits.Limits())
    server = Connection(client=False, allowed=server_limits or limits.Limits())
    for _ in range(2):
        assert server.receive(client.data_to_send(), 0)[1] is None
        assert client.receive(server.data_to_send(), 0)[1] is None
    return client, server


def test_large_frames_are_accepted() -> None:
    """A 64 KiB frame passes, before and after the SETTINGS are acknowledged; one byte more does not."""
    client, server = pair()
    assert client.max_outbound_frame_size == server.max_inbound_frame_size == limits.FRAME
    client.send_headers(1, REQUEST)
    client.send_data(1, bytes(limits.FRAME))
    events, error = server.receive(client.data_to_send(), 0)
    assert error is None and any(isinstance(event, DataReceived) for event in events)
    _, error = server.receive(struct.pack(">IBI", (limits.FRAME + 1) << 8, 0, 1) + bytes(limits.FRAME + 1), 0)
    assert error is not None and "overlong" in str(error)


def test_header_lists_are_bounded() -> None:
    """A header list above 16 KiB ends the connection, though it was small on the wire."""
    client, server = pair()
    client.send_headers(1, [*REQUEST, *[("x", "y" * 100)] * 200])
    _, error = server.receive(client.data_to_send(), 0)
    assert error is not None


def test_frames_are_not_turned_into_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """No frame's ``repr`` is evaluated on the way in."""

    def refuse(frame: Frame) -> str:
        raise AssertionError("repr of a frame")

    monkeypatch.setattr(Frame, "__repr__", refuse)
    client, server = pair()
    client.send_headers(1, REQUEST)
    client.send_data(1, bytes(1000))
    assert server.receive(client.data_to_send(), 0)[1] is None


def test_streams_outlive_goaway() -> None:
    """After GOAWAY both ways, queued bytes leave and streams in progress carry on."""
    client, server = pair()
    client.send_headers(1, REQUEST)
    server.receive(client.data_to_send(), 0)
    client.send_data(1, b"queued")
    server.close_connection(last_stream_id=1)
    events, error = client.receive(server.data_to_send(), 0)
    assert error is None and isinstance(events[0], ConnectionTerminated)
    client.close_connection()
    events, error = server.receive(client.data_to_send(), 0)
    assert error is None and [e.data for e in events if isinstance(e, DataReceived)] == [b"queued"]
    server.send_headers(1, [(":status", "200")], end_stream=True)
    assert client.receive(server.data_to_send(), 0)[1] is None


def test_connection_window_does_not_wait_for_readers() -> None:
    """Bytes that nobody has read use up their stream's window, never the connection's."""
    client, server = pair(limits.Limits(connection_window=2 * limits.STREAM_WINDOW))
    for stream_id in (1, 3, 5, 7):
        client.send_headers(stream_id, REQUEST)
        for _ in range(limits.STREAM_WINDOW // limits.FRAME):
            client.send_data(stream_id, bytes(limits.FRAME))
            assert server.receive(client.data_to_send(), 0)[1] is None
            client.receive(server.data_to_send(), 0)
        assert client.local_flow_control_window(stream_id) == 0
    server.release(1, limits.STREAM_WINDOW)
    client.receive(server.data_to_send(), 0)
    assert client.local_flow_control_window(1) == limits.STREAM_WINDOW
    assert client.local_flow_control_window(3) == 0


def test_padding_is_given_back() -> None:
    """Padded frames do not shrink the connection's window for good."""
    client, server = pair(limits.Limits(connection_window=limits.STREAM_WINDOW))
    client.send_headers(1, REQUEST)
    for _ in range(5000):
        client.send_data(1, b"x", pad_length=255)
        events, error = server.receive(client.data_to_send(), 0)
        assert error is None
        server.release(1, sum(e.flow_controlled_length for e in events if isinstance(e, DataReceived)))
        client.receive(server.data_to_send(), 0)


def test_settings_are_bounded() -> None:
    """Too many entries end the connection; unknown ones are not kept; a huge HPACK table is not built."""
    _, server = pair()
    assert server.receive(unknown_settings(limits.SETTINGS_ENTRIES), 0)[1] is None
    assert not [code for code in server.remote_settings if code >= 0x100]
    assert server.receive(SettingsFrame(0, settings={1: 2**32 - 1}).serialize(), 0)[1] is None
    assert server.encoder.header_table_size == limits.HEADER_TABLE
    _, error = server.receive(unknown_settings(limits.SETTINGS_ENTRIES + 1), 0)
    assert error is not None and server.unsent > 0


def unknown_settings(entries: int) -> bytes:
    """A SETTINGS frame with ids that nobody has defined."""
    body = b"".join(struct.pack(">HI", 0x100 + number, 1) for number in range(entries))
    return struct.pack(">IBI", len(body) << 8 | 4, 0, 0) + body


def test_refused_headers_leave_no_trace() -> None:
    """Headers that must not be sent do not spoil the compression state of those that follow."""
    client, server = pair()
    with pytest.raises(LocalProtocolError):
        client.put_headers(1, [*REQUEST, ("x-secret", "1"), (":late", "no")], end=True)
    assert client.data_to_send() == b"" and client.open_outbound_streams == 0
    client.put_headers(3, [*REQUEST, ("x-good", "2")], end=True)
    client.put_headers(5, [*REQUEST, ("x-good", "2")], end=True)
    events, error = server.receive(client.data_to_send(), 0)
    requests = [event for event in events if isinstance(event, RequestReceived)]
    assert error is None and [dict(event.headers)[b"x-good"] for event in requests] == [b"2", b"2"]


def test_late_frames() -> None:
    """Frames for a stream that was reset here are ignored; for one that ended they are an error."""
    client, server = pair()
    client.send_headers(1, REQUEST)
    server.receive(client.data_to_send(), 0)
    server.reset_stream(1)
    client.send_data(1, b"late")
    assert server.receive(client.data_to_send(), 0) == ([], None)
    events, _ = client.receive(server.data_to_send(), 0)
    assert [event.stream_id for event in events if isinstance(event, StreamReset)] == [1]
    client.send_headers(3, REQUEST, end_stream=True)
    server.receive(client.data_to_send(), 0)
    server.send_headers(3, [(":status", "200")], end_stream=True)
    server.forget(3)
    _, error = server.receive(headers_of_3(), 0)
    assert error is not None


def headers_of_3() -> bytes:
    """HEADERS of a stream that has long ended."""
    return bytes.fromhex("000001010500000003") + b"\x82"


def test_good_events_before_an_error_are_kept() -> None:
    """What came before the first bad frame is delivered with the error."""
    client, server = pair()
    client.send_headers(1, REQUEST)
    bad = DataFrame(0x7FFFFFFE, b"x").serialize()
    events, error = server.receive(client.data_to_send() + bad, 0)
    assert error is not None and isinstance(events[0], RequestReceived)
    assert b"\x07" in server.data_to_send()


@settings(deadline=None, max_examples=150)
@given(st.binary(max_size=200), st.integers(0, 300))
def test_noise(noise: bytes, position: int) -> None:
    """Whatever a peer sends, there is no exception: events, or an error and a GOAWAY."""
    client, server = pair()
    client.send_headers(1, REQUEST)
    client.send_data(1, bytes(50), end_stream=True)
    good = client.data_to_send()
    position = min(position, len(good))
    _, error = server.receive(good[:position] + noise + good[position:], 0)
    if error is not None:
        assert server.unsent > 0


def test_so_many_frames_at_a_time() -> None:
    """However many arrive at once, some are looked at, and the rest when it is asked for."""
    _, server = pair()
    server.take()
    frame = PingFrame(0, opaque_data=bytes(8)).serialize()
    before, pings = server.frames, 2 * limits.FRAMES + 1
    server.receive(frame * pings + frame[:-1], 0)
    assert server.frames - before == limits.FRAMES and server.answers == limits.FRAMES and server.more
    server.receive(b"", 0)
    assert server.frames - before == 2 * limits.FRAMES and server.more
    server.receive(b"", 0)
    assert server.frames - before == pings and not server.more
    server.receive(frame[-1:], 0)
    assert server.frames - before == pings + 1 and not server.more
