"""Host and port, as people write them."""

from __future__ import annotations

from trio_argoagent.errors import UserError


def parse_address(text: str, *, default_port: int | None = None) -> tuple[str, int]:
    """Split ``host:port``, ``[v6]:port``, a bare ``host`` or a bare ``[v6]``.

    Args:
        text: what the user wrote.
        default_port: of an address without one; None: it must have one.

    Raises:
        UserError: it is none of these, or the port is not within 0..65535.
    """
    host, port = _split(text)
    if not host or any(c.isspace() or c in "/@" for c in text):
        # Before an @ there may be a password, and an error must not repeat it.
        shown = f"...@{text.rpartition('@')[2]}" if "@" in text else text
        raise UserError(f"{shown!r} is not an address: write host:port, or [address]:port for IPv6")
    if not port:
        if default_port is None:
            raise UserError(f"{text!r} has no port: write {format_address(host, 443)}, for example")
        return host, default_port
    if not (port.isascii() and port.isdigit() and int(port) <= 65_535):
        raise UserError(f"{text!r} has no usable port: it is a number from 0 to 65535")
    return host, int(port)


def format_address(host: str, port: int) -> str:
    """The inverse: IPv6 addresses get their brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _split(text: str) -> tuple[str, str]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            return "", ""
        return host, rest[1:]
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    # Two colons without brackets: which of them ends the address cannot be known.
    return ("", "") if ":" in host else (host, port)
