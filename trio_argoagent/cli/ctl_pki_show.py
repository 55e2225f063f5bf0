"""``trio-argoagent ctl pki inspect|dump``: looks at certificates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import click
from cryptography import x509

from trio_argoagent.cli import running, vaults
from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.ctl_pki import load, roots_of, trusted
from trio_argoagent.cli.output import fields, rendered
from trio_argoagent.cli.vaults import Vault, open_hub, open_spoke
from trio_argoagent.errors import UserError
from trio_argoagent.pki import keys
from trio_argoagent.pki.bundles import is_authority
from trio_argoagent.pki.inspection import Findings, Role, inspect, moment
from trio_argoagent.runtime.world import real_env

Document = dict[str, Any]
_TITLES = {
    "ca": "CA",
    "alsoTrusted": "Trusted besides",
    "principal": "Principal",
    "resourceProxy": "Resource proxy",
    "agent": "Agent",
    "agentCA": "Trusted by the agent",
}


def run_inspect(
    *,
    hub: Place,
    spoke: Place | None,
    folder: str,
    spoke_folder: str,
    files: Sequence[str],
    full: bool,
    output: str,
) -> None:
    """Print what certificates say."""

    async def program() -> int:
        now = real_env().now()
        if files:
            found = inspect_files(files, now, full=full)
        else:
            async with open_hub(hub, folder) as vault:
                found = await inspect_hub(vault, now, full=full)
            if spoke is not None or spoke_folder:
                async with open_spoke(spoke, spoke_folder) as there:
                    found |= await inspect_spoke(there, now, full=full)
        click.echo(rendered(output, as_text(found), found))
        return 0

    running.run(program)


def run_dump(*, hub: Place, folder: str, everything: bool, key: bool, cert: bool, bundle: bool) -> None:
    """Print the authority as PEM."""
    if bundle == (everything or key or cert):
        raise click.UsageError("give --cert, --key or --all, or else --bundle", click.get_current_context())

    async def program() -> int:
        async with open_hub(hub, folder) as vault:
            if bundle:
                pem = (await trusted(vault)).pem
            else:
                pem = await dump(vault, cert=cert or everything, key=key or everything)
            click.echo(pem.decode(), nl=False)
        return 0

    running.run(program)


async def dump(vault: Vault, *, cert: bool, key: bool) -> bytes:
    """The authority's certificate, its key, or both, PEM.

    Raises:
        UserError: there is none.
    """
    authority, _ = await load(vault)
    return (authority.certificate_pem if cert else b"") + (authority.key_pem if key else b"")


async def inspect_hub(vault: Vault, now: float, *, full: bool) -> Document:
    """The authority and what it has issued for the hub; argocd-agentctl's names.

    Raises:
        UserError: there is no authority, or a certificate cannot be read.
    """
    called = vault.called(vaults.CA)
    ca = await vault.read(vaults.CA)
    if ca is None:
        raise UserError(f"there is no {called}; to make a CA: trio-argoagent ctl pki init")
    signer = _leaf(ca.data, called)
    found: Document = {"ca": summary(signer, Role.AUTHORITY, now, full=full)}
    besides = [each for each in roots_of(ca.data, called).roots if each != signer]
    if besides:
        found["alsoTrusted"] = [summary(each, Role.AUTHORITY, now, full=full) for each in besides]
    for name, secret in (("principal", vaults.PRINCIPAL), ("resourceProxy", vaults.RESOURCE_PROXY)):
        kept = await vault.read(secret)
        if kept is not None:
            found[name] = summary(_leaf(kept.data, vault.called(secret)), Role.SERVER, now, full=full)
    return found


async def inspect_spoke(vault: Vault, now: float, *, full: bool) -> Document:
    """An agent's certificate and what it trusts.

    Raises:
        UserError: a certificate cannot be read.
    """
    found: Document = {}
    kept = await vault.read(vaults.CLIENT)
    if kept is not None:
        found["agent"] = summary(_leaf(kept.data, vault.called(vaults.CLIENT)), Role.CLIENT, now, full=full)
    ca = await vault.read(vaults.CA)
    if ca is not None:
        roots = roots_of(ca.data, vault.called(vaults.CA)).roots
        found["agentCA"] = [summary(each, Role.AUTHORITY, now, full=full) for each in roots]
    return found


def inspect_files(files: Sequence[str], now: float, *, full: bool) -> Document:
    """Every certificate of some PEM files, by file.

    Raises:
        UserError: one cannot be read.
    """
    return {path: [summary(each, _role(each), now, full=full) for each in _read(path)] for path in files}


def summary(certificate: x509.Certificate, role: Role, now: float, *, full: bool) -> Document:
    """One certificate for programs; argocd-agentctl's names where it has them."""
    found: Findings = inspect(certificate, role, now)
    document: Document = {
        "subject": found.subject,
        "issuer": found.issuer,
        "serial": found.serial,
        "keyType": found.key_type,
        "keyLength": found.key_bits,
        "notBefore": moment(found.not_before),
        "notAfter": moment(found.not_after),
        "sha256": found.fingerprint,
        "usages": list(found.usages),
        "ips": list(found.ips),
        "dns": list(found.dns),
        "uris": list(found.uris),
        "warnings": list(found.problems),
    }
    if full:
        document["certificate"] = keys.certificate_pem(certificate).decode()
    return document


def as_text(found: Document) -> str:
    """For people: a block each."""
    blocks = []
    for name, value in found.items():
        for each in value if isinstance(value, list) else [value]:
            lines = fields((key, _cell(item)) for key, item in each.items() if key != "certificate")
            body = "\n".join(f"  {line}" for line in lines.splitlines())
            blocks.append(f"{_TITLES.get(name, name)}\n{body}\n{each.get('certificate', '')}".rstrip())
    return "\n".join(blocks)


def _cell(value: Any) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else str(value)


def _leaf(data: Mapping[str, bytes], called: str) -> x509.Certificate:
    try:
        return keys.load_certificates(data.get("tls.crt", b""))[0]
    except UserError as exc:
        raise UserError(f"{called}, tls.crt: {exc}") from exc


def _read(path: str) -> Sequence[x509.Certificate]:
    try:
        return keys.load_certificates(running.read_file(path, "FILE"))
    except UserError as exc:
        raise UserError(f"{path}: {exc}") from exc


def _role(certificate: x509.Certificate) -> Role:
    if is_authority(certificate):
        return Role.AUTHORITY
    usages = inspect(certificate, Role.CLIENT, 0.0).usages
    return Role.SERVER if "serverAuth" in usages else Role.CLIENT
