"""``trio-argoagent agent``: from options to a running agent."""

from __future__ import annotations

import os

import trio

from trio_argoagent.agent import Agent, health, metrics
from trio_argoagent.agent.office import TlsOffice
from trio_argoagent.cli import running
from trio_argoagent.cli.agent_settings import CHECKS, agent_config, bootstrap_of
from trio_argoagent.cli.auth_options import CredsOptions
from trio_argoagent.cli.credentials import find_credentials
from trio_argoagent.cli.enrolling import enrolled
from trio_argoagent.cli.link_tls import agent_link_tls
from trio_argoagent.cli.link_tls_options import AgentTls
from trio_argoagent.cli.observing import open_observing
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.cli.redis_options import RedisOptions, find_redis
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.cli.tracing import TracingOptions, open_tracing
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.net.connect import tunnel
from trio_argoagent.net.dialling import Connect
from trio_argoagent.net.proxy import environment_proxy
from trio_argoagent.runtime import logs
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.material import open_material
from trio_argoagent.runtime.metrics.common import Around
from trio_argoagent.runtime.options.programs import AGENT
from trio_argoagent.runtime.options.reading import Reading, pick
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.dial import Http2Dialer, TlsDialer


def run_agent(reading: Reading) -> None:
    """Run it until a signal comes.

    Args:
        reading: of its options; without mistakes.
    """
    values = reading.values
    running.refuse_if(reading.contradictions(CHECKS, os.environ))
    log = logs.configure(values["log_level"], values["log_format"])
    farewell = running.Farewell()

    async def program() -> int:
        config = agent_config(values)
        tls, redis, bootstrap = AgentTls.of(values), RedisOptions.of(AGENT, values), bootstrap_of(values)
        redis.credentials()  # Mistakes are told before anything is dialled.
        dialer, protocol = _dialer(websocket=values["enable_websocket"])
        where = values["server_address"], values["server_port"]
        known = pick(CredsOptions, values).read(os.environ, tls, bootstrap, *where)
        observer, env = logs.log_events("agent"), real_env()
        running.remark(reading.remarks, observer)
        connect = _way(*where, observer)
        traces = pick(TracingOptions, values)
        async with (
            open_tracing(traces, "agent", f"agent-{config.mode}", env, observer) as tracing,
            open_observing(pick(ObservingOptions, values), observer) as board,
            open_cluster(await find_credentials(values["kubeconfig"], values["kubecontext"])) as cluster,
            open_material(env, observer) as material,
        ):
            place = Place(cluster, config.namespace)
            dialler = dialer(*where, None, connect=connect, headers=known.headers)
            renewer = link = None
            if known.by_certificate:
                websocket = values["enable_websocket"]
                office = TlsOffice(*where, env.now, connect, not tls.insecure_tls, tls.settings, websocket)
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
            health.show(board, agent, material, env.now)
            session = cluster.session
            around = Around(board.lag, material.statistics, session.requests, session.durations, log)
            renewals = renewer.outcomes if renewer is not None else None
            board.metrics = metrics.exposition(agent, around, renewals)
            if tracing is not None:
                agent.trace(tracing)
            farewell.take = agent.stop
            await agent.run()
        return 0

    running.run(program, farewell)


def _way(host: str, port: int, observer: Observer) -> Connect:
    """How connections to the principal are made.

    Raises:
        UserError: the environment names a proxy that cannot be used.
    """
    proxy = environment_proxy(os.environ, host, port)
    if proxy is None:
        return trio.open_tcp_stream
    observer(Event("proxy", "", f"the principal is reached through the proxy {proxy.where}"))
    return tunnel(proxy)


def _dialer(*, websocket: bool) -> tuple[type[TlsDialer], str]:
    """What links are dialled with, and what TLS is to agree on for it."""
    if not websocket:
        return Http2Dialer, "h2"
    # Here: it loads what the others need not carry.
    from trio_argoagent.stream.websocket_dial import WebSocketDialer

    return WebSocketDialer, "http/1.1"
