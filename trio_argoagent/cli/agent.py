"""``trio-argoagent agent``: from options to a running agent."""

from __future__ import annotations

import os
from typing import Any

import trio

from trio_argoagent.agent import Agent
from trio_argoagent.agent.office import TlsOffice
from trio_argoagent.cli import running
from trio_argoagent.cli.auth_options import CredsOptions
from trio_argoagent.cli.bootstrap_options import Bootstrap
from trio_argoagent.cli.credentials import find_credentials
from trio_argoagent.cli.enrolling import enrolled
from trio_argoagent.cli.link_tls import agent_link_tls
from trio_argoagent.cli.link_tls_options import AgentTls
from trio_argoagent.cli.redis_options import RedisOptions, find_redis, read_redis
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.selectors import LabelSelector
from trio_argoagent.net.connect import tunnel
from trio_argoagent.net.proxy import environment_proxy
from trio_argoagent.runtime import logs
from trio_argoagent.runtime.config import AgentConfig
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.loglevels import Levels
from trio_argoagent.runtime.material import open_material
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.dial import Http2Dialer, TlsDialer
from trio_argoagent.sync.flow import Budget
from trio_argoagent.sync.guard import Limits
from trio_argoagent.sync.mapping import Style
from trio_argoagent.sync.patterns import NONE, Patterns
from trio_argoagent.sync.policy import Adoption, Local, Mismatch, Policies, Recreation


def run_agent(
    *,
    server_address: str,
    server_port: int,
    namespace: str,
    agent_mode: str,
    tls: AgentTls,
    creds: CredsOptions,
    enable_websocket: bool,
    kubeconfig: str,
    kubecontext: str,
    log_level: Levels,
    log_format: str,
    redis: RedisOptions,
    bootstrap: Bootstrap,
    **settings: Any,
) -> None:
    """Run it until a signal comes."""
    logs.configure(log_level, log_format)
    farewell = running.Farewell()

    async def program() -> int:
        config = _config(namespace, Mode(agent_mode), **settings)
        read_redis(redis)  # Mistakes are told before anything is dialled.
        dialer, protocol = _dialer(websocket=enable_websocket)
        known = creds.read(os.environ, tls, bootstrap, server_address, server_port)
        proxy = environment_proxy(os.environ, server_address, server_port)
        credentials = await find_credentials(kubeconfig, kubecontext)
        observer, env = logs.log_events("agent"), real_env()
        if proxy is not None:
            observer(Event("proxy", "", f"the principal is reached through the proxy {proxy.where}"))
        connect = tunnel(proxy) if proxy is not None else trio.open_tcp_stream
        async with (
            open_cluster(credentials) as cluster,
            open_material(env, observer) as material,
        ):
            place = Place(cluster, namespace)
            where = server_address, server_port
            dialler = dialer(*where, None, connect=connect, headers=known.headers)
            renewer = link = None
            if known.by_certificate:
                office = TlsOffice(*where, env.now, connect, not tls.insecure_tls, tls.settings)
                renewer = await enrolled(bootstrap, tls, place, office, env, observer)
                link = await agent_link_tls(tls, place, material, env, protocol, observer)
                dialler = dialer(*where, link.context, connect=connect, ours=link.ours)
            agent = Agent(
                config,
                cluster=cluster,
                dialer=dialler,
                env=env,
                freshness=link.freshness if link is not None else None,
                observer=observer,
                redis=await find_redis(redis, place, material),
                renewer=renewer,
            )
            farewell.take = agent.stop
            await agent.run()
        return 0

    running.run(program, farewell)


def _dialer(*, websocket: bool) -> tuple[type[TlsDialer], str]:
    """What links are dialled with, and what TLS is to agree on for it."""
    if not websocket:
        return Http2Dialer, "h2"
    # Here: it loads what the others need not carry.
    from trio_argoagent.stream.websocket_dial import WebSocketDialer

    return WebSocketDialer, "http/1.1"


def _config(
    namespace: str,
    mode: Mode,
    *,
    max_deletions: int | None,
    max_inferred_deletions: int | None,
    local_annotations: tuple[str, ...],
    local_labels: tuple[str, ...],
    adoption_policy: str,
    source_uid_mismatch_policy: str,
    on_application_recreate: str,
    status_budget_records: int,
    status_budget_bytes: int,
    status_budget_cosmetic: int,
    cache_refresh_interval: float,
    style: Style,
    allowed_namespaces: Patterns | None,
    selector: LabelSelector,
    creates_namespaces: bool,
    ignores_unmanaged: bool,
    tunnel_addresses: tuple[str, ...],
) -> AgentConfig:
    """The settings that the options ask for.

    Raises:
        UserError: they contradict each other.
    """
    return AgentConfig(
        namespace,
        mode,
        limits=Limits.of(max_deletions, max_inferred_deletions),
        policies=Policies(
            Adoption(adoption_policy),
            Mismatch(source_uid_mismatch_policy),
            Recreation(on_application_recreate),
            Local(local_annotations, local_labels),
        ),
        count_every=cache_refresh_interval,
        style=style,
        allowed_namespaces=allowed_namespaces or NONE,
        creates_namespaces=creates_namespaces,
        selector=selector,
        ignores_unmanaged=ignores_unmanaged,
        budget=Budget(status_budget_records, status_budget_bytes, status_budget_cosmetic),
        tunnel_addresses=tunnel_addresses,
    )
