"""Where a server is and what it takes to be let in: values that travel from process to process as JSON."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path
from typing import Final

import attrs

from trio_argoagent.bench.usage import Server
from trio_argoagent.net.contexts import client_context, server_context

HOST: Final = "127.0.0.1"
SERVER: Final = "server"
CLIENT: Final = "client"


@attrs.frozen
class Place:
    """Where, and with which certificates (ECDSA P-256, mutual).

    Attributes:
        folder: holds ``ca.pem``, and certificate and key of both ends.
        variant: which of a side's ways.
        size: bytes of a message where the wire does not say; 0: as they come.
        port: of the server; 0: not known yet.
        pid: of the server's process.
        control: its port for questions of what it has used.
    """

    folder: str
    variant: str = ""
    size: int = 0
    port: int = 0
    pid: int = 0
    control: int = 0

    @property
    def asked(self) -> Server:
        """Where it tells what it has used."""
        return Server(self.pid, self.control)

    def read(self, name: str) -> bytes:
        """One of the files."""
        return Path(self.folder, name).read_bytes()

    def identity(self, end: str) -> tuple[bytes, bytes, bytes]:
        """CA, certificate and key of one end, as PEM."""
        return self.read("ca.pem"), self.read(f"{end}.pem"), self.read(f"{end}.key")


@cache
def tls(place: Place, end: str, alpn: tuple[str, ...] = ("h2",)) -> ssl.SSLContext:
    """TLS 1.3 for one end, both ends with certificates; one context for all connections."""
    ca, certificate, key = place.identity(end)
    only = ssl.TLSVersion.TLSv1_3
    if end == SERVER:
        return server_context(
            certificate=certificate, key=key, client_ca=ca, require_client=True, alpn=alpn, minimum=only
        )
    return client_context(ca=ca, certificate=certificate, key=key, alpn=alpn, minimum=only)
