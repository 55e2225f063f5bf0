"""``trio-argoagent ctl agent token``: what an operator hands to an agent instead of a key."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

import attrs
import click

from trio_argoagent.cli import running
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.secretdata import NO_ANSWER, data_of, find
from trio_argoagent.cli.tables import table
from trio_argoagent.errors import NotFound, UserError
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki import bundles, keys, tokens
from trio_argoagent.pki.tokens import Kept, Token
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env
from trio_argoagent.principal import claims
from trio_argoagent.principal import tokens as keeping
from trio_argoagent.principal.issuing import SECRET, NotIssuing, read_authorities
from trio_argoagent.runtime.options.usual import PRINCIPAL_SECRET
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync.names import AGENT_NAME, SECRET_TYPE

LONGEST: Final = 30 * 86_400.0
"""Seconds: a token is for now."""


@attrs.frozen
class Made:
    """A new token, and what the hub keeps of it."""

    token: Token
    kept: Kept
    warning: str = ""


def run_create(*, hub: Place, name: str, ttl: float, replace: bool, as_json: bool) -> None:
    """Make a token and print it."""

    async def program() -> int:
        async with hub.open() as cluster:
            made = await create(cluster, hub.namespace, name, ttl, real_env(), replace=replace)
        click.echo(as_document(made) if as_json else made.token.text)
        if not as_json:
            # Not into the file that the token is sent to.
            click.echo(as_text(made), err=True)
        return 0

    running.run(program)


def run_list(*, hub: Place, as_json: bool) -> None:
    """Print the tokens."""

    async def program() -> int:
        async with hub.open() as cluster:
            found = await read_all(cluster, hub.namespace)
        now = real_env().now()
        click.echo(listed_document(found, now) if as_json else listed_text(found, now))
        return 0

    running.run(program)


def run_revoke(*, hub: Place, token: str) -> None:
    """Take a token back."""

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await revoke(cluster, hub.namespace, token))
        return 0

    running.run(program)


async def create(
    hub: Cluster, namespace: str, name: str, ttl: float, env: Env, *, replace: bool = False
) -> Made:
    """Make a token.

    Args:
        hub: its API.
        namespace: Argo CD's.
        name: of the agent.
        ttl: seconds.
        env: time and entropy.
        replace: is it meant for a name that has a certificate?

    Raises:
        UserError: there can be none for that agent, or the hub does not let us.
    """
    if not is_dns_label(name):
        raise UserError(f"{name!r} cannot be an agent's name")
    if not 0 < ttl <= LONGEST:
        raise UserError(f"--ttl: must be up to {LONGEST / 3600:.0f}h: it is for a first contact")
    now = env.now()
    try:
        warning = await _check_name(hub, namespace, name, now, replace=replace)
        made = tokens.make(env.entropy(tokens.ID_SIZE + tokens.SECRET_SIZE), await _pin(hub, namespace))
        kept = tokens.keep(made, name, now + ttl, replaces=replace)
        await hub.create(SECRETS, keeping.make_secret(kept, namespace))
    except NO_ANSWER as exc:
        raise UserError(f"cannot make a token in the hub's namespace {namespace}: {exc}") from exc
    return Made(made, kept, warning)


async def _check_name(hub: Cluster, namespace: str, name: str, now: float, *, replace: bool) -> str:
    """Raises UserError unless the name may have a token; a warning that is to be shown, if so."""
    selector = f"{SECRET_TYPE}=cluster,{AGENT_NAME}={name}"
    found = await hub.list(SECRETS, namespace, selector=selector)
    try:
        record = claims.read_record(found.items, name)
    except claims.Denying as exc:
        raise UserError(exc.answer.detail) from exc
    if record is None:
        return (
            f"the hub knows no agent {name} yet: add it before the token is used (docs/agents.md), unless the"
            " principal runs with --enable-self-cluster-registration"
        )
    if not record.is_taken(now) or replace:
        return ""
    until = f" until {keeping.written(record.until)}" if record.certificate else ""
    advice = "give --replace if whoever uses the token shall take its place"
    raise UserError(f"agent {name} has a certificate{until}: {advice}")


async def _pin(hub: Cluster, namespace: str) -> str:
    """The fingerprint of the root that agents are to find: the one of the principal's own certificate.

    While one root takes over from another there are two. Where the principal's certificate is not in its
    usual Secret it is taken to be of the first.
    """
    try:
        roots = await read_authorities(hub, namespace)
    except NotIssuing as exc:
        raise UserError(f"{exc}; make a CA first: trio-argoagent ctl pki init") from exc
    if not roots:
        raise UserError(f"Secret {namespace}/{SECRET} holds no certificate; see trio-argoagent ctl pki init")
    secret = await find(hub, namespace, PRINCIPAL_SECRET)
    shown = data_of(secret).get("tls.crt", b"") if secret is not None else b""
    chain = keys.load_certificates(shown) if shown else ()
    issuers = (bundles.Bundle.of(roots).issuer_of(each) for each in chain)
    return bundles.fingerprint(next((each for each in issuers if each is not None), roots[0]))


async def read_all(hub: Cluster, namespace: str) -> list[Kept]:
    """The tokens that there are, in the order of their agents.

    Raises:
        UserError: the hub does not let us read them.
    """
    try:
        found = await hub.list(SECRETS, namespace, selector=keeping.SELECTOR)
    except NO_ANSWER as exc:
        raise UserError(f"cannot read the Secrets of the hub's namespace {namespace}: {exc}") from exc
    read = [kept for kept in map(keeping.read_secret, found.items) if kept is not None]
    return sorted(read, key=lambda kept: (kept.agent, kept.expires, kept.id))


async def revoke(hub: Cluster, namespace: str, token: str) -> str:
    """Take a token back; says so.

    Raises:
        UserError: there is none of that id, or the hub does not let us.
    """
    token_id = token.partition(".")[0]
    if not token_id.isascii() or not token_id.isalnum():
        raise UserError("this is no id of a token; see: trio-argoagent ctl agent token list")
    try:
        await hub.delete(SECRETS, namespace, keeping.secret_name(token_id))
    except NotFound as exc:
        raise UserError(f"there is no token {token_id}; see: trio-argoagent ctl agent token list") from exc
    except NO_ANSWER as exc:
        raise UserError(f"cannot remove token {token_id}: {exc}; run it again") from exc
    return f"token {token_id} is gone; a certificate that it was used for is not"


def as_text(made: Made) -> str:
    """For people: what the token is good for, and the command that it is for; not the token itself."""
    until = keeping.written(made.kept.expires)
    lines = [
        f"This token is for agent {made.kept.agent}, to be used once, until {until}; it is not shown again.",
        "On the spoke, put it into the agent's environment (ARGOCD_AGENT_BOOTSTRAP_TOKEN) or into a file:",
        "  trio-argoagent agent --server-address HUB --server-port 443 --agent-mode managed"
        " --bootstrap-token-file FILE",
    ]
    return "\n".join([*lines, *([] if not made.warning else [f"note: {made.warning}"])])


def as_document(made: Made) -> str:
    """One JSON object."""
    return json.dumps({"token": made.token.text, **_document(made.kept), "note": made.warning}, indent=2)


def _document(kept: Kept) -> dict[str, object]:
    return {
        "id": kept.id,
        "agent": kept.agent,
        "expires": keeping.written(kept.expires),
        "replaces": kept.replaces,
    }


def _state(kept: Kept, now: float) -> str:
    if kept.used:
        return "used"
    return "expired" if now >= kept.expires else "waits"


def listed_text(found: Sequence[Kept], now: float) -> str:
    """A table for people."""
    if not found:
        return "there are no tokens; to make one: trio-argoagent ctl agent token NAME"
    rows = [_row(each, now) for each in found]
    return table([("ID", "AGENT", "EXPIRES", "REPLACES", "STATE"), *rows])


def _row(kept: Kept, now: float) -> tuple[str, ...]:
    replaces = "yes" if kept.replaces else "no"
    return kept.id, kept.agent, keeping.written(kept.expires), replaces, _state(kept, now)


def listed_document(found: Sequence[Kept], now: float) -> str:
    """One JSON list."""
    return json.dumps([_document(kept) | {"state": _state(kept, now)} for kept in found], indent=2)
