"""Where an API server is, and who we are to it.

A pod needs two variables and three files, which are read here, so a program in a cluster loads nothing. For a
kubeconfig see ``kubeconfig`` and ``plugins``.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.net.proxy import environment_proxy, proxy_for

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount"
"""Where the kubelet puts a pod's token, CA and namespace."""
AT_ONCE: Final = 4
"""Readings of one kubeconfig at once: those before the last were given up, and may never end."""


@attrs.frozen
class Credentials:
    """All it takes to talk to one API server. ``repr`` shows no secret.

    Attributes:
        host: name or address of the server.
        port: its TCP port.
        ca: PEM of the authorities that certify the server; None: the system's.
        certificate: PEM of our own certificate; None: we have none.
        key: PEM of its key.
        token: a bearer token; empty: none.
        namespace: the default one; may be empty.
        tls: False only for a local proxy.
        verify: False takes any server.
        server_name: what the server's certificate is for, when that is not ``host``.
        prefix: path before every request's own, of servers behind a gateway; no slash at its end.
        impersonate: headers of the identity to act as.
        proxy: URL of an HTTP proxy to go through; empty: none.
        rotates: somebody else replaces the files these came from, without telling.
        lifetime: seconds from reading them until they expire, by their own account; None: they do not say.
        reload: reads them again; None: they are all there is.
    """

    host: str
    port: int = 443
    ca: bytes | None = attrs.field(default=None, repr=False)
    certificate: bytes | None = attrs.field(default=None, repr=False)
    key: bytes | None = attrs.field(default=None, repr=False)
    token: str = attrs.field(default="", repr=False)
    namespace: str = ""
    tls: bool = True
    verify: bool = True
    server_name: str = ""
    prefix: str = ""
    impersonate: tuple[tuple[str, str], ...] = ()
    proxy: str = attrs.field(default="", repr=False)
    rotates: bool = False
    lifetime: float | None = attrs.field(default=None, eq=False)
    reload: Callable[[], Awaitable[Credentials]] | None = attrs.field(default=None, eq=False, repr=False)

    @property
    def headers(self) -> tuple[tuple[str, str], ...]:
        """What every request carries."""
        bearer = (("authorization", f"Bearer {self.token}"),) if self.token else ()
        return bearer + self.impersonate

    def needs_new_connection(self, other: Credentials) -> bool:
        """Is the other's identity, or server, one that a connection made with these cannot serve?"""
        mine = attrs.evolve(self, token="", impersonate=(), namespace="")
        return mine != attrs.evolve(other, token="", impersonate=(), namespace="")


def in_cluster(environ: Mapping[str, str] = os.environ, folder: str = SERVICE_ACCOUNT) -> Credentials:
    """The credentials that Kubernetes gives to every pod.

    Raises:
        UserError: this is no pod, or its service account is not mounted, or its proxy makes no sense.
    """
    host = environ.get("KUBERNETES_SERVICE_HOST", "")
    port = environ.get("KUBERNETES_SERVICE_PORT", "")
    if not host or not port.isdecimal():
        raise UserError("not in a cluster (KUBERNETES_SERVICE_HOST is not set): give a kubeconfig")

    async def reload() -> Credentials:
        await trio.lowlevel.checkpoint()
        return in_cluster(environ, folder)

    environment_proxy(environ, host, int(port))
    root = Path(folder)
    token = bearer(read_file(root / "token"), str(root / "token"))
    if not token:
        raise UserError(f"{root / 'token'} is empty: is the service account's token mounted?")
    namespace = read_file(root / "namespace").decode("utf-8", "replace").strip()
    return Credentials(
        host,
        int(port),
        ca=read_file(root / "ca.crt"),
        token=token,
        namespace=namespace,
        proxy=proxy_for(environ, host, int(port)),
        rotates=True,
        reload=reload,
    )


async def from_kubeconfig(
    path: str = "",
    context: str = "",
    *,
    environ: Mapping[str, str] = os.environ,
    now: Callable[[], float] | None = None,
) -> Credentials:
    """The credentials of a kubeconfig, as kubectl would use them.

    Args:
        path: empty: ``$KUBECONFIG``, else ``~/.kube/config``; several paths are merged as kubectl does.
        context: empty: the current one.
        environ: where a proxy may be named, besides.
        now: wall time; without it nobody knows when a plugin's answer expires before it is refused.

    Raises:
        UserError: the file, the context or its user cannot be used.
    """
    load = partial(_load, path or environ.get("KUBECONFIG", "") or "~/.kube/config", context, environ, now)
    # Threads of its own: what is abandoned keeps its place. In the line that the whole program shares, a
    # plugin that hangs each time would at last leave no thread to look up a host name with.
    turn = trio.CapacityLimiter(AT_ONCE)

    async def read() -> Credentials:
        if not turn.available_tokens:
            raise UserError(
                f"{AT_ONCE} readings of the kubeconfig have not ended: its plugin, or the file itself, hangs;"
                " see what it waits for"
            )
        # A plugin is a program that may ask a person. Abandoned when cancelled: it has no deadline.
        found = await trio.to_thread.run_sync(load, abandon_on_cancel=True, limiter=turn)
        return attrs.evolve(found, reload=read)

    return await read()


def _load(
    path: str, context: str, environ: Mapping[str, str], now: Callable[[], float] | None
) -> Credentials:
    from trio_argoagent.kube import kubeconfig

    def ask(user: kubeconfig.Entry, cluster: kubeconfig.Entry) -> kubeconfig.Proof:
        from trio_argoagent.kube import plugins

        return plugins.ask(user, cluster, now)

    return kubeconfig.load(path, context, environ, ask)


def bearer(text: bytes, where: str) -> str:
    """A token that can stand in a header (RFC 6750, section 2.1, and what else kubectl sends); may be empty.

    Args:
        text: as it was read.
        where: it was, for people.

    Raises:
        UserError: it cannot. The message does not show it.
    """
    token = text.decode("latin-1").strip()
    if not all("!" <= character <= "~" for character in token):
        raise UserError(f"{where} is no bearer token: it must be one line, without spaces")
    return token


def read_file(path: Path) -> bytes:
    """The content of a file that belongs to credentials.

    Raises:
        UserError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as exc:
        raise UserError(f"cannot read {path}: {exc.strerror}") from exc
