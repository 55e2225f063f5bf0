"""HTTP proxies: when one is to be used, and a tunnel through it.

There is no standard for ``HTTPS_PROXY`` and ``NO_PROXY``. The rules are those of Go's ``httpproxy``, because
kubectl and Argo CD follow them and are configured beside us: lower-case variables stand in for the others,
names match with all their subdomains, addresses may be CIDR blocks, nothing on this machine is proxied.
"""

from __future__ import annotations

import base64
import ipaddress
import ssl
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

import attrs
import h11
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import format_address, parse_address
from trio_argoagent.net.contexts import client_context
from trio_argoagent.net.dialling import Connect
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.tls import TlsStream

HEAD: Final = 16 * 1024
"""Bytes of a proxy's answer."""
_PORTS: Final = {"http": 80, "https": 443}


@attrs.frozen
class Proxy:
    """An HTTP proxy that is asked to CONNECT. ``repr`` shows no password.

    Attributes:
        host: name or address.
        port: its TCP port.
        tls: it is itself spoken to over TLS, certified by the system's authorities.
        authorization: value of ``Proxy-Authorization``; empty: none.
    """

    host: str
    port: int
    tls: bool = False
    authorization: str = attrs.field(default="", repr=False)


def parse_proxy(url: str) -> Proxy:
    """The proxy that a URL names.

    Args:
        url: ``[http[s]://][user:password@]host[:port]``.

    Raises:
        UserError: it is none of these. The message shows no password.
    """
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in _PORTS:
        raise UserError(f"a proxy of type {parts.scheme} is not supported: give one as http://host:port")
    try:
        host, port = parts.hostname or "", parts.port or _PORTS[parts.scheme]
    except ValueError:
        host, port = "", 0
    if not host:
        raise UserError("the proxy's address cannot be used: write http://host:port")
    authorization = ""
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(secret.encode()).decode()
    return Proxy(host, port, parts.scheme == "https", authorization)


def proxy_for(environ: Mapping[str, str], host: str, port: int) -> str:
    """The URL of the proxy that the environment wants for TLS to this server; empty: none.

    Args:
        environ: ``HTTPS_PROXY`` and ``NO_PROXY`` are read, or their lower-case forms.
        host: name or address of the server.
        port: its TCP port.
    """
    url = environ.get("HTTPS_PROXY") or environ.get("https_proxy") or ""
    exempt = environ.get("NO_PROXY") or environ.get("no_proxy") or ""
    return "" if not url or _is_here(host) or is_exempt(exempt, host, port) else url


def is_exempt(exempt: str, host: str, port: int) -> bool:
    """Does a ``NO_PROXY`` list take this server out?"""
    host = host.rstrip(".").lower()
    entries = (entry.strip().lower() for entry in exempt.split(","))
    return any(entry == "*" or (entry and _matches(entry, host, port)) for entry in entries)


def tunnel(proxy: Proxy, connect: Connect = trio.open_tcp_stream) -> Connect:
    """Connections through this proxy instead of straight ones: give it to whoever dials.

    Args:
        proxy: which.
        connect: how the proxy itself is reached.

    Returns:
        A ``Connect`` that raises ``OSError`` when the proxy is not there or refuses, with its reason.
    """

    async def through(host: str, port: int) -> trio.abc.Stream:
        where = format_address(proxy.host, proxy.port)
        try:
            stream = await connect(proxy.host, proxy.port)
        except OSError as exc:
            raise OSError(f"the proxy {where}: {exc}") from exc
        try:
            if proxy.tls:
                stream = TlsStream(stream, _context(), server_hostname=proxy.host)
                await stream.do_handshake()
            await _ask(stream, proxy, format_address(host, port), where)
        except (ConnectionBroken, trio.BrokenResourceError, h11.RemoteProtocolError) as exc:
            await trio.aclose_forcefully(stream)
            raise OSError(f"the proxy {where}: {exc or 'it hung up'}") from exc
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    return through


def _context() -> ssl.SSLContext:
    return client_context(ca=None, certificate=None, key=None, alpn=("http/1.1",))


async def _ask(stream: trio.abc.Stream, proxy: Proxy, target: str, where: str) -> None:
    """CONNECT; return once the proxy has agreed.

    Raises:
        OSError: it has not.
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
            # Nothing of what follows can be among it: in TLS the client speaks first.
            data = await stream.receive_some(HEAD)
            if not data:
                raise OSError(f"the proxy {where} hung up")
            talk.receive_data(bytes(data))
        elif isinstance(event, h11.Response):
            break
    if not 200 <= event.status_code < 300:
        reason = event.reason.decode("latin-1").strip()
        hint = ": check the user and password in its URL" if event.status_code == 407 else ""
        raise OSError(f"the proxy {where} refuses: {event.status_code} {reason}{hint}")


def _matches(entry: str, host: str, port: int) -> bool:
    if "/" in entry:
        address = _address(host)
        try:
            return address is not None and address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            return False
    name, wanted = entry, 0
    if _address(entry) is None:
        try:
            name, wanted = parse_address(entry, default_port=0)
        except UserError:
            return False
    if wanted and wanted != port:
        return False
    known = _address(name)
    if known is not None:
        return known == _address(host)
    bare = name.removeprefix("*").removeprefix(".")
    return host.endswith(f".{bare}") or (host == bare and not name.startswith((".", "*")))


def _is_here(host: str) -> bool:
    address = _address(host)
    return address.is_loopback if address is not None else host.rstrip(".").lower() == "localhost"


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
