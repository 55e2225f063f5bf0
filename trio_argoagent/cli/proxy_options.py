"""What the principal's options say on the two ports at which the hub's Argo CD looks."""

from __future__ import annotations

import attrs

from trio_argoagent.cli.tls_sources import Wanted
from trio_argoagent.runtime.options.usual import REDIS_PROXY_SECRET, RESOURCE_PROXY_SECRET
from trio_argoagent.runtime.tlsvalues import CA, CERTIFICATE, KEY


@attrs.frozen
class ProxyOptions:
    """What the options say."""

    disable_redis_proxy: bool
    redis_proxy_port: int
    redis_proxy_server_tls_cert: str
    redis_proxy_server_tls_key: str
    redis_proxy_server_tls_secret_name: str
    enable_resource_proxy: bool
    resource_proxy_port: int
    resource_proxy_cert_path: str
    resource_proxy_key_path: str
    resource_proxy_secret_name: str
    resource_proxy_ca_path: str = ""
    resource_proxy_ca_secret_name: str = ""

    def redis_certificate(self, *, tls: bool) -> Wanted:
        """Of the port for Redis.

        Args:
            tls: is it spoken with Redis, too? Else this port is plain, as argocd-agent's is.
        """
        if not tls:
            return Wanted((), "--redis-proxy-server-tls-secret-name", "", "")
        cert, key = self.redis_proxy_server_tls_cert, self.redis_proxy_server_tls_key
        return Wanted(
            (
                (CERTIFICATE, "--redis-proxy-server-tls-cert", cert),
                (KEY, "--redis-proxy-server-tls-key", key),
            ),
            "--redis-proxy-server-tls-secret-name",
            self.redis_proxy_server_tls_secret_name,
            REDIS_PROXY_SECRET,
        )

    @property
    def resource_certificate(self) -> Wanted:
        """Of the port for live resources."""
        return Wanted(
            (
                (CERTIFICATE, "--resource-proxy-cert-path", self.resource_proxy_cert_path),
                (KEY, "--resource-proxy-key-path", self.resource_proxy_key_path),
            ),
            "--resource-proxy-secret-name",
            self.resource_proxy_secret_name,
            RESOURCE_PROXY_SECRET,
        )

    @property
    def resource_clients(self) -> Wanted:
        """The CAs of who may come there."""
        return Wanted(
            ((CA, "--resource-proxy-ca-path", self.resource_proxy_ca_path),),
            "--resource-proxy-ca-secret-name",
            self.resource_proxy_ca_secret_name,
            "",
        )

    def check(self, *, tls: bool) -> None:
        """Look whether the options of the ports that there are go together.

        Args:
            tls: see ``redis_certificate``.

        Raises:
            UserError: they contradict each other.
        """
        if not self.disable_redis_proxy:
            self.redis_certificate(tls=tls).check()
        if self.enable_resource_proxy:
            self.resource_certificate.check()
            self.resource_clients.check()
