"""HTTP proxies: which one is to be used, and when. The tunnel through it is in ``connect``.

There is no standard for ``HTTPS_PROXY`` and ``NO_PROXY``. The rules are those of Go's ``httpproxy``, because
kubectl and Argo CD follow them and are configured beside us: lower-case variables stand in for the others,
names match with all their subdomains, addresses may be CIDR blocks, nothing on this machine is proxied.
"""

from __future__ import annotations

import base64
import ipaddress
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote, urlsplit

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import format_address, parse_address

_PORTS: Final = {"http": 80, "https": 443}
_UNUSABLE: Final = "the proxy's address cannot be used: write http://host:port"


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

    @property
    def where(self) -> str:
        """``host:port``, for people."""
        return format_address(self.host, self.port)


def parse_proxy(url: str) -> Proxy:
    """The proxy that a URL names.

    Args:
        url: ``[http[s]://][user:password@]host[:port]``.

    Raises:
        UserError: it is none of these. The message shows no password.
    """
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
    except ValueError:
        raise UserError(_UNUSABLE) from None  # What it says may be part of a password.
    if parts.scheme not in _PORTS:
        raise UserError(f"a proxy of type {parts.scheme} is not supported: give one as http://host:port")
    try:
        host, port = parts.hostname or "", _PORTS[parts.scheme] if parts.port is None else parts.port
    except ValueError:
        host, port = "", 0
    if not host or not port or not host.isprintable() or " " in host:
        raise UserError(_UNUSABLE)
    authorization = ""
    if parts.username is not None:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        authorization = "Basic " + base64.b64encode(secret.encode(errors="surrogateescape")).decode()
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


def environment_proxy(environ: Mapping[str, str], host: str, port: int) -> Proxy | None:
    """The same, understood.

    Raises:
        UserError: what the environment names cannot be used; the text names the variable.
    """
    url = proxy_for(environ, host, port)
    try:
        return parse_proxy(url) if url else None
    except UserError as exc:
        raise UserError(f"HTTPS_PROXY: {exc}") from exc


def is_exempt(exempt: str, host: str, port: int) -> bool:
    """Does a ``NO_PROXY`` list take this server out?"""
    host = host.rstrip(".").lower()
    entries = (entry.strip().lower() for entry in exempt.split(","))
    return any(entry == "*" or (entry and _matches(entry, host, port)) for entry in entries)


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
