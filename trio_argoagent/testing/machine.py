"""One cluster on this machine: an embedded API server over HTTPS on loopback and a kubeconfig for kubectl."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import trio

from trio_argoagent.apiserver.core.rbac import open_rbac
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.crds import argocd_server
from trio_argoagent.apiserver.http import Faults, kubeconfig, serve_api
from trio_argoagent.apiserver.http.handler import Audited
from trio_argoagent.apiserver.local import LocalCluster, run_collector
from trio_argoagent.kube.credentials import Credentials
from trio_argoagent.model.resources import NAMESPACES
from trio_argoagent.net.contexts import server_context
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.listening import open_listeners
from trio_argoagent.testing.furnishing import add_agent

LOOPBACK: Final = "127.0.0.1"
NAMESPACE: Final = "argocd"
"""Argo CD's namespace on every cluster."""
USER: Final = "you"
"""Whoever uses the printed kubeconfigs, in the API servers' logs."""
UNOBSERVED: Final = {
    f"ARGOCD_{program}_{port}_PORT": "0"
    for program in ("PRINCIPAL", "AGENT")
    for port in ("METRICS", "HEALTH_CHECK")
}
"""Environment of programs that share this machine: each would open the same ports to be observed at."""
LIFETIME: Final = 7 * 24 * 3600.0
"""Seconds that the certificates are valid."""


@attrs.frozen
class Pki:
    """The authority of one fleet; it lives and dies with it. Keys are never drawn from a seed."""

    authority: Authority
    env: Env

    @classmethod
    def create(cls, env: Env) -> Pki:
        """A new authority."""
        serial = keys.serial_number(env.entropy(keys.SERIAL_SIZE))
        name = "trio-argoagent demo"
        return cls(Authority.create(keys.new_key(), name=name, serial=serial, now=env.now()), env)

    @property
    def ca(self) -> bytes:
        """PEM of what everybody trusts here."""
        return self.authority.certificate_pem

    def server(self, name: str) -> tuple[bytes, bytes]:
        """Certificate and key of a server on loopback, PEM."""
        key = keys.new_key()
        serial = keys.serial_number(self.env.entropy(keys.SERIAL_SIZE))
        hosts = ("localhost", LOOPBACK)
        certificate = self.authority.issue_server(
            key.public_key(), name=name, hosts=hosts, serial=serial, now=self.env.now(), lifetime=LIFETIME
        )
        return certificate, keys.key_pem(key)

    def agent(self, name: str) -> tuple[bytes, bytes]:
        """Certificate and key of an agent, PEM."""
        key = keys.new_key()
        serial = keys.serial_number(self.env.entropy(keys.SERIAL_SIZE))
        certificate = self.authority.issue_client(
            key.public_key(), agent=name, serial=serial, now=self.env.now(), lifetime=LIFETIME
        )
        return certificate, keys.key_pem(key)


class Machine:
    """One cluster.

    Args:
        name: of the node.
        pki: certifies its API server.
        env: time and randomness.
        folder: where its kubeconfig is written.
        audit: told of each request that has been answered. With it, roles and bindings say who may do what:
            whom ``credentials`` names may do everything, everybody else gets a token from the server.
    """

    def __init__(
        self,
        name: str,
        pki: Pki,
        env: Env,
        folder: Path,
        audit: Callable[[Audited], None] | None = None,
    ) -> None:
        self.name = name
        self.server: ApiServer = argocd_server(entropy=env.entropy, now=env.now())
        self.faults = Faults()
        """What befalls requests; with an ``audit`` only."""
        self._audit = audit
        self._authorizer = open_rbac(self.server, env.now()) if audit is not None else None
        self.kubeconfig = folder / f"{name}.kubeconfig"
        self._pki, self._env = pki, env
        self._tokens = {role: env.entropy(16).hex() for role in (USER, "principal", "agent")}
        self._port = 0

    def local(self, actor: str) -> LocalCluster:
        """The cluster in process, as that actor."""
        return LocalCluster(self.server, env=self._env, actor=actor)

    def credentials(self, actor: str) -> Credentials:
        """What that actor needs to reach it over HTTPS."""
        return Credentials(LOOPBACK, self._port, ca=self._pki.ca, token=self._tokens[actor])

    async def make_namespaces(self, *names: str) -> None:
        """Create these namespaces."""
        for name in names:
            value = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
            await self.local("setup").create(NAMESPACES, value)

    async def add_agents(self, *names: str) -> None:
        """Make a namespace and a cluster secret for each of these agents, as its platform team would."""
        for name in names:
            await add_agent(self.local("setup"), NAMESPACE, name)

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Serve until cancelled."""
        certificate, key = self._pki.server(f"{self.name} API server")
        context = server_context(
            certificate=certificate,
            key=key,
            client_ca=None,
            require_client=False,
            alpn=("h2", "http/1.1"),
        )
        async with open_listeners(LOOPBACK, 0) as listeners, trio.open_nursery() as nursery:
            self._port = listeners[0].socket.getsockname()[1]
            await self._write_kubeconfig()
            tokens = {token: role for role, token in self._tokens.items()}
            nursery.start_soon(lambda: run_collector(self.server, env=self._env))
            serve = partial(
                serve_api, self.server, listeners, context, env=self._env, tokens=tokens
            )
            if self._audit is not None:
                serve = partial(serve, faults=self.faults, authorizer=self._authorizer, audit=self._audit)
            await nursery.start(serve)
            task_status.started()

    async def _write_kubeconfig(self) -> None:
        text = kubeconfig(
            LOOPBACK, self._port, self._pki.ca, self._tokens[USER], name=self.name, namespace=NAMESPACE
        )
        path = trio.Path(self.kubeconfig)
        await path.touch(0o600)  # Before the token is in it.
        await path.write_text(text)
