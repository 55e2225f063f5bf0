"""What the principal's options say on the two ports at which the hub's Argo CD looks."""

from __future__ import annotations

import attrs


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
