"""``trio-argoagent ctl jwt``: the key that argocd-agent's principal signs tokens with."""

from __future__ import annotations

from typing import Final

import attrs
import click

from trio_argoagent.cli import running, secretdata
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.output import fields, rendered
from trio_argoagent.cli.secretdata import NO_ANSWER, data_of
from trio_argoagent.errors import AlreadyExists, NotFound, UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki.signing import BITS, SigningKey, new_signing_key, read_signing_key
from trio_argoagent.ports.cluster import Cluster, MergePatch

SECRET: Final = "argocd-agent-jwt"
KEY: Final = "jwt.key"


@attrs.frozen
class Found:
    """The key that is there, and since when its Secret is."""

    key: SigningKey
    created: str


def run_create(*, hub: Place, upsert: bool) -> None:
    """Make a key."""

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await create(cluster, hub.namespace, upsert=upsert))
        return 0

    running.run(program)


def run_inspect(*, hub: Place, output: str) -> None:
    """Say what the key is."""

    async def program() -> int:
        async with hub.open() as cluster:
            found = await inspect(cluster, hub.namespace)
        document = {
            "keyType": "RSA",
            "keyLength": found.key.bits,
            "created": found.created,
            "sha256": found.key.sha256,
        }
        names = ("Key type", "Key length", "Created", "Key fingerprint")
        text = fields(zip(names, map(str, document.values()), strict=True))
        click.echo(rendered(output, text, document))
        return 0

    running.run(program)


def run_delete(*, hub: Place, force: bool) -> None:
    """Remove the key."""
    where = f"Secret {hub.namespace}/{SECRET}"
    if not force:
        click.confirm(f"Remove {where}? argocd-agent's principal does not start without it", abort=True)

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await delete(cluster, hub.namespace))
        return 0

    running.run(program)


async def create(hub: Cluster, namespace: str, *, upsert: bool) -> str:
    """Put a fresh key into its Secret; says so.

    Raises:
        UserError: there is one already and it is not to be replaced, or the hub does not let us.
    """
    where = f"Secret {namespace}/{SECRET}"
    if await secretdata.find(hub, namespace, SECRET) is not None and not upsert:
        raise UserError(f"{where} is there already: give --upsert to replace its key")
    value = secretdata.opaque(namespace, SECRET, {KEY: new_signing_key()})
    try:
        try:
            await hub.create(SECRETS, value)
        except AlreadyExists:
            if not upsert:
                raise
            await hub.patch(SECRETS, namespace, SECRET, MergePatch({"data": value["data"]}))
            return f"{where}: its key is replaced; tokens that the old one has signed do not count any more"
    except NO_ANSWER as exc:
        raise UserError(f"cannot write {where}: {exc}; run it again") from exc
    return f"{where}: made, with an RSA key of {BITS} bits"


async def inspect(hub: Cluster, namespace: str) -> Found:
    """What the key is.

    Raises:
        UserError: there is none, it cannot be used, or the hub does not let us.
    """
    found = await secretdata.find(hub, namespace, SECRET)
    if found is None:
        raise UserError(f"there is no Secret {namespace}/{SECRET}; see: trio-argoagent ctl jwt create-key")
    try:
        return Found(read_signing_key(data_of(found)[KEY]), found.meta.creation_timestamp or "")
    except KeyError:
        raise UserError(f"Secret {namespace}/{SECRET} has no {KEY}; give create-key --upsert") from None
    except UserError as exc:
        raise UserError(f"Secret {namespace}/{SECRET}: {KEY}: {exc}") from exc


async def delete(hub: Cluster, namespace: str) -> str:
    """Remove its Secret; says so.

    Raises:
        UserError: there is none, or the hub does not let us.
    """
    try:
        await hub.delete(SECRETS, namespace, SECRET)
    except NotFound as exc:
        raise UserError(f"there is no Secret {namespace}/{SECRET}") from exc
    except NO_ANSWER as exc:
        raise UserError(f"cannot remove Secret {namespace}/{SECRET}: {exc}; run it again") from exc
    return f"removed: Secret {namespace}/{SECRET}"
