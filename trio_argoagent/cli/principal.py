"""``trio-argoagent principal``: from options to a running principal."""

from __future__ import annotations

import os

import attrs

from trio_argoagent.cli import running
from trio_argoagent.cli.auth_options import Authentication, AuthOptions
from trio_argoagent.cli.credentials import find_credentials
from trio_argoagent.cli.issuing import open_desk
from trio_argoagent.cli.link_tls import principal_link_tls
from trio_argoagent.cli.link_tls_options import PrincipalTls
from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.cli.observing import open_observing
from trio_argoagent.cli.observing_options import ObservingOptions
from trio_argoagent.cli.principal_settings import CHECKS, enrolment_rules, principal_config
from trio_argoagent.cli.proxies import ProxyTls, open_proxies
from trio_argoagent.cli.proxy_options import ProxyOptions
from trio_argoagent.cli.reception import open_reception
from trio_argoagent.cli.redis_options import RedisOptions, find_redis
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.cli.tracing import TracingOptions, open_tracing
from trio_argoagent.kube.client import open_cluster
from trio_argoagent.net.contexts import Context
from trio_argoagent.net.plaintext import Neighbours
from trio_argoagent.net.refusals import Ours
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import Principal, health, metrics
from trio_argoagent.principal.enrolment import Desk
from trio_argoagent.runtime import logs
from trio_argoagent.runtime.audit import open_audit_log
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.runtime.material import Material, open_material
from trio_argoagent.runtime.metrics.common import Around, Rulings
from trio_argoagent.runtime.options.programs import PRINCIPAL
from trio_argoagent.runtime.options.reading import Reading, pick
from trio_argoagent.runtime.strangers import Strangers
from trio_argoagent.runtime.world import real_env
from trio_argoagent.stream.listen import Http2Listener


def run_principal(reading: Reading) -> None:
    """Run it until a signal comes.

    Args:
        reading: of its options; without mistakes.
    """
    values = reading.values
    running.refuse_if(reading.contradictions(CHECKS, os.environ))
    log = logs.configure(values["log_level"], values["log_format"])
    farewell = running.Farewell()

    async def program() -> int:
        config = principal_config(values)
        tls, auth = PrincipalTls.of(values), pick(AuthOptions, values)
        redis = RedisOptions.of(PRINCIPAL, values)
        redis.credentials()  # Mistakes are told before anything listens.
        observer, env = logs.log_events("principal"), real_env()
        running.remark(reading.remarks, observer)
        traces = pick(TracingOptions, values)
        async with (
            open_audit_log(values["audit_log"]) as audited,
            open_tracing(traces, "principal", "principal", env, observer) as tracing,
            open_observing(pick(ObservingOptions, values), observer) as board,
            open_cluster(await find_credentials(values["kubeconfig"], values["kubecontext"])) as cluster,
            open_material(env, observer) as material,
        ):
            audit = Rulings(audited)
            place = Place(cluster, config.namespace)
            websocket = values["enable_websocket"]
            way = await _beginning(auth, tls, place, material, env, websocket=websocket)
            server = await find_redis(redis, place, material)
            proxy_tls = ProxyTls(place, material, tls.settings, redis=redis.tls_enabled)
            door = open_reception(way.asked.identify, audit, bans=values["bans"])
            tell = Strangers(observer, audit, way.ours)
            desk = Desk(
                cluster, config.namespace, env, enrolment_rules(values), door.admission, observer, audit
            )
            host = values["listen_host"]
            async with (
                listening(host, values["listen_port"], "--listen-port") as listeners,
                open_desk(desk, way.asked) as routes,
                open_proxies(pick(ProxyOptions, values), host, server, observer, proxy_tls) as proxy,
            ):
                observer(Event("listening", "", f"agents may dial {addresses(listeners)}"))
                principal = Principal(
                    config, cluster=cluster, env=env, observer=observer, audit=audit, redis=server,
                    listener=Http2Listener(listeners, way.by, door.admission, tell, websocket, routes),
                    gatekeeper=door.gatekeeper,
                )  # fmt: skip
                principal.follow(way.freshness)
                health.show(board, principal, material, env.now)
                session = cluster.session
                around = Around(board.lag, material.statistics, session.requests, session.durations, log)
                board.metrics = metrics.exposition(principal, around, audit.counts, desk.denials, proxy)
                if tracing is not None:
                    principal.trace(tracing)
                farewell.take = principal.stop
                await principal.run()
        return 0

    running.run(program, farewell)


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
