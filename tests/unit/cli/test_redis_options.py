"""Where Argo CD's Redis is: options, variables and files of both programs, and what they cannot be."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from trio_argoagent.cli import redis_options
from trio_argoagent.cli.redis_options import RedisOptions, find_redis
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import client_context
from trio_argoagent.redis.protocol.argocache import Compression
from trio_argoagent.redis.server import RedisServer
from trio_argoagent.runtime.events import ignore
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.options.programs import AGENT, PRINCIPAL
from trio_argoagent.runtime.options.rows import Program
from trio_argoagent.runtime.world import real_env

from ..runtime.hubsecrets import NAMESPACE, hub
from .conftest import Files, Run
from .parsing import values_of
from .test_config import config_map


def parse(program: Program, *arguments: str, **environ: str) -> RedisOptions:
    """What the options say."""
    return RedisOptions.of(program, values_of(program, *arguments, **environ))


async def found(options: RedisOptions) -> RedisServer | None:
    """What the program has then, in a cluster without Secrets."""
    return await find_redis(options, Place(await hub(), NAMESPACE), Material(real_env(), ignore))


@pytest.mark.parametrize(
    ("program", "prefix", "address"),
    [(PRINCIPAL, "ARGOCD_PRINCIPAL_", "REDIS_SERVER_ADDRESS"), (AGENT, "ARGOCD_AGENT_", "REDIS_ADDR")],
)
async def test_as_argocd_agent_names_them(program: Program, prefix: str, address: str) -> None:
    """The defaults, the variables with the prefix, and those that all of Argo CD's programs share."""
    server = await found(parse(program))
    assert server is not None
    assert (server.where, server.username, server.password) == ("argocd-redis:6379", "", "")
    assert server.compression is Compression.GZIP
    environ = {prefix + address: "cache:7000", "REDIS_PASSWORD": "s3cret", "REDIS_USERNAME": "u"}
    environ |= {prefix + "REDIS_COMPRESSION_TYPE": "none", prefix + "REDIS_TLS_ENABLED": "true"}
    options = parse(program, **environ)
    server = await found(options)
    assert server is not None
    assert (server.where, server.username, server.password) == ("cache:7000", "u", "s3cret")
    assert server.compression is Compression.NONE
    assert options.tls_enabled
    assert "s3cret" not in repr(options) and "s3cret" not in repr(server)


@pytest.mark.parametrize(
    ("program", "address"), [(PRINCIPAL, "--redis-server-address"), (AGENT, "--redis-addr")]
)
async def test_no_redis(program: Program, address: str) -> None:
    """An empty address: nothing is asked of any, and no file is read."""
    options = parse(program, address, "", "--redis-creds-dir-path=/missing")
    assert (await found(options), options.credentials()) == (None, ("", ""))


def test_a_mounted_secret(tmp_path: Path) -> None:
    """It counts instead of the variables; its files may end with a new line."""
    (tmp_path / "auth").write_text("from-file\n")
    where = ("--redis-creds-dir-path", str(tmp_path))
    options = parse(PRINCIPAL, *where, REDIS_PASSWORD="other", REDIS_USERNAME="other")
    assert options.credentials() == ("", "from-file")
    (tmp_path / "auth_username").write_text("reader")
    assert options.credentials() == ("reader", "from-file")
    (tmp_path / "auth").write_bytes(b"\xff")
    with pytest.raises(UserError, match="must be UTF-8"):
        options.credentials()


@pytest.mark.parametrize(
    ("program", "arguments", "line"),
    [
        (PRINCIPAL, ["--redis-server-address", "http://x"], "--redis-server-address: 'http://x' is not"),
        (AGENT, ["--redis-addr", "x:port"], "--redis-addr: 'x:port' has no usable port"),
        (AGENT, ["--redis-creds-dir-path", "/missing"], "--redis-creds-dir-path: cannot read /missing/auth"),
        (
            AGENT,
            ["--redis-tls-enabled", "--redis-tls-insecure", "--redis-tls-ca-path", "/ca"],
            "--redis-tls-ca-path and --redis-tls-insecure: give one of them",
        ),
        (
            PRINCIPAL,
            ["--redis-tls-enabled", "--redis-tls-insecure", "--redis-ca-secret-name", "mine"],
            "--redis-ca-secret-name and --redis-tls-insecure: give one of them",
        ),
        (
            PRINCIPAL,
            ["--redis-tls-enabled", "--redis-ca-path", "/ca", "--redis-ca-secret-name", "mine"],
            "--redis-ca-path and --redis-ca-secret-name: give one of the two",
        ),
    ],
)
async def test_mistakes(program: Program, arguments: list[str], line: str) -> None:
    """One line that names the option."""
    with pytest.raises(UserError) as caught:
        await found(parse(program, *arguments))
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


async def test_authorities_are_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The system's are a hundred and more: not to look whether options go together."""
    made: list[str] = []

    def make(**options: Any) -> ssl.SSLContext:
        made.append("context")
        return client_context(**options)

    monkeypatch.setattr(redis_options, "client_context", make)
    options = parse(PRINCIPAL, "--redis-tls-enabled")
    options.check()
    options.credentials()
    assert made == []
    assert await found(options) is not None
    assert made == ["context"]


def test_as_argocd_agents_config_map_has_it(run: Run, tmp_path: Path) -> None:
    """It names the usual Secrets beside files; whoever only turns TLS off is told of the rest."""
    lines = [
        "principal.redis.ca-path: /ca",
        "principal.redis.ca-secret-name: argocd-redis-tls",
        "principal.redis.proxy.server.tls.cert-path: /crt",
        "principal.redis.proxy.server.tls.key-path: /key",
        "principal.redis.proxy.server.tls.secret-name: argocd-redis-proxy-tls",
    ]
    for enabled, remarks in (("true", 0), ("false", len(lines))):
        written = [*lines, f'principal.redis.tls.enabled: "{enabled}"']
        said = run("config", "check", "principal", config_map(tmp_path, *written))
        assert said.code == 0, said.err
        assert len(said.err.splitlines()) == remarks
        assert said.err.count("has no effect: it needs --redis-tls-enabled") == remarks


@pytest.mark.parametrize(
    "option", ["--redis-tls-insecure", "--redis-tls-ca-path=x", "--redis-tls-ca-secret-name=x"]
)
def test_tls_that_nobody_has_asked_for(run: Run, files: Files, option: str) -> None:
    """Whoever says how to look at a certificate would send the password in the clear."""
    line = run(*files.agent(), option).line
    name = option.partition("=")[0]
    assert line == f"{name}: has no effect without --redis-tls-enabled: give that, too"
    assert run("config", "check", "agent", "--server-address=x", option, "--redis-tls-enabled").code == 0
    said = run("config", "check", "agent", "--server-address=x", option, "--redis-tls-enabled=false")
    assert (said.code, said.err) == (0, f"warning: {name} has no effect: it needs --redis-tls-enabled\n")
