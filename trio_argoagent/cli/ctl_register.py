"""``trio-argoagent ctl agent create|reconfigure``: an agent's cluster secret on the hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from trio_argoagent.cli import running, secretdata
from trio_argoagent.cli.clusterconfig import read_config
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_agent import read_secrets
from trio_argoagent.cli.ctl_pki import issue_client
from trio_argoagent.cli.key_options import Order
from trio_argoagent.cli.secretdata import NO_ANSWER, data_of, encoded
from trio_argoagent.errors import NotFound, UserError
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import NAMESPACES, SECRETS
from trio_argoagent.net.address import parse_address
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import Authority
from trio_argoagent.ports.cluster import Cluster, MergePatch
from trio_argoagent.ports.env import Env
from trio_argoagent.principal.clusters import SECRET_TYPE, choose, make_secret, read_entry, secret_name
from trio_argoagent.runtime.world import real_env
from trio_argoagent.sync import names

CA: Final = "argocd-agent-ca"
"""The Secret of the hub's authority."""
_KEY: Final = re.compile(r"([A-Za-z0-9.-]{1,253}/)?[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_VALUE: Final = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
_OURS: Final = (SECRET_TYPE, names.AGENT_NAME)


def run_create(
    *, hub: Place, name: str, label: Sequence[str], tls_from_secret: str, ca_from_secret: str, **more: Any
) -> None:
    """Register an agent."""

    async def program() -> int:
        if bool(tls_from_secret) != bool(ca_from_secret):
            raise UserError("--tls-from-secret and --ca-from-secret: give both or neither")
        given = (tls_from_secret, ca_from_secret) if tls_from_secret else None
        labels = parse_labels(label)
        async with hub.open() as cluster:
            said = await create(cluster, hub.namespace, name, real_env(), labels=labels, given=given, **more)
            click.echo("\n".join(said))
        return 0

    running.run(program)


def run_reconfigure(*, hub: Place, name: str, **changes: Any) -> None:
    """Change how an agent is registered."""

    async def program() -> int:
        async with hub.open() as cluster:
            click.echo(await reconfigure(cluster, hub.namespace, name, real_env(), **changes))
        return 0

    running.run(program)


def parse_labels(given: Sequence[str]) -> dict[str, str]:
    """Labels as ``key=value``.

    Raises:
        UserError: one is none, or says what the agent's name says already.
    """
    labels = {}
    for text in (part for each in given for part in each.split(",")):
        key, equals, value = text.partition("=")
        if not equals or not _KEY.fullmatch(key) or not _VALUE.fullmatch(value):
            raise UserError(f"--label: {text!r} is no label: write key=value")
        if key in _OURS:
            raise UserError(f"--label: {key} is set by the agent's name already")
        labels[key] = value
    return labels


async def create(
    hub: Cluster,
    namespace: str,
    name: str,
    env: Env,
    *,
    resource_proxy_server: str,
    labels: Mapping[str, str],
    given: tuple[str, str] | None,
    order: Order,
) -> Sequence[str]:
    """Make the cluster secret of an agent that has none; says so.

    Args:
        hub: its API.
        namespace: Argo CD's.
        name: the agent's.
        env: time and randomness.
        resource_proxy_server: ``host:port``.
        labels: for the secret, besides those that make it an agent's.
        given: Secrets with Argo CD's certificate and with the CA, ``[namespace/]name``; None: a certificate
            is issued.
        order: what is issued then.

    Raises:
        UserError: it exists, something cannot be used, or the hub does not let us; nothing has changed.
    """
    if not is_dns_label(name) or name == namespace:
        text = f"{name!r} cannot be an agent's name: use at most 63 lower-case letters, digits and hyphens"
        raise UserError(f"{text}, and not {namespace}, where Argo CD is")
    _check_address(resource_proxy_server)
    if name in await read_secrets(hub, namespace):
        raise UserError(f"agent {name} exists; see: trio-argoagent ctl agent inspect {name}")
    if await secretdata.find(hub, namespace, secret_name(name)) is not None:
        raise UserError(f"there is a Secret {namespace}/{secret_name(name)} that is no agent's: remove it")
    if given is not None:
        tls = await _taken(hub, namespace, *given)
    else:
        tls = await issue(hub, namespace, name, order, env)
    value = make_secret(name, namespace, resource_proxy_server, tls=tls)
    value["metadata"]["labels"] |= labels
    try:
        made = await hub.create(SECRETS, value)
    except NO_ANSWER as exc:
        raise UserError(f"cannot create Secret {namespace}/{secret_name(name)}: {exc}") from exc
    said = f"agent {name}: Secret {namespace}/{made.meta.name} is made"
    return [said, *await _hints(hub, name)]


async def _hints(hub: Cluster, name: str) -> Sequence[str]:
    """What is to be done next."""
    hints = [
        f"a certificate for the agent itself: trio-argoagent ctl agent token {name}, or ctl pki issue agent"
    ]
    try:
        await hub.get(NAMESPACES, "", name)
    except NotFound:
        hints.append(f"its Applications need a namespace of the hub: kubectl create namespace {name}")
    except NO_ANSWER:
        pass  # Who may not look is not told.
    return hints


async def reconfigure(
    hub: Cluster,
    namespace: str,
    name: str,
    env: Env,
    *,
    resource_proxy_server: str,
    resource_proxy_username: str,
    resource_proxy_password: str,
    reissue_client_cert: bool,
    order: Order,
) -> str:
    """Change an agent's cluster secret; says what has changed.

    Args:
        hub: its API.
        namespace: Argo CD's.
        name: the agent's.
        env: time and randomness.
        resource_proxy_server: ``host:port``; empty: as it is.
        resource_proxy_username: by which Argo CD logs in there; empty: as it is.
        resource_proxy_password: likewise.
        reissue_client_cert: is another certificate issued?
        order: which.

    Raises:
        UserError: there is nothing to change, something cannot be used, or the hub does not let us.
    """
    secret = await registered(hub, namespace, name)
    config, said = read_config(secret), []
    data: dict[str, bytes] = {}
    if resource_proxy_server:
        _check_address(resource_proxy_server)
        data["server"] = f"https://{resource_proxy_server}?agentName={name}".encode()
        said.append("server")
    tls = None
    if reissue_client_cert:
        tls = await issue(hub, namespace, name, order, env)
        said.append("certificate")
    if resource_proxy_username or resource_proxy_password:
        said.append("login")
    if not said:
        raise UserError("nothing to change: give --resource-proxy-server, --reissue-client-cert or a login")
    data["config"] = config.changed(
        tls=tls, username=resource_proxy_username, password=resource_proxy_password
    )
    metadata = {"resourceVersion": secret.meta.resource_version}
    try:
        patch = MergePatch({"metadata": metadata, "data": encoded(data)})
        await hub.patch(SECRETS, namespace, secret.meta.name, patch)
    except NO_ANSWER as exc:
        raise UserError(f"cannot change Secret {namespace}/{secret.meta.name}: {exc}; run it again") from exc
    return f"agent {name}: changed {', '.join(said)}"


async def registered(hub: Cluster, namespace: str, name: str) -> Object:
    """The cluster secret that counts of this agent, whole.

    Raises:
        UserError: there is none, or the hub does not let us read it.
    """
    entry = choose(map(read_entry, (await read_secrets(hub, namespace)).get(name, [])))
    found = await secretdata.find(hub, namespace, entry.secret) if entry is not None else None
    if found is None:
        raise UserError(f"the hub knows no agent {name!r}; see: trio-argoagent ctl agent list")
    return found


async def issue(hub: Cluster, namespace: str, name: str, order: Order, env: Env) -> dict[str, bytes]:
    """A certificate in this agent's name for Argo CD, its key, and what the resource proxy is trusted by.

    Raises:
        UserError: the hub's CA cannot issue it.
    """
    keys.check_choice(order.key_algorithm, order.key_size)
    where = f"Secret {namespace}/{CA}"
    found = await secretdata.find(hub, namespace, CA)
    if found is None:
        raise UserError(f"there is no {where}: trio-argoagent ctl pki init, or give --tls-from-secret")
    data = data_of(found)
    try:
        authority = Authority.load(data["tls.crt"], data["tls.key"])
    except KeyError as exc:
        text = f"{where} has no {exc.args[0]}: issue where the CA's key is, and give --tls-from-secret"
        raise UserError(text) from None
    except UserError as exc:
        raise UserError(f"{where}: {exc}") from exc
    certificate, key = issue_client(authority, name, order, env)
    trusted = data.get("ca.crt") or data["tls.crt"]
    return {"tls.crt": certificate, "tls.key": keys.key_pem(key), "ca.crt": trusted}


async def _taken(hub: Cluster, namespace: str, tls: str, ca: str) -> dict[str, bytes]:
    """A certificate that somebody else has issued.

    Raises:
        UserError: it is not there, or cannot be used.
    """
    found: dict[str, bytes] = {}
    for option, reference, parts in (
        ("--tls-from-secret", tls, ("tls.crt", "tls.key")),
        ("--ca-from-secret", ca, ("ca.crt",)),
    ):
        where, _, name = reference.rpartition("/")
        where = where or namespace
        if not is_dns_label(where) or not name or "/" in where:
            raise UserError(f"{option}: {reference!r} is not [NAMESPACE/]NAME of a Secret")
        secret = await secretdata.find(hub, where, name)
        data = data_of(secret) if secret is not None else {}
        missing = [part for part in parts if not data.get(part)]
        if missing:
            text = "is not there" if secret is None else f"has no {missing[0]}"
            raise UserError(f"{option}: Secret {where}/{name} {text}")
        found |= {part: data[part] for part in parts}
    leaf = keys.load_certificates(found["tls.crt"])[0]
    if keys.load_key(found["tls.key"]).public_key() != leaf.public_key():
        raise UserError(f"--tls-from-secret: certificate and key in {tls} do not belong together")
    keys.load_certificates(found["ca.crt"])
    return found


def _check_address(text: str) -> None:
    try:
        parse_address(text)
    except UserError as exc:
        raise UserError(f"--resource-proxy-server: {exc}") from exc
