"""The two ports of the principal that Argo CD looks at: which are open, and what cannot be."""

from __future__ import annotations

import socket
from pathlib import Path

import attrs
import pytest
import trio

from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli.proxies import ProxyTls, open_proxies
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.redis.server import over_tcp
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.options.usual import REDIS_PROXY_SECRET, RESOURCE_PROXY_SECRET
from trio_argoagent.runtime.world import real_env
from trio_argoagent.testing.machine import LOOPBACK

from ..runtime.hubsecrets import NAMESPACE, hub, put
from .conftest import pki

REDIS = over_tcp("127.0.0.1", 1)
PLAIN = ProxyOptions(
    disable_redis_proxy=False,
    redis_proxy_port=0,
    redis_proxy_server_tls_cert="",
    redis_proxy_server_tls_key="",
    redis_proxy_server_tls_secret_name="",
    enable_resource_proxy=True,
    resource_proxy_port=0,
    resource_proxy_cert_path="",
    resource_proxy_key_path="",
    resource_proxy_secret_name="",
)


@pytest.fixture
def identity(tmp_path: Path) -> tuple[str, str]:
    """Paths of a certificate and its key."""
    paths = tmp_path / "tls.crt", tmp_path / "tls.key"
    for path, content in zip(paths, pki().server("proxy"), strict=True):
        path.write_bytes(content)
    return str(paths[0]), str(paths[1])


async def opened(
    options: ProxyOptions, *, redis: bool = True, tls: bool = False, cluster: LocalCluster | None = None
) -> list[str]:
    """The names of what is told when these are opened, and closed again."""
    lines: list[Event] = []
    place, material = Place(cluster or await hub(), NAMESPACE), Material(real_env(), lines.append)
    where = ProxyTls(place, material, redis=tls)
    ports = open_proxies(options, LOOPBACK, REDIS if redis else None, lines.append, where)
    async with ports:
        await trio.lowlevel.checkpoint()
    return [line.name for line in lines]


async def test_which_are_open(identity: tuple[str, str]) -> None:
    """Redis' where there is one; the other one where it has a certificate."""
    certificate, key = identity
    certified = attrs.evolve(PLAIN, resource_proxy_cert_path=certificate, resource_proxy_key_path=key)
    assert await opened(PLAIN) == ["redis-proxy"]
    assert await opened(PLAIN, redis=False) == []
    assert await opened(attrs.evolve(PLAIN, disable_redis_proxy=True)) == []
    assert await opened(certified) == ["redis-proxy", "resource-proxy"]
    assert await opened(attrs.evolve(certified, enable_resource_proxy=False)) == ["redis-proxy"]


async def test_certificates_of_secrets() -> None:
    """The usual ones count where they are; one that was named must be there, and be one."""
    cluster = await hub()
    assert await opened(PLAIN, cluster=cluster) == ["redis-proxy"]
    await put(cluster, RESOURCE_PROXY_SECRET, pki().server("proxy"))
    assert await opened(PLAIN, cluster=cluster) == ["redis-proxy", "resource-proxy"]
    missing = attrs.evolve(PLAIN, redis_proxy_server_tls_secret_name="mine")
    with pytest.raises(UserError, match="--redis-proxy-server-tls-secret-name: Secret argocd/mine is not"):
        await opened(missing, cluster=cluster, tls=True)
    assert await opened(missing, cluster=cluster) == ["redis-proxy", "resource-proxy"]
    await put(cluster, REDIS_PROXY_SECRET, (b"no", b"pem"))
    assert await opened(PLAIN, cluster=cluster) == ["redis-proxy", "resource-proxy"]
    with pytest.raises(UserError, match=f"certificate in tls.crt of Secret argocd/{REDIS_PROXY_SECRET}"):
        await opened(PLAIN, cluster=cluster, tls=True)
    both = attrs.evolve(PLAIN, resource_proxy_secret_name="mine", resource_proxy_cert_path="x")
    with pytest.raises(UserError, match="-cert-path and --resource-proxy-secret-name: give one of the two"):
        await opened(both, cluster=cluster)


async def test_files_that_cannot_be(identity: tuple[str, str]) -> None:
    """One without the other, or something else: one line that names the options."""
    certificate, key = identity
    half = attrs.evolve(PLAIN, resource_proxy_key_path=key)
    with pytest.raises(
        UserError, match="--resource-proxy-cert-path and --resource-proxy-key-path: give both"
    ):
        await opened(half)
    swapped = attrs.evolve(PLAIN, redis_proxy_server_tls_cert=key, redis_proxy_server_tls_key=certificate)
    with pytest.raises(UserError, match="--redis-proxy-server-tls-cert: there is no readable certificate"):
        await opened(swapped, tls=True)
    assert await opened(swapped) == ["redis-proxy"]


async def test_a_port_that_is_taken() -> None:
    """The line names the option."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match="choose another --redis-proxy-port"):
            await opened(attrs.evolve(PLAIN, redis_proxy_port=port))
