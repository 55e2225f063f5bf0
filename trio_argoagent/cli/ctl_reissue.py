"""What the hub itself has of a root that leaves: its servers' certificates, what Argo CD shows and trusts."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from cryptography import x509

from trio_argoagent.cli import secretdata, vaults
from trio_argoagent.cli.clusterconfig import read_config
from trio_argoagent.cli.ctl_agent import read_secrets
from trio_argoagent.cli.ctl_pki import load, roots_of
from trio_argoagent.cli.vaults import ClusterVault
from trio_argoagent.errors import NotFound, UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.pki import keys
from trio_argoagent.pki.authority import BACKDATE, Authority
from trio_argoagent.pki.bundles import Bundle, fingerprint
from trio_argoagent.pki.inspection import Role, inspect
from trio_argoagent.pki.rotation import Phase, Rotation
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.ports.env import Env


async def reissue_servers(vault: ClusterVault, state: Rotation, env: Env) -> list[str]:
    """Make the certificates of principal and resource proxy anew that are of the old root; says which.

    Each is for the same hosts, for as long, with a new key of the same kind. What somebody else has issued
    stays.

    Raises:
        UserError: one cannot be read or written.
    """
    authority, kept = await load(vault)
    roots, done = roots_of(kept.data, vault.called(vaults.CA)), []
    for secret in (vaults.PRINCIPAL, vaults.RESOURCE_PROXY):
        found = await vault.read(secret)
        if found is None:
            continue
        called = vault.called(secret)
        try:
            leaf = keys.load_certificates(found.data.get("tls.crt", b""))[0]
        except UserError as exc:
            raise UserError(f"{called}: {exc}") from exc
        if not _is_of(leaf, roots, state.old):
            continue
        facts, key = inspect(leaf, Role.SERVER, env.now()), _like(leaf)
        common = leaf.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
        certificate = authority.issue_server(
            key.public_key(),
            name=str(common[0].value) if common else secret.removesuffix("-tls"),
            hosts=(*facts.dns, *facts.ips) or None,
            serial=_serial(env),
            now=env.now(),
            lifetime=_lifetime(leaf),
        )
        data = {**found.data, "tls.crt": certificate, "tls.key": keys.key_pem(key)}
        await vault.write(secret, data, over=found)
        done.append(f"{called} has a certificate of the new root")
    return done


async def reissue_clusters(vault: ClusterVault, state: Rotation, env: Env) -> list[str]:
    """Let the cluster secrets by which Argo CD reaches the resource proxy follow; says which were changed.

    Raises:
        UserError: one cannot be read or written.
    """
    authority, kept = await load(vault)
    roots, done = roots_of(kept.data, vault.called(vaults.CA)), []
    for agent, secrets in (await read_secrets(vault.cluster, vault.namespace)).items():
        for each in secrets:
            if await _follow(vault, each.meta.name, agent, state, authority, roots, env):
                done.append(f"{vault.called(each.meta.name)} follows")
    return done


async def _follow(
    vault: ClusterVault,
    secret: str,
    agent: str,
    state: Rotation,
    authority: Authority,
    roots: Bundle,
    env: Env,
) -> bool:
    found = await secretdata.find(vault.cluster, vault.namespace, secret)
    if found is None:
        return False
    config = read_config(found)
    tls = _trusting(config.tls, state, roots)
    if state.phase not in (Phase.TRUST, Phase.DROP):
        tls |= _shown(config.tls, agent, state, authority, roots, env)
    if not tls:
        return False
    data = {"config": base64.b64encode(config.changed(tls=tls)).decode()}
    metadata = {"resourceVersion": found.meta.resource_version}
    try:
        patch = MergePatch({"metadata": metadata, "data": data})
        await vault.cluster.patch(SECRETS, vault.namespace, secret, patch)
    except NotFound:
        return False
    except secretdata.NO_ANSWER as exc:
        raise UserError(f"cannot change {vault.called(secret)}: {exc}; run it again") from exc
    return True


def _trusting(tls: Mapping[str, bytes], state: Rotation, roots: Bundle) -> dict[str, bytes]:
    """What Argo CD trusts from now on, if it takes part and that is something else."""
    try:
        before = Bundle.read(tls.get("ca.crt", b""))
    except UserError:
        return {}  # None of ours.
    if not {state.old, state.new} & set(before.fingerprints):
        return {}
    after = before.merged(roots)
    if state.phase is Phase.DROP:
        after = after.without(state.old)
    return {} if after == before else {"ca.crt": after.pem}


def _shown(
    tls: Mapping[str, bytes], agent: str, state: Rotation, authority: Authority, roots: Bundle, env: Env
) -> dict[str, bytes]:
    """What Argo CD shows from now on, if that is of the old root."""
    try:
        leaf = keys.load_certificates(tls.get("tls.crt", b""))[0]
    except UserError:
        return {}
    if not _is_of(leaf, roots, state.old):
        return {}
    key = _like(leaf)
    certificate = authority.issue_client(
        key.public_key(), agent=agent, serial=_serial(env), now=env.now(), lifetime=_lifetime(leaf)
    )
    return {"tls.crt": certificate, "tls.key": keys.key_pem(key)}


def _is_of(leaf: x509.Certificate, roots: Bundle, root: str) -> bool:
    issuer = roots.issuer_of(leaf)
    return issuer is not None and fingerprint(issuer) == root


def _like(leaf: x509.Certificate) -> keys.PrivateKey:
    """A key of the same kind, if we make such."""
    kind, bits = keys.described(leaf.public_key())
    if kind == "RSA":
        return keys.new_key(keys.Algorithm.RSA, bits if bits in keys.RSA_SIZES else 0)
    algorithm = f"ecdsa-p{bits}"
    return keys.new_key(algorithm if algorithm in tuple(keys.Algorithm) else keys.Algorithm.P256)


def _lifetime(leaf: x509.Certificate) -> float:
    return (leaf.not_valid_after_utc - leaf.not_valid_before_utc).total_seconds() - BACKDATE


def _serial(env: Env) -> int:
    return keys.serial_number(env.entropy(keys.SERIAL_SIZE))
