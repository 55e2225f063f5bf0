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
from trio_argoagent.runtime.options.usual import REDIS_CA_SECRET, REDIS_PORT
from trio_argoagent.runtime.tlssources import Unread
from trio_argoagent.runtime.tlsvalues import CA


@attrs.frozen
class Names:
    """What a program calls those options that have another name in the other.

    Attributes:
        address: the option that says where it is.
        ca: the option that names its CA.
        ca_secret: the option that names a Secret with it.
    """

    address: str
    ca: str
    ca_secret: str


PRINCIPAL = Names("--redis-server-address", "--redis-ca-path", "--redis-ca-secret-name")
AGENT = Names("--redis-addr", "--redis-tls-ca-path", "--redis-tls-ca-secret-name")


@attrs.frozen
class RedisOptions:
    """What the options say."""

    names: Names
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
    def of(cls, names: Names, values: Mapping[str, Any]) -> RedisOptions:
        """What the values of a program's options say."""
        return pick(cls, values, "redis_", names=names)


async def find_redis(options: RedisOptions, place: Place, material: Material) -> RedisServer | None:
    """What the options say together, with the CA of a file or a Secret; None: there is no Redis.

    Args:
        options: what they say.
        place: of Secrets.
        material: follows it.

    Raises:
        UserError: see ``read_redis``; or the CA cannot be used.
    """
    read_redis(options)
    if not (options.address and options.tls_enabled) or options.tls_insecure:
        return read_redis(options)
    wanted = _ca(options)
    source = wanted.source(place)
    assert source is not None  # There is a usual name.
    try:
        trust = await material.trust("Redis", source)
    except Unread as exc:
        if wanted.is_named or not exc.missing:
            raise
        return read_redis(options)

    def make() -> ssl.SSLContext:
        return client_context(ca=trust.value.pem, certificate=None, key=None, alpn=())

    return read_redis(options, renewed(make, trust))


def check_redis(options: RedisOptions) -> None:
    """Look whether the options go together; no file is read.

    Raises:
        UserError: they contradict each other.
    """
    read_redis(attrs.evolve(options, creds_dir_path=""))


def read_redis(options: RedisOptions, context: Current | None = None) -> RedisServer | None:
    """What the options say together; None: there is no Redis.

    Args:
        options: what they say.
        context: TLS with the CA that is named; None: the system's count.

    Raises:
        UserError: they contradict each other, or a file cannot be used.
    """
    if not options.address:
        return None
    try:
        host, port = parse_address(options.address, default_port=REDIS_PORT)
    except UserError as exc:
        raise UserError(f"{options.names.address}: {exc}") from exc
    username, password = _credentials(options)
    return over_tcp(
        host,
        port,
        (context or _context(options)) if options.tls_enabled else None,
        username=username,
        password=password,
        compression=options.compression_type,
    )


def _ca(options: RedisOptions) -> Wanted:
    names = options.names
    return Wanted(((CA, names.ca, options.ca),), names.ca_secret, options.ca_secret, REDIS_CA_SECRET)


def _context(options: RedisOptions) -> Current:
    names = options.names
    modes = (
        (names.ca, options.ca),
        (names.ca_secret, options.ca_secret),
        ("--redis-tls-insecure", options.tls_insecure),
    )
    chosen = [option for option, value in modes if value]
    if len(chosen) > 1:
        raise UserError(f"{' and '.join(chosen)}: give one of them")
    context = client_context(ca=None, certificate=None, key=None, alpn=(), verify=not options.tls_insecure)
    return lambda: context


def _credentials(options: RedisOptions) -> tuple[str, str]:
    if not options.creds_dir_path:
        return options.username, options.password
    folder, what = Path(options.creds_dir_path), "--redis-creds-dir-path"
    password = read_file(str(folder / "auth"), what)
    named = folder / "auth_username"
    username = read_file(str(named), what) if named.exists() else b""
    try:
        return username.decode().strip(), password.decode().strip()
    except UnicodeDecodeError as exc:
        raise UserError(f"{what}: auth and auth_username in {folder} must be UTF-8") from exc
