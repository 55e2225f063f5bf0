"""``trio-argoagent principal``: from options to a running principal."""

from __future__ import annotations

from typing import Any

import attrs

from trio_argoagent.cli import running
from trio_argoagent.cli.auth_options import Authentication, AuthOptions
from trio_argoagent.cli.credentials import find_credentials
from trio_argoagent.cli.issuing import open_desk
from trio_argoagent.cli.link_tls import principal_link_tls
from trio_argoagent.cli.link_tls_options import PrincipalTls
from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.cli.proxies import ProxyTls, open_proxies
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.cli.reception import open_reception
from trio_argoagent.cli.redis_options import RedisOptions, find_redis, read_redis
from trio_argoagent.cli.registration_options import read_registration
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.net.contexts import Context
from trio_argoagent.net.plaintext import Neighbours
from trio_argoagent.net.refusals import Ours
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import Principal
from trio_argoagent.principal.enrolment import Desk
from trio_argoagent.runtime import logs
from trio_argoagent.runtime.audit import open_audit_log
from trio_argoagent.runtime.config import NamespaceCreation, PrincipalConfig
from trio_argoagent.runtime.enrolment import Rules
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.runtime.loglevels import Levels
from trio_argoagent.runtime.material import Material, open_material
from trio_argoagent.runtime.strangers import Strangers
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import Patterns
from trio_argoagent.sync.policy import Local


def run_principal(
    *,
    listen_host: str,
    listen_port: int,
    namespace: str,
    tls: PrincipalTls,
    enable_websocket: bool,
    keepalive: float,
    kubeconfig: str,
    kubecontext: str,
    log_level: Levels,
    log_format: str,
    audit_log: str,
    bans: bool,
    auth: AuthOptions,
    redis: RedisOptions,
    proxies: ProxyOptions,
    enrolment: Rules,
    **settings: Any,
) -> None:
    """Run it until a signal comes."""
    logs.configure(log_level, log_format)
    farewell = running.Farewell()

    async def program() -> int:
        config = _config(namespace, keepalive, **settings)
        read_redis(redis)  # Mistakes are told before anything listens.
        observer, env = logs.log_events("principal"), real_env()
        async with (
            open_audit_log(audit_log) as audit,
            open_cluster(await find_credentials(kubeconfig, kubecontext)) as cluster,
            open_material(env, observer) as material,
        ):
            place = Place(cluster, namespace)
            way = await _beginning(auth, tls, place, material, env, websocket=enable_websocket)
            server = await find_redis(redis, place, material)
            proxy_tls = ProxyTls(place, material, tls.settings, redis=redis.tls_enabled)
            door = open_reception(way.asked.identify, audit, bans=bans)
            tell = Strangers(observer, audit, way.ours)
            rules = attrs.evolve(enrolment, registers=config.registration is not None)
            desk = Desk(cluster, namespace, env, rules, door.admission, observer, audit)
            async with (
                listening(listen_host, listen_port, "--listen-port") as listeners,
                open_desk(desk, way.asked) as routes,
                open_proxies(proxies, listen_host, server, observer, proxy_tls),
            ):
                observer(Event("listening", "", f"agents may dial {addresses(listeners)}"))
                principal = Principal(
                    config, cluster=cluster, env=env, observer=observer, audit=audit, redis=server,
                    listener=Http2Listener(listeners, way.by, door.admission, tell, enable_websocket, routes),
                    gatekeeper=door.gatekeeper,
                )  # fmt: skip
                principal.follow(way.freshness)
                farewell.take = principal.stop
                await principal.run()
        return 0

    running.run(program, farewell)


def _config(
    namespace: str,
    keepalive: float,
    *,
    max_deletions: int | None,
    max_inferred_deletions: int | None,
    local_annotations: tuple[str, ...],
    local_labels: tuple[str, ...],
    enable_self_cluster_registration: bool,
    self_registration_client_cert_secret: str,
    resource_proxy_address: str,
    intent_expiry: float,
    max_link_age: float,
    max_hub_writes: float,
    max_agent_objects: int,
    style: Style,
    allowed_namespaces: Patterns | None,
    selector: LabelSelector,
    create_namespaces: bool,
    create_pattern: str,
    create_labels: tuple[tuple[str, str], ...],
) -> PrincipalConfig:
    """The settings that the options ask for.

    Raises:
        UserError: they contradict each other.
    """
    if (create_pattern or create_labels) and not create_namespaces:
        raise UserError("--namespace-create-pattern and -labels: need --namespace-create-enable")
    registration = read_registration(
        enabled=enable_self_cluster_registration,
        secret=self_registration_client_cert_secret,
        address=resource_proxy_address,
    )
    return PrincipalConfig(
        namespace,
        keepalive,
        Limits.of(max_deletions, max_inferred_deletions),
        Local(local_annotations, local_labels),
        registration,
        intent_expiry,
        max_link_age,
        max_hub_writes,
        max_agent_objects,
        style=style,
        allowed_namespaces=allowed_namespaces,
        selector=selector,
        creation=NamespaceCreation(create_pattern, create_labels) if create_namespaces else None,
    )


@attrs.frozen
class _Beginning:
    """Who is let in; by TLS, or who may do without; what to say of failed handshakes; what TLS is made of."""

    asked: Authentication
    by: Context | Neighbours
    ours: Ours | None = None
    freshness: Freshness | None = None


async def _beginning(
    auth: AuthOptions, tls: PrincipalTls, place: Place, material: Material, env: Env, *, websocket: bool
) -> _Beginning:
    """How connections of agents way.

    Raises:
        UserError: see ``AuthOptions.read`` and ``principal_link_tls``.
    """
    asked = auth.read(place.namespace, tls)
    if asked.neighbours is None:
        link = await principal_link_tls(
            tls, place, material, env, websocket=websocket, require_client=asked.requires
        )
        return _Beginning(asked, link.context, link.ours, link.freshness)
    return _Beginning(asked, asked.neighbours)
