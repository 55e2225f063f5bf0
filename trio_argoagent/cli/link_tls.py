"""TLS of links, from options to contexts that follow their files and Secrets."""

from __future__ import annotations

import ssl
from typing import Final

import attrs

from trio_argoagent.cli.link_tls_options import AgentTls, PrincipalTls
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.net.certificates import CLIENTS, SERVERS
from trio_argoagent.net.contexts import Current, client_context, server_context
from trio_argoagent.net.refusals import Ours
from trio_argoagent.pki.rotation import NOTES
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.freshness import Freshness
from trio_argoagent.runtime.material import Held, Material, renewed
from trio_argoagent.runtime.tlssources import Fixed, Secret, Source
from trio_argoagent.runtime.tlsvalues import CERTIFICATE, KEY, Identity, Part, Trust

USE: Final = "links"
GENERATED_LIFETIME: Final = 365 * 86_400.0
"""Seconds that a generated certificate is good for; each start makes another one."""


@attrs.frozen
class LinkTls:
    """What links have.

    Attributes:
        context: the newest one.
        identity: our certificate.
        trust: the CAs of the peers; None: any certificate is taken.
        ours: for the words about a handshake that has failed.
        freshness: whether it is still what a link was made with.
    """

    context: Current
    identity: Held[Identity]
    trust: Held[Trust] | None
    ours: Ours

    @property
    def freshness(self) -> Freshness:
        """See above."""
        return Freshness(self.identity, self.trust)


async def principal_link_tls(
    options: PrincipalTls,
    place: Place,
    material: Material,
    env: Env,
    *,
    websocket: bool,
    require_client: bool,
) -> LinkTls:
    """A principal's.

    Args:
        options: what the user says.
        place: of Secrets.
        material: follows it.
        env: of the program.
        websocket: may links be WebSockets?
        require_client: refuse whoever has no certificate yet, and may want one; a link takes one in any case.

    Raises:
        UserError: something is missing, cannot be used, or contradicts something else.
    """
    options.check()
    source = _generated(env) if options.insecure_tls_generate else options.certificate.source(place)
    trusted = options.authorities.source(place)
    assert source is not None and trusted is not None  # There is a usual name for each.
    if isinstance(trusted, Secret):
        # What is in files does not follow the Secret, so nobody is told of a rotation there.
        trusted = attrs.evolve(trusted, notes=NOTES)
    trust = await material.trust(f"{USE}: agents", trusted)
    identity = await material.identity(USE, source, SERVERS, None if options.insecure_tls_generate else trust)

    def make() -> ssl.SSLContext:
        return server_context(
            certificate=identity.value.certificate,
            key=identity.value.key,
            client_ca=trust.value.pem,
            require_client=require_client,
            alpn=("h2", "http/1.1") if websocket else ("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
            settings=options.settings,
        )

    return LinkTls(renewed(make, identity, trust), identity, trust, _ours(env, SERVERS, identity, trust))


async def agent_link_tls(
    options: AgentTls, place: Place, material: Material, env: Env, protocol: str, observer: Observer
) -> LinkTls:
    """An agent's.

    Args:
        options: what the user says.
        place: of Secrets.
        material: follows it.
        env: of the program.
        protocol: that TLS is to agree on.
        observer: warned of what is not safe.

    Raises:
        UserError: something is missing, cannot be used, or contradicts something else.
    """
    options.check()
    trust = await _trust_of_agent(options, place, material, observer)
    source = options.certificate.source(place)
    assert source is not None  # There is a usual name.
    identity = await material.identity(USE, source, CLIENTS, trust)

    def make() -> ssl.SSLContext:
        return client_context(
            ca=trust.value.pem if trust is not None else None,
            certificate=identity.value.certificate,
            key=identity.value.key,
            alpn=(protocol,),
            verify=trust is not None,
            minimum=ssl.TLSVersion.TLSv1_3,
            settings=options.settings,
        )

    held: tuple[Held[Identity] | Held[Trust], ...] = (identity, trust) if trust is not None else (identity,)
    return LinkTls(renewed(make, *held), identity, trust, _ours(env, CLIENTS, identity, trust))


async def _trust_of_agent(
    options: AgentTls, place: Place, material: Material, observer: Observer
) -> Held[Trust] | None:
    if not options.insecure_tls:
        source = options.authorities.source(place)
        assert source is not None
        return await material.trust(f"{USE}: the principal", source)
    text = "--insecure-tls: whoever answers at the principal's address is believed, and gets all that is sent"
    observer(Event("tls-insecure", "", text, "warning"))
    return None


def _ours(env: Env, purpose: str, identity: Held[Identity], trust: Held[Trust] | None) -> Ours:
    return Ours(
        env.now,
        purpose,
        lambda: identity.value.chain,
        lambda: trust.value.roots if trust is not None else (),
    )


def _generated(env: Env) -> Source:
    """A certificate of nobody, for whoever does not look."""
    from trio_argoagent.pki import keys
    from trio_argoagent.pki.authority import Authority

    def serial() -> int:
        return keys.serial_number(env.entropy(keys.SERIAL_SIZE))

    authority = Authority.create(
        keys.new_key(), name="generated", serial=serial(), now=env.now(), lifetime=GENERATED_LIFETIME
    )
    key = keys.new_key()
    certificate = authority.issue_server(
        key.public_key(),
        name="generated",
        hosts=("localhost", "127.0.0.1", "::1"),
        serial=serial(),
        now=env.now(),
        lifetime=GENERATED_LIFETIME,
    )
    option = "--insecure-tls-generate"
    parts = {CERTIFICATE: certificate, KEY: keys.key_pem(key)}
    return Fixed({name: Part(option, "memory", content) for name, content in parts.items()})
