"""What the options that say where Argo CD's Redis is mean together."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from trio_argoagent.cli.running import read_file
from trio_argoagent.cli.tls_sources import Place, Wanted
from trio_argoagent.errors import UserError
from trio_argoagent.net.address import parse_address
from trio_argoagent.net.contexts import Current, client_context
from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.redis.server import RedisServer, over_tcp
from trio_argoagent.runtime.material import Material, renewed
from trio_argoagent.runtime.options.reading import pick
from trio_argoagent.runtime.options.rows import Program
from trio_argoagent.runtime.options.usual import REDIS_CA_SECRET, REDIS_PORT
from trio_argoagent.runtime.tlssources import Unread
from trio_argoagent.runtime.tlsvalues import CA


@attrs.frozen
class RedisOptions:
    """What the options say.

    Attributes:
        program: whose they are; some have another name in the other.
    """

    program: Program
    address: str
    username: str
    password: str = attrs.field(repr=False)
    creds_dir_path: str
    compression_type: Compression
    tls_enabled: bool
    tls_insecure: bool
    ca: str
    ca_secret: str

    @classmethod
    def of(cls, program: Program, values: Mapping[str, Any]) -> RedisOptions:
        """What the values of a program's options say."""
        return pick(cls, values, "redis_", program=program)

    @property
    def where(self) -> tuple[str, int] | None:
        """Host and port; None: there is no Redis.

        Raises:
            UserError: it is no address.
        """
        try:
            return parse_address(self.address, default_port=REDIS_PORT) if self.address else None
        except UserError as exc:
            raise UserError(f"{self._flag('address')}: {exc}") from exc

    @property
    def authorities(self) -> Wanted:
        """Its CA."""
        path, secret = self._flag("ca"), self._flag("ca_secret")
        return Wanted(((CA, path, self.ca),), secret, self.ca_secret, REDIS_CA_SECRET)

    def check(self) -> None:
        """Look whether the options go together; no file is read.

        Raises:
            UserError: they contradict each other.
        """
        if self.where is None or not self.tls_enabled:
            return
        if self.tls_insecure and self.authorities.is_named:
            named = self._flag("ca") if self.ca else self._flag("ca_secret")
            raise UserError(f"{named} and --redis-tls-insecure: give one of them")
        self.authorities.check()

    def credentials(self) -> tuple[str, str]:
        """User and password.

        Raises:
            UserError: a file cannot be used.
        """
        if not self.address or not self.creds_dir_path:
            return self.username, self.password
        folder, what = Path(self.creds_dir_path), "--redis-creds-dir-path"
        password = read_file(str(folder / "auth"), what)
        named = folder / "auth_username"
        username = read_file(str(named), what) if named.exists() else b""
        try:
            return username.decode().strip(), password.decode().strip()
        except UnicodeDecodeError as exc:
            raise UserError(f"{what}: auth and auth_username in {folder} must be UTF-8") from exc

    def _flag(self, name: str) -> str:
        return self.program.by_name[f"redis_{name}"].flag


async def find_redis(options: RedisOptions, place: Place, material: Material) -> RedisServer | None:
    """What the options say together, with the CA of a file or a Secret; None: there is no Redis.

    Args:
        options: what they say.
        place: of Secrets.
        material: follows the CA.

    Raises:
        UserError: they contradict each other, or a file or a Secret cannot be used.
    """
    options.check()
    where = options.where
    if where is None:
        return None
    username, password = options.credentials()
    context = await _context(options, place, material) if options.tls_enabled else None
    return over_tcp(
        *where, context, username=username, password=password, compression=options.compression_type
    )


async def _context(options: RedisOptions, place: Place, material: Material) -> Current:
    """TLS with the CA that is named, or with the usual one; where that is missing the system's count."""
    if options.tls_insecure:
        return _fixed(verify=False)
    source = options.authorities.source(place)
    assert source is not None  # There is a usual name.
    try:
        trust = await material.trust("Redis", source)
    except Unread as exc:
        if options.authorities.is_named or not exc.missing:
            raise
        return _fixed(verify=True)

    def make() -> ssl.SSLContext:
        return client_context(ca=trust.value.pem, certificate=None, key=None, alpn=())

    return renewed(make, trust)


def _fixed(*, verify: bool) -> Current:
    context = client_context(ca=None, certificate=None, key=None, alpn=(), verify=verify)
    return lambda: context
