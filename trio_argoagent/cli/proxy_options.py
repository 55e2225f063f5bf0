"""The principal's options for the two ports at which the hub's Argo CD looks; argocd-agent's names.

argocd-agent has their ports fixed (6379 and 9090); another one is for several principals on one machine.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar

import attrs
import click

F = TypeVar("F", bound=Callable[..., Any])
REDIS_SECRET = "argocd-redis-proxy-tls"
RESOURCE_SECRET = "argocd-agent-resource-proxy-tls"
_PORT = click.IntRange(0, 65535)


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


def proxy_options(command: F) -> F:
    """All of them; the command gets them as one argument, ``proxies``."""

    @functools.wraps(command)
    def packed(**given: Any) -> Any:
        ours = {field.name: given.pop(field.name) for field in attrs.fields(ProxyOptions)}
        return command(proxies=ProxyOptions(**ours), **given)

    result: Any = packed
    for option in reversed((*_redis(), *_resource())):
        result = option(result)
    return result  # type: ignore[no-any-return]


def _redis() -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--disable-redis-proxy",
            envvar="ARGOCD_PRINCIPAL_DISABLE_REDIS_PROXY",
            is_flag=True,
            help="Do not pass Argo CD's connections on to Redis.",
        ),
        click.option(
            "--redis-proxy-port",
            envvar="ARGOCD_PRINCIPAL_REDIS_PROXY_PORT",
            default=6379,
            show_default=True,
            type=_PORT,
            metavar="PORT",
            help="Where Argo CD finds Redis; 0: a free one, which the log names.",
        ),
        click.option(
            "--redis-proxy-server-tls-cert",
            envvar="ARGOCD_PRINCIPAL_REDIS_PROXY_SERVER_TLS_CERT_PATH",
            default="",
            metavar="FILE",
            help="PEM: that port's certificate, instead of a Secret; without either it is plain.",
        ),
        click.option(
            "--redis-proxy-server-tls-key",
            envvar="ARGOCD_PRINCIPAL_REDIS_PROXY_SERVER_TLS_KEY_PATH",
            default="",
            metavar="FILE",
            help="PEM: its private key.",
        ),
        click.option(
            "--redis-proxy-server-tls-secret-name",
            envvar="ARGOCD_PRINCIPAL_REDIS_PROXY_SERVER_TLS_SECRET_NAME",
            default="",
            metavar="NAME",
            help=f"The Secret with both; by default {REDIS_SECRET} if it is there and --redis-tls-enabled.",
        ),
    )


def _resource() -> tuple[Callable[[Any], Any], ...]:
    return (
        click.option(
            "--enable-resource-proxy",
            envvar="ARGOCD_PRINCIPAL_ENABLE_RESOURCE_PROXY",
            default=True,
            show_default=True,
            type=click.BOOL,
            metavar="true|false",
            help="Tell Argo CD why it cannot see an agent's live resources; needs a certificate.",
        ),
        click.option(
            "--resource-proxy-port",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_PORT",
            default=9090,
            show_default=True,
            type=_PORT,
            metavar="PORT",
            help="Where that is told; 0: a free one, which the log names.",
        ),
        click.option(
            "--resource-proxy-cert-path",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_TLS_CERT_PATH",
            default="",
            metavar="FILE",
            help="PEM: that port's certificate, instead of a Secret; without either the port is closed.",
        ),
        click.option(
            "--resource-proxy-key-path",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_TLS_KEY_PATH",
            default="",
            metavar="FILE",
            help="PEM: its private key.",
        ),
        click.option(
            "--resource-proxy-secret-name",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_SECRET_NAME",
            default="",
            metavar="NAME",
            help=f"The Secret with both; by default {RESOURCE_SECRET} if it is there.",
        ),
        click.option(
            "--resource-proxy-ca-path",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_TLS_CA_PATH",
            default="",
            metavar="FILE",
            help="PEM: the CA that certifies that port's clients; without it they need no certificate.",
        ),
        click.option(
            "--resource-proxy-ca-secret-name",
            envvar="ARGOCD_PRINCIPAL_RESOURCE_PROXY_CA_SECRET_NAME",
            default="",
            metavar="NAME",
            help="The Secret with that CA (ca.crt, else tls.crt), instead of a file.",
        ),
    )
