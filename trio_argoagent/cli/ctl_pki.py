"""``trio-argoagent ctl pki init|issue|propagate|delete``: the fleet's own certificate authority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import click

from trio_argoagent.cli import running, vaults
from trio_argoagent.cli.contexts import Place, needed
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.vaults import Kept, Vault, agent_folder, open_hub, open_spoke
from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.pki import keys, names
from trio_argoagent.pki.authority import DAY, Authority
from trio_argoagent.pki.bundles import Bundle
from trio_argoagent.pki.inspection import Role, inspect, moment
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.world import real_env


def run_init(*, hub: Place, folder: str, force: bool, order: Order) -> None:
    """Make the authority."""

    async def program() -> int:
        async with open_hub(hub, folder) as vault:
            _say(await init(vault, order, real_env(), force=force))
        return 0

    running.run(program)


def run_issue_server(
    *,
    hub: Place,
    folder: str,
    component: str,
    hosts: Sequence[str] | None,
    upsert: bool,
    order: Order,
) -> None:
    """Certify a server of the hub."""

    async def program() -> int:
        async with open_hub(hub, folder) as vault:
            _say(await issue_server(vault, component, hosts, order, real_env(), upsert=upsert))
        return 0

    running.run(program)


def run_issue_agent(
    *,
    hub: Place,
    spoke: Place | None,
    folder: str,
    spoke_folder: str,
    same_context: bool,
    name: str,
    upsert: bool,
    order: Order,
) -> None:
    """Certify an agent."""
    place, files = where(hub, spoke, folder, spoke_folder, name, same_context=same_context)

    async def program() -> int:
        async with open_hub(hub, folder) as vault, open_spoke(place, files) as there:
            _say(await issue_agent(vault, there, name, order, real_env(), upsert=upsert))
        return 0

    running.run(program)


def run_propagate(
    *, hub: Place, spoke: Place | None, folder: str, spoke_folder: str, name: str, force: bool
) -> None:
    """Let an agent trust the authority."""
    if folder and not name:
        raise click.UsageError("which agent? Give its NAME", click.get_current_context())
    place, files = where(hub, spoke, folder, spoke_folder, name)

    async def program() -> int:
        async with open_hub(hub, folder) as vault, open_spoke(place, files) as there:
            click.echo(await propagate(vault, there, force=force))
        return 0

    running.run(program)


def run_delete(*, hub: Place, folder: str, force: bool) -> None:
    """Remove the authority."""
    if not force:
        click.confirm("Delete the CA and its key? Nothing can be issued or renewed any more", abort=True)

    async def program() -> int:
        async with open_hub(hub, folder) as vault:
            await vault.delete(vaults.CA)
            click.echo(
                f"deleted {vault.called(vaults.CA)}; what it has issued goes on working until it expires"
            )
        return 0

    running.run(program)


def where(
    hub: Place,
    spoke: Place | None,
    folder: str,
    spoke_folder: str,
    name: str,
    *,
    same_context: bool = False,
) -> tuple[Place | None, str]:
    """The spoke's cluster, or else the folder of its files.

    Raises:
        click.UsageError: nobody has said which.
    """
    if spoke_folder:
        return None, spoke_folder
    if folder:
        if not is_dns_label(name):
            raise click.UsageError(f"{name!r} cannot be an agent's name", click.get_current_context())
        return None, agent_folder(folder, name)
    if same_context:
        return (spoke or hub), ""
    return needed(spoke), ""


# What is done


async def init(vault: Vault, order: Order, env: Env, *, force: bool) -> list[str]:
    """Make an authority; says what was done.

    Raises:
        UserError: there is one already, or it cannot be made.
    """
    keys.check_choice(order.key_algorithm, order.key_size)
    found = await vault.read(vaults.CA)
    called = vault.called(vaults.CA)
    if found is not None and not force:
        raise UserError(
            f"{called} exists: to replace it without losing an agent, trio-argoagent ctl pki rotate-ca;"
            " to replace it all the same, --force"
        )
    made = create_authority(order, env)
    data = {"tls.crt": made.certificate_pem, "tls.key": made.key_pem}
    await vault.write(vaults.CA, data, over=found, annotations=dict.fromkeys(_ours(found)))
    done = [f"{'replaced' if found else 'made'} {called}, valid until {_end(made.certificate_pem)}"]
    if found is not None:
        done.append("no certificate that was issued before is trusted by what trusts this one alone")
    return done


def create_authority(order: Order, env: Env) -> Authority:
    """A fresh one."""
    return Authority.create(
        keys.new_key(order.key_algorithm, order.key_size),
        name=vaults.CA,
        serial=keys.serial_number(env.entropy(keys.SERIAL_SIZE)),
        now=env.now(),
        lifetime=order.days * DAY,
    )


async def issue_server(
    vault: Vault, component: str, hosts: Sequence[str] | None, order: Order, env: Env, *, upsert: bool
) -> list[str]:
    """Certify a server of the hub; says what was done.

    Args:
        vault: the hub's.
        component: ``principal`` or ``resource-proxy``.
        hosts: that it is reached by; None: the certificate names none.
        order: what is to be made.
        env: time and entropy.
        upsert: replace a certificate that is there.

    Raises:
        UserError: there is one already, or it cannot be issued.
    """
    keys.check_choice(order.key_algorithm, order.key_size)
    if hosts is not None:
        names.host_names(hosts)
    secret = vaults.PRINCIPAL if component == "principal" else vaults.RESOURCE_PROXY
    authority, _ = await load(vault)
    key = keys.new_key(order.key_algorithm, order.key_size)
    certificate = authority.issue_server(
        key.public_key(),
        name=f"argocd-agent-{component}",
        hosts=hosts,
        serial=keys.serial_number(env.entropy(keys.SERIAL_SIZE)),
        now=env.now(),
        lifetime=order.days * DAY,
    )
    return await _store(vault, secret, certificate, key, Role.SERVER, env.now(), upsert=upsert)


async def issue_agent(
    hub: Vault, spoke: Vault, name: str, order: Order, env: Env, *, upsert: bool
) -> list[str]:
    """Certify an agent; says what was done.

    Raises:
        UserError: there is a certificate already, or it cannot be issued.
    """
    keys.check_choice(order.key_algorithm, order.key_size)
    names.agent_uri(name)
    authority, _ = await load(hub)
    certificate, key = issue_client(authority, name, order, env)
    return await _store(spoke, vaults.CLIENT, certificate, key, Role.CLIENT, env.now(), upsert=upsert)


def issue_client(
    authority: Authority, agent: str, order: Order, env: Env
) -> tuple[bytes, keys.PrivateKey]:
    """A certificate in this agent's name, PEM, and its new key.

    Raises:
        UserError: the authority has expired.
    """
    key = keys.new_key(order.key_algorithm, order.key_size)
    serial = keys.serial_number(env.entropy(keys.SERIAL_SIZE))
    lifetime = order.days * DAY
    certificate = authority.issue_client(
        key.public_key(), agent=agent, serial=serial, now=env.now(), lifetime=lifetime
    )
    return certificate, key


async def propagate(hub: Vault, spoke: Vault, *, force: bool) -> str:
    """Let an agent trust the hub's authority; says what was done.

    What the agent trusts already it goes on trusting.

    Args:
        hub: where the authority is.
        spoke: the agent's.
        force: let it trust that one alone.

    Raises:
        UserError: there is no authority, or what is there cannot be read.
    """
    roots = await trusted(hub)
    found = await spoke.read(vaults.CA)
    called = spoke.called(vaults.CA)
    before = Bundle()
    if found is not None and found.data.get("ca.crt") and not force:
        try:
            before = Bundle.read(found.data["ca.crt"])
        except UserError as exc:
            raise UserError(f"{called}: {exc}; to replace it: --force") from exc
    after = before.merged(roots)
    if after == before:
        return f"{called} trusts it already: nothing has changed"
    kept = dict(found.data) if found is not None else {}
    await spoke.write(vaults.CA, kept | {"ca.crt": after.pem}, over=found, kind=vaults.OPAQUE)
    count = len(after.roots)
    return f"{'changed' if found else 'made'} {called}: it trusts {count} root{'s' if count > 1 else ''} now"


async def trusted(vault: Vault) -> Bundle:
    """All roots that the hub wants to be trusted.

    Raises:
        UserError: there is none, or they cannot be read.
    """
    return roots_of((await _read_ca(vault)).data, vault.called(vaults.CA))


async def load(vault: Vault) -> tuple[Authority, Kept]:
    """The hub's authority with its key, and the Secret that it is from.

    Raises:
        UserError: there is none, or it cannot be used.
    """
    found = await _read_ca(vault)
    called = vault.called(vaults.CA)
    if not found.data.get("tls.key"):
        raise UserError(f"{called} has no tls.key: issue where the key of the CA is")
    try:
        return Authority.load(found.data.get("tls.crt", b""), found.data["tls.key"]), found
    except UserError as exc:
        raise UserError(f"{called}: {exc}") from exc


def roots_of(data: Mapping[str, bytes], called: str) -> Bundle:
    """What is to be trusted because of an authority's Secret: its ca.crt, which is there during a rotation,
    and the authority itself.

    Raises:
        UserError: they cannot be read.
    """
    try:
        return Bundle.of(
            each for name in ("ca.crt", "tls.crt") if data.get(name) for each in Bundle.read(data[name]).roots
        )
    except UserError as exc:
        raise UserError(f"{called}: {exc}") from exc


async def _read_ca(vault: Vault) -> Kept:
    found = await vault.read(vaults.CA)
    if found is None:
        raise UserError(f"there is no {vault.called(vaults.CA)}; to make a CA: trio-argoagent ctl pki init")
    return found


async def _store(
    vault: Vault,
    secret: str,
    certificate: bytes,
    key: keys.PrivateKey,
    role: Role,
    now: float,
    *,
    upsert: bool,
) -> list[str]:
    found = await vault.read(secret)
    if found is not None and not upsert:
        raise UserError(f"{vault.called(secret)} exists; to replace the certificate in it: --upsert")
    kept = {name: value for name, value in found.data.items() if name == "ca.crt"} if found else {}
    data = kept | {"tls.crt": certificate, "tls.key": keys.key_pem(key)}
    await vault.write(secret, data, over=found)
    state = inspect(keys.load_certificates(certificate)[0], role, now)
    done = f"{'replaced' if found else 'made'} {vault.called(secret)}: {state.subject}"
    return [f"{done}, valid until {moment(state.not_after)}", *(f"note: {each}" for each in state.problems)]


def _ours(found: Kept | None) -> list[str]:
    """The annotations that belong to an authority that is replaced."""
    return [key for key in (found.annotations if found else ()) if key.startswith("trio-argoagent/")]


def _end(pem: bytes) -> str:
    return moment(keys.load_certificates(pem)[0].not_valid_after_utc.timestamp())


def _say(lines: Sequence[str]) -> None:
    for line in lines:
        click.echo(line)
