"""The options that say where Argo CD's Redis is, of both programs; argocd-agent's names.

Its password comes from the environment or a mounted Secret; on a command line everybody on the node sees it.
"""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import attrs
import click

from trio_argoagent.cli.running import read_file
from trio_argoagent.cli.tls_sources import Place, Wanted
from trio_argoagent.errors import UserError
from trio_argoagent.net.address import parse_address
from trio_argoagent.net.contexts import Current, client_context
from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.redis.server import RedisServer, over_tcp
from trio_argoagent.runtime.material import Material, renewed
from trio_argoagent.runtime.tlssources import Unread
from trio_argoagent.runtime.tlsvalues import CA

F = TypeVar("F", bound=Callable[..., Any])
Option = Callable[[Any], Any]
PORT = 6379
"""Of a Redis whose address names none."""
CA_SECRET = "argocd-redis-tls"
"""Where argocd-agent has the CA of Redis by default."""


@attrs.frozen
class Names:
    """What a program calls those options that have another name in the other.

    Attributes:
        prefix: of its environment variables.
        address: the option that says where it is.
        ca: the option that names its CA.
        ca_secret: the option that names a Secret with it.
    """

    prefix: str
    address: str
    ca: str
    ca_secret: str

    def variables(self, option: str) -> list[str]:
        """The environment variables of an option: ours, and the one that all of Argo CD's programs share."""
        plain = option.removeprefix("--").replace("-", "_").upper()
        return [f"{self.prefix}_{plain}", plain]


PRINCIPAL = Names("ARGOCD_PRINCIPAL", "--redis-server-address", "--redis-ca-path", "--redis-ca-secret-name")
AGENT = Names("ARGOCD_AGENT", "--redis-addr", "--redis-tls-ca-path", "--redis-tls-ca-secret-name")


@attrs.frozen
class RedisOptions:
    """What the options say."""

    names: Names
    address: str
    username: str
    password: str = attrs.field(repr=False)
    creds_dir_path: str
    compression_type: str
    tls_enabled: bool
    tls_insecure: bool
    ca: str
    ca_secret: str


def redis_options(names: Names) -> Callable[[F], F]:
    """All of them; the command gets them as one argument, ``redis``."""

    def decorate(command: F) -> F:
        @functools.wraps(command)
        def packed(**given: Any) -> Any:
            ours = {name: given.pop(name) for name in list(given) if name in _FIELDS}
            fields = {name.removeprefix("redis_"): value for name, value in ours.items()}
            return command(redis=RedisOptions(names, **fields), **given)

        result: Any = packed
        for option in reversed((*_who(names), *_how(names))):
            result = option(result)
        return result  # type: ignore[no-any-return]

    return decorate


def _who(names: Names) -> tuple[Option, ...]:
    of = names.variables
    return (
        click.option(
            names.address,
            "redis_address",
            envvar=of(names.address),
            default=f"argocd-redis:{PORT}",
            show_default=True,
            metavar="HOST:PORT",
            help="Argo CD's Redis in this cluster; empty: none.",
        ),
        click.option(
            "--redis-username",
            envvar=of("redis-username"),
            default="",
            metavar="NAME",
            help="User of its access list; without it: the default user.",
        ),
        click.option(
            "--redis-password",
            envvar=of("redis-password"),
            default="",
            metavar="WORD",
            help="Its password; better given by REDIS_PASSWORD.",
        ),
        click.option(
            "--redis-creds-dir-path",
            envvar=of("redis-creds-dir-path"),
            default="",
            metavar="DIR",
            help="A mounted Secret with auth and maybe auth_username, instead of these two.",
        ),
    )


def _how(names: Names) -> tuple[Option, ...]:
    of = names.variables
    return (
        click.option(
            "--redis-compression-type",
            envvar=of("redis-compression-type")[:1],
            default=Compression.GZIP.value,
            show_default=True,
            type=click.Choice([each.value for each in Compression]),
            help="How Argo CD compresses there (its redis.compression).",
        ),
        click.option(
            "--redis-tls-enabled", envvar=of("redis-tls-enabled")[:1], is_flag=True, help="Speak TLS to it."
        ),
        click.option(
            names.ca,
            "redis_ca",
            envvar=of(names.ca)[:1],
            default="",
            metavar="FILE",
            help="PEM: the CA of its certificate, instead of a Secret.",
        ),
        click.option(
            names.ca_secret,
            "redis_ca_secret",
            envvar=of(names.ca_secret)[:1],
            default="",
            metavar="NAME",
            help=f"The Secret with that CA (ca.crt); by default {CA_SECRET} if it is there, else the system's"
            " authorities count.",
        ),
        click.option(
            "--redis-tls-insecure",
            envvar=of("redis-tls-insecure")[:1],
            is_flag=True,
            help="Take any certificate of it.",
        ),
    )


_FIELDS = frozenset(f"redis_{field.name}" for field in attrs.fields(RedisOptions))


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
        host, port = parse_address(options.address, default_port=PORT)
    except UserError as exc:
        raise UserError(f"{options.names.address}: {exc}") from exc
    username, password = _credentials(options)
    return over_tcp(
        host,
        port,
        (context or _context(options)) if options.tls_enabled else None,
        username=username,
        password=password,
        compression=Compression(options.compression_type),
    )


def _ca(options: RedisOptions) -> Wanted:
    names = options.names
    return Wanted(((CA, names.ca, options.ca),), names.ca_secret, options.ca_secret, CA_SECRET)


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
