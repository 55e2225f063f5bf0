"""``trio-argoagent apiserver``: from options to a served API server."""

from __future__ import annotations

import errno
import os
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import click
import trio

from trio_argoagent.apiserver.core.kinds import CRDS
from trio_argoagent.apiserver.core.rbac import open_rbac
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.users import User
from trio_argoagent.apiserver.crds import argocd_crds
from trio_argoagent.apiserver.http import kubeconfig as kubeconfig_text
from trio_argoagent.apiserver.http import serve_api
from trio_argoagent.apiserver.http.faults import Faults
from trio_argoagent.apiserver.local import run_collector
from trio_argoagent.cli import pem, running
from trio_argoagent.cli.audit_log import audit_file
from trio_argoagent.errors import ApiError, UserError
from trio_argoagent.model.yamltext import load
from trio_argoagent.net.address import format_address
from trio_argoagent.net.contexts import server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.listening import open_listeners
from trio_argoagent.runtime.world import real_env

ADMIN: Final = "admin"
"""Whoever uses a token without a name."""
NAME: Final = "trio-argoagent"
"""Of the cluster in the kubeconfig."""
LIFETIME: Final = 30 * 24 * 3600.0
"""Seconds that the server's certificate is valid."""
_ANYWHERE: Final = ("", "0.0.0.0", "::")
_LOOPBACK: Final = "127.0.0.1"


def run_apiserver(
    *,
    host: str,
    port: int,
    kubeconfig: str,
    crds: Sequence[str],
    bare: bool,
    tokens: Sequence[str],
    authorization: str,
    audit_log: str,
    client_ca: str,
    history: int,
    faults: bool,
) -> None:
    """Run it until a signal comes."""

    async def program() -> int:
        env = real_env()
        server = ApiServer(entropy=env.entropy, history=history, now=env.now())
        definitions = {} if bare else {crd["metadata"]["name"]: ("", crd) for crd in argocd_crds()}
        for path in crds:
            definitions |= {crd["metadata"]["name"]: (where, crd) for where, crd in _read_crds(path)}
        for where, crd in definitions.values():
            _define(server, crd, where, env.now())
        users = _users(tokens, env)
        trusted = pem.read_authorities(client_ca, "--client-ca") if client_ca else b""
        identity = _Identity.create(host, env, trusted)
        authorizer = open_rbac(server, env.now()) if authorization == "RBAC" else None
        with audit_file(audit_log, env) as audit:
            serve = partial(
                serve_api, env=env, tokens=users, faults=Faults() if faults else None,
                authorizer=authorizer, audit=audit,
            )  # fmt: skip
            async with _listeners(host, port) as listeners:
                address = listeners[0].socket.getsockname()
                text = kubeconfig_text(identity.reached, address[1], identity.ca, next(iter(users)), NAME)
                async with _published(text, kubeconfig, format_address(identity.reached, address[1])):
                    await _serve(server, env, partial(serve, server, listeners, identity.context()))
        return 0

    running.run(program)


async def _serve(server: ApiServer, env: Env, serve: Callable[[], Awaitable[None]]) -> None:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(lambda: run_collector(server, env=env, delay=0.05))
        await serve()


@attrs.frozen
class _Identity:
    """Who the server is, for this run only, and whose certificates it takes.

    Attributes:
        reached: the name or address under which clients reach it.
        ca: PEM of who certifies it.
        certificate: PEM.
        key: PEM.
        client_ca: PEM; empty: tokens only.
    """

    reached: str
    ca: bytes
    certificate: bytes
    key: bytes
    client_ca: bytes

    @classmethod
    def create(cls, host: str, env: Env, client_ca: bytes) -> _Identity:
        reached = _LOOPBACK if host in _ANYWHERE else host
        now = env.now()

        def serial() -> int:
            return keys.serial_number(env.entropy(keys.SERIAL_SIZE))

        authority = Authority.create(keys.new_key(), name=f"{NAME} apiserver", serial=serial(), now=now)
        key = keys.new_key()
        hosts = tuple(dict.fromkeys((reached, "localhost", _LOOPBACK)))
        certificate = authority.issue_server(
            key.public_key(), name="apiserver", hosts=hosts, serial=serial(), now=now, lifetime=LIFETIME
        )
        return cls(reached, authority.certificate_pem, certificate, keys.key_pem(key), client_ca)

    def context(self) -> ssl.SSLContext:
        """For its listeners."""
        return server_context(
            certificate=self.certificate,
            key=self.key,
            client_ca=self.client_ca or None,
            require_client=False,
            alpn=("h2", "http/1.1"),
        )


def _users(tokens: Sequence[str], env: Env) -> dict[str, User]:
    """Token -> user.

    Raises:
        UserError: a token is empty, or given to two users.
    """
    users: dict[str, User] = {}
    for given in tokens or (env.entropy(16).hex(),):
        token, _, text = given.partition("=")
        if not token or not token.isascii() or not token.isprintable() or " " in token:
            raise UserError("--token: a token is empty or has characters that no header can carry")
        name, *groups = text.split(",")
        user = User.named(name, tuple(groups)) if name else User.admin(ADMIN)
        if users.setdefault(token, user) != user:
            raise UserError(f"--token: {user.name} has the token of {users[token].name}: choose another")
    return users


def _read_crds(path: str) -> list[tuple[str, dict[str, Any]]]:
    """The definitions in a file or a folder, each with where it stands.

    Raises:
        UserError: it cannot be read, or there is something else in it.
    """
    folder = Path(path)
    files = [folder]
    if os.path.isdir(folder):  # Path.is_dir fails where it cannot be known; reading says why.
        entries = running.read_folder(path, "--crds")
        files = sorted(each for each in entries if each.suffix in (".yaml", ".yml", ".json"))
        if not files:
            raise UserError(f"--crds: there is no .yaml, .yml or .json file in {path}")
    found = []
    for file in files:
        try:
            values = load(running.read_file(str(file), "--crds"))
        except ValueError as exc:
            raise UserError(f"--crds: {file}: this is not YAML: {exc}") from exc
        for value in values:
            kind = value.get("kind") if isinstance(value, dict) else type(value).__name__
            if kind != CRDS.kind or not (value.get("metadata") or {}).get("name"):
                raise UserError(f"--crds: {file}: a {kind} is no {CRDS.kind} with a name")
            found.append((str(file), value))
    return found


def _define(server: ApiServer, crd: Mapping[str, Any], where: str, now: float) -> None:
    try:
        for warning in server.add_crd(crd, now=now):
            click.echo(f"warning: {where}: {warning}", err=True)
    except ApiError as exc:
        raise UserError(f"--crds: {where}: {exc.message}") from exc


@asynccontextmanager
async def _listeners(host: str, port: int) -> AsyncIterator[list[trio.SocketListener]]:
    """The sockets that clients dial; raises UserError if there can be none."""
    async with AsyncExitStack() as stack:
        try:
            listeners = await stack.enter_async_context(open_listeners(host, port))
        except OSError as exc:
            taken = exc.errno in (errno.EADDRINUSE, errno.EACCES)
            advice = "choose another --port" if taken else "check --host"
            where = format_address(host or "*", port)
            raise UserError(f"cannot listen on {where}: {exc.strerror or exc}; {advice}") from exc
        yield listeners


@asynccontextmanager
async def _published(text: str, path: str, where: str) -> AsyncIterator[None]:
    """The kubeconfig where it was asked for, as long as it is good for anything.

    Raises:
        UserError: the file cannot be written.
    """
    if not path:
        click.echo(text, nl=False)
        click.echo(f"serving https://{where}; its kubeconfig is on standard output; Ctrl-C ends it", err=True)
        yield
        return
    file = trio.Path(path)
    try:
        # Whatever was there is replaced, so that nobody else can read the token in it.
        await file.unlink(missing_ok=True)
        await file.touch(0o600, exist_ok=False)
        await file.write_text(text)
    except OSError as exc:
        raise UserError(f"--kubeconfig: cannot write {path}: {exc.strerror}") from exc
    try:
        click.echo(f"serving https://{where}: kubectl --kubeconfig {path} get namespaces; Ctrl-C ends it")
        yield
    finally:
        with trio.CancelScope(shield=True):
            await file.unlink(missing_ok=True)
