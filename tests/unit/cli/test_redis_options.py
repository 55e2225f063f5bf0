"""Where Argo CD's Redis is: options, variables and files of both programs, and what they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from trio_argoagent.cli.redis_options import AGENT, PRINCIPAL, Names, RedisOptions, find_redis, read_redis
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.options import programs
from trio_argoagent.runtime.world import real_env

from ..runtime.hubsecrets import NAMESPACE, hub
from .conftest import Files, Run
from .parsing import values_of


def parse(names: Names, *arguments: str, **environ: str) -> RedisOptions:
    """What the options say."""
    program = programs.PRINCIPAL if names is PRINCIPAL else programs.AGENT
    return RedisOptions.of(names, values_of(program, *arguments, **environ))


@pytest.mark.parametrize(
    ("names", "prefix", "address"),
    [(PRINCIPAL, "ARGOCD_PRINCIPAL_", "REDIS_SERVER_ADDRESS"), (AGENT, "ARGOCD_AGENT_", "REDIS_ADDR")],
)
def test_as_argocd_agent_names_them(names: Names, prefix: str, address: str) -> None:
    """The defaults, the variables with the prefix, and those that all of Argo CD's programs share."""
    server = read_redis(parse(names))
    assert server is not None
    assert (server.where, server.username, server.password) == ("argocd-redis:6379", "", "")
    assert server.compression is Compression.GZIP
    environ = {prefix + address: "cache:7000", "REDIS_PASSWORD": "s3cret", "REDIS_USERNAME": "u"}
    environ |= {prefix + "REDIS_COMPRESSION_TYPE": "none", prefix + "REDIS_TLS_ENABLED": "true"}
    options = parse(names, **environ)
    server = read_redis(options)
    assert server is not None
    assert (server.where, server.username, server.password) == ("cache:7000", "u", "s3cret")
    assert server.compression is Compression.NONE
    assert options.tls_enabled
    assert "s3cret" not in repr(options) and "s3cret" not in repr(server)


@pytest.mark.parametrize("names", [PRINCIPAL, AGENT])
def test_no_redis(names: Names) -> None:
    """An empty address: nothing is asked of any."""
    assert read_redis(parse(names, names.address, "")) is None


def test_a_mounted_secret(tmp_path: Path) -> None:
    """It counts instead of the variables; its files may end with a new line."""
    (tmp_path / "auth").write_text("from-file\n")
    where = ("--redis-creds-dir-path", str(tmp_path))
    server = read_redis(parse(PRINCIPAL, *where, REDIS_PASSWORD="other", REDIS_USERNAME="other"))
    assert server is not None and (server.username, server.password) == ("", "from-file")
    (tmp_path / "auth_username").write_text("reader")
    server = read_redis(parse(PRINCIPAL, *where))
    assert server is not None and (server.username, server.password) == ("reader", "from-file")
    (tmp_path / "auth").write_bytes(b"\xff")
    with pytest.raises(UserError, match="must be UTF-8"):
        read_redis(parse(PRINCIPAL, *where))


@pytest.mark.parametrize(
    ("names", "arguments", "line"),
    [
        (PRINCIPAL, ["--redis-server-address", "http://x"], "--redis-server-address: 'http://x' is not"),
        (AGENT, ["--redis-addr", "x:port"], "--redis-addr: 'x:port' has no usable port"),
        (AGENT, ["--redis-creds-dir-path", "/missing"], "--redis-creds-dir-path: cannot read /missing/auth"),
        (
            AGENT,
            ["--redis-tls-enabled", "--redis-tls-insecure", "--redis-tls-ca-path", "/ca"],
            "--redis-tls-ca-path and --redis-tls-insecure: give one of them",
        ),
    ],
)
def test_mistakes(names: Names, arguments: list[str], line: str) -> None:
    """One line that names the option."""
    with pytest.raises(UserError) as caught:
        read_redis(parse(names, *arguments))
    assert str(caught.value).startswith(line)


async def test_a_ca_that_is_not_there() -> None:
    """The usual Secret need not be there; what was named must be."""
    place, material = Place(await hub(), NAMESPACE), Material(real_env(), ignore)
    assert await find_redis(parse(PRINCIPAL, "--redis-tls-enabled"), place, material) is not None
    named = parse(PRINCIPAL, "--redis-tls-enabled", "--redis-ca-path", "/missing")
    with pytest.raises(UserError, match=r"^--redis-ca-path: cannot read /missing"):
        await find_redis(named, place, material)
    named = parse(AGENT, "--redis-tls-enabled", "--redis-tls-ca-secret-name", "mine")
    with pytest.raises(UserError, match=r"^--redis-tls-ca-secret-name: Secret argocd/mine is not there"):
        await find_redis(named, place, material)


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_a_program_says_it_before_it_starts(run: Run, files: Files, program: str) -> None:
    """Before anything listens or dials."""
    line = run(*getattr(files, program)(redis_creds_dir_path="/missing")).line
    assert line.startswith("--redis-creds-dir-path: cannot read /missing/auth")
