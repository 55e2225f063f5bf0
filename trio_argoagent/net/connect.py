"""CONNECT: a tunnel through an HTTP proxy, and why there is none (RFC 9110, section 9.3.6).

Whoever reads the error has set a variable or a kubeconfig, and often cannot ask the proxy: each answer is
translated into what to do.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import Final

import h11
import trio

from trio_argoagent.net.address import format_address
from trio_argoagent.net.contexts import client_context
from trio_argoagent.net.dialling import Connect
from trio_argoagent.net.errors import ConnectionBroken, ProxyFailed
from trio_argoagent.net.protocol.fields import one_line
from trio_argoagent.net.proxy import Proxy
from trio_argoagent.net.sockets import hold_to_timeout
from trio_argoagent.net.tls import TlsStream

HEAD: Final = 16 * 1024
"""Bytes of a proxy's answer."""
ANSWER_TIMEOUT: Final = 8.0
"""Seconds for the proxy to be reached and to agree: less than whoever dials has, so the proxy is named."""

_NO_CONNECT: Final = "it takes no CONNECT: is this address that of a forward proxy?"
_NO_WAY: Final = "it cannot reach {target}: check host and port, and whether the proxy can resolve the name"
_REMEDIES: Final[Mapping[int, str]] = {
    400: _NO_CONNECT,
    403: "it does not allow {target}: have it allowed there, or put the host into NO_PROXY",
    404: _NO_CONNECT,
    405: _NO_CONNECT,
    501: _NO_CONNECT,
    502: _NO_WAY,
    503: _NO_WAY,
    504: _NO_WAY,
}
"""By the status of its answer; 407 is told by whether it was given a password."""
_NO_PASSWORD: Final = "it wants a user and a password; write its URL as http://user:password@host:port"
_BAD_PASSWORD: Final = "it does not accept the user and the password in its URL"


def tunnel(proxy: Proxy, connect: Connect = trio.open_tcp_stream) -> Connect:
    """Connections through this proxy instead of straight ones: give it to whoever dials.

    Args:
        proxy: which.
        connect: how the proxy itself is reached.

    Returns:
        A ``Connect`` that raises ``ProxyFailed`` when the proxy is not there or refuses.
    """

    async def through(host: str, port: int) -> trio.abc.Stream:
        target = format_address(host, port)
        try:
            with trio.fail_after(ANSWER_TIMEOUT):
                return await _through(proxy, connect, target)
        except trio.TooSlowError as exc:
            raise _failed(proxy, f"no answer within {ANSWER_TIMEOUT:g} s", nobody=True) from exc

    return through


async def _through(proxy: Proxy, connect: Connect, target: str) -> trio.abc.Stream:
    try:
        stream = await connect(proxy.host, proxy.port)
    except OSError as exc:
        raise _failed(proxy, f"{exc}: check its address", nobody=True) from exc
    hold_to_timeout(stream)
    try:
        if proxy.tls:
            stream = TlsStream(stream, _context(), server_hostname=proxy.host)
            await stream.do_handshake()
        await _ask(stream, proxy, target)
    except (ConnectionBroken, trio.BrokenResourceError) as exc:
        await trio.aclose_forcefully(stream)
        raise _failed(proxy, str(exc) or "it hung up") from exc
    except h11.RemoteProtocolError as exc:
        await trio.aclose_forcefully(stream)
        raise _failed(proxy, "it does not speak HTTP: check its address, and http:// or https://") from exc
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream


def _context() -> ssl.SSLContext:
    return client_context(ca=None, certificate=None, key=None, alpn=("http/1.1",))


async def _ask(stream: trio.abc.Stream, proxy: Proxy, target: str) -> None:
    """CONNECT; return once the proxy has agreed.

    Raises:
        ProxyFailed: it has not.
        h11.RemoteProtocolError: it is no HTTP that it speaks.
    """
    headers = [("host", target)]
    if proxy.authorization:
        headers.append(("proxy-authorization", proxy.authorization))
    talk = h11.Connection(h11.CLIENT, max_incomplete_event_size=HEAD)
    asked = talk.send(h11.Request(method="CONNECT", target=target, headers=headers)) or b""
    await stream.send_all(asked + (talk.send(h11.EndOfMessage()) or b""))
    while True:
        event = talk.next_event()
        if event is h11.NEED_DATA:
            # A byte at a time: what follows the head is the server's, who may speak first.
            data = await stream.receive_some(1)
            if not data:
                raise _failed(proxy, "it hung up")
            talk.receive_data(bytes(data))
        elif isinstance(event, h11.Response):
            break
    if not 200 <= event.status_code < 300:
        nobody = _REMEDIES.get(event.status_code) == _NO_WAY
        raise _failed(proxy, _refusal(event, proxy, target), nobody=nobody)


def _refusal(answer: h11.Response, proxy: Proxy, target: str) -> str:
    if answer.status_code == 407:
        remedy = _BAD_PASSWORD if proxy.authorization else _NO_PASSWORD
    else:
        remedy = _REMEDIES.get(answer.status_code, "").format(target=target)
    said = one_line(f"{answer.status_code} {answer.reason.decode('latin-1')}")
    return f"{said}: {remedy}" if remedy else f"it refuses: {said}"


def _failed(proxy: Proxy, text: str, *, nobody: bool = False) -> ProxyFailed:
    return ProxyFailed(f"the proxy {proxy.where}: {text}", nobody=nobody)
