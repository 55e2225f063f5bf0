"""Real API servers on loopback: one etcd, and a kube-apiserver with its controllers for each cluster.

They are ended whatever happens, by a process group of their own, and leave nothing but the folder they were
given. Everything is as small as Kubernetes lets it be: no admission of service accounts, no endpoints, two
controllers (namespaces and garbage), no fsync.
"""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import socket
import ssl
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import attrs
import trio
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from trio_argoagent.runtime.world import real_env

LOOPBACK: Final = "127.0.0.1"
START_TIMEOUT: Final = 180.0
"""Seconds until a server is ready; a few are what it takes when nothing else runs."""
STOP_TIMEOUT: Final = 10.0
"""Seconds that a program has to end by itself."""
POLL: Final = 0.25
"""Seconds between two looks at whether a server is ready."""
_CONTROLLERS: Final = "namespace-controller,garbage-collector-controller"


@attrs.frozen
class RealServer:
    """One cluster."""

    name: str
    port: int
    ca: bytes
    token: str


def free_ports(count: int) -> Sequence[int]:
    """Ports that nobody listens on now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]


@contextlib.asynccontextmanager
async def running(command: Sequence[str], log: Path) -> AsyncIterator[trio.Process]:
    """A program with its output in a file, in a session of its own, gone when the block is left."""
    with log.open("wb") as output:
        process = await trio.lowlevel.open_process(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    try:
        yield process
    finally:
        with trio.CancelScope(shield=True):
            process.terminate()
            with trio.move_on_after(STOP_TIMEOUT):
                await process.wait()
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


@contextlib.asynccontextmanager
async def open_servers(programs: Path, folder: Path, names: Sequence[str]) -> AsyncIterator[list[RealServer]]:
    """Real clusters of these names, ready.

    Args:
        programs: where ``build`` has put them.
        folder: for their files and logs.
        names: of the clusters.

    Raises:
        RuntimeError: a program ended, or was not ready in time; the text ends with what it said last.
    """
    client, peer, *ports = free_ports(2 + 2 * len(names))
    endpoint = f"http://{LOOPBACK}:{client}"
    etcd = (
        str(programs / "etcd"), "--unsafe-no-fsync", f"--data-dir={folder / 'etcd'}", "--name=store",
        f"--listen-client-urls={endpoint}", f"--advertise-client-urls={endpoint}",
        f"--listen-peer-urls=http://{LOOPBACK}:{peer}",
        f"--initial-advertise-peer-urls=http://{LOOPBACK}:{peer}",
        f"--initial-cluster=store=http://{LOOPBACK}:{peer}",
    )  # fmt: skip
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(running(etcd, folder / "etcd.log"))
        servers = []
        for name, port, other in zip(names, ports[::2], ports[1::2], strict=True):
            home = folder / name
            home.mkdir()
            servers.append(await _start(stack, programs, home, endpoint, name, port, other))
        yield servers


async def _start(
    stack: contextlib.AsyncExitStack, programs: Path, home: Path, etcd: str, name: str, port: int, other: int
) -> RealServer:
    token = real_env().entropy(16).hex()
    (home / "tokens.csv").write_text(f'{token},tester,1,"system:masters"\n')
    (home / "service-account.key").write_bytes(_service_account_key())
    command = (
        str(programs / "apiserver"), f"--etcd-servers={etcd}", f"--etcd-prefix=/{name}",
        f"--bind-address={LOOPBACK}", f"--advertise-address={LOOPBACK}", f"--secure-port={port}",
        f"--cert-dir={home}", f"--token-auth-file={home / 'tokens.csv'}", "--authorization-mode=RBAC",
        f"--service-account-key-file={home / 'service-account.key'}",
        f"--service-account-signing-key-file={home / 'service-account.key'}",
        "--service-account-issuer=https://kubernetes.default.svc", "--service-cluster-ip-range=10.0.0.0/24",
        "--disable-admission-plugins=ServiceAccount", "--endpoint-reconciler-type=none",
    )  # fmt: skip
    process = await stack.enter_async_context(running(command, home / "apiserver.log"))
    await _ready(process, home / "apiserver.log", port, token)
    server = RealServer(name, port, (home / "apiserver.crt").read_bytes(), token)
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text(yaml.safe_dump(kubeconfig_of([server])))
    controllers = (
        str(programs / "controllers"), f"--kubeconfig={kubeconfig}", f"--secure-port={other}",
        f"--bind-address={LOOPBACK}", f"--cert-dir={home}", f"--controllers={_CONTROLLERS}",
        "--leader-elect=false", "--concurrent-namespace-syncs=4", "--namespace-sync-period=5s",
    )  # fmt: skip
    await stack.enter_async_context(running(controllers, home / "controllers.log"))
    return server


def _service_account_key() -> bytes:
    return rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


async def _ready(process: trio.Process, log: Path, port: int, token: str) -> None:
    with trio.move_on_after(START_TIMEOUT):
        while process.poll() is None:
            if await _asks(port, token):
                return
            await trio.sleep(POLL)
    said = await trio.Path(log).read_text()
    raise RuntimeError(f"{process.args[0]} is not ready; it said last:\n{said[-2000:]}")


async def _asks(port: int, token: str) -> bool:
    """Is it ready? Whom it certifies itself to be is looked at by the tests, not here."""
    context = ssl._create_unverified_context()  # Its certificate is written as it starts.
    request = f"GET /readyz HTTP/1.1\r\nHost: {LOOPBACK}\r\nAuthorization: Bearer {token}\r\n"
    try:
        stream = await trio.open_ssl_over_tcp_stream(
            LOOPBACK, port, ssl_context=context, https_compatible=True
        )
        async with stream:
            await stream.send_all(f"{request}Connection: close\r\n\r\n".encode())
            return (await stream.receive_some()).startswith(b"HTTP/1.1 200")
    except (OSError, trio.BrokenResourceError):
        return False


def kubeconfig_of(servers: Sequence[RealServer]) -> dict[str, object]:
    """A kubeconfig with a context for each; the first is the current one."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": servers[0].name,
        "contexts": [{"name": s.name, "context": {"cluster": s.name, "user": s.name}} for s in servers],
        "users": [{"name": s.name, "user": {"token": s.token}} for s in servers],
        "clusters": [
            {
                "name": s.name,
                "cluster": {
                    "server": f"https://{LOOPBACK}:{s.port}",
                    "certificate-authority-data": base64.b64encode(s.ca).decode(),
                },
            }
            for s in servers
        ],
    }
