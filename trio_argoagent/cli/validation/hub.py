"""Checks of the hub's certificates and keys, and of what it blocks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from cryptography import x509

from trio_argoagent.cli.clusterconfig import read_config
from trio_argoagent.cli.validation import argocd, asked, material, registrations
from trio_argoagent.cli.validation.checks import Check, Finding, Query, Sight, fail, ok, warn
from trio_argoagent.errors import UserError
from trio_argoagent.model.fingerprints import is_fingerprint
from trio_argoagent.model.objects import Object
from trio_argoagent.pki import bundles, inspection, keys, names
from trio_argoagent.pki.authority import Authority
from trio_argoagent.pki.inspection import Role
from trio_argoagent.pki.signing import read_signing_key
from trio_argoagent.principal.blocklist import agent_of
from trio_argoagent.runtime.authentication import Method
from trio_argoagent.sync.names import AGENT_NAME

_PRINCIPAL: Final = "argocd-agent-principal"
"""The Service that agents reach, by argocd-agent's name."""
_ISSUE: Final = {
    asked.HUB_TLS: "trio-argoagent ctl pki issue principal --upsert",
    asked.HUB_PROXY_TLS: "trio-argoagent ctl pki issue resource-proxy --upsert",
}


def _ca(sight: Sight) -> Iterator[Finding]:
    where = sight.where(asked.HUB_CA)
    try:
        found = material.roots(sight, asked.HUB_CA)
    except UserError as exc:
        yield fail(f"{exc}: trio-argoagent ctl pki init")
        return
    for each in found.roots:
        yield from material.judged(each, Role.AUTHORITY, sight.now, where, "see docs/agents.md")
    try:
        certificate, key = (material.held(sight, asked.HUB_CA, field) for field in ("tls.crt", "tls.key"))
        Authority.load(certificate, key)
    except UserError as exc:
        yield warn(f"{where} cannot issue certificates: {exc}: issue them where its key is kept")


def _identity(query: Query, missing: str, sight: Sight) -> Iterator[Finding]:
    where, issue = sight.where(query), _ISSUE[query]
    if query is asked.HUB_TLS and material.by_mesh(sight):
        yield ok("a mesh's proxies encrypt (principal.auth): it needs none")
        return
    if sight.one(query) is None:
        yield (fail if query is asked.HUB_TLS else warn)(f"there is no {where}: {missing}; {issue}")
        return
    try:
        chain = material.chain(sight, query)
        if not material.paired(chain[0], material.held(sight, query, "tls.key")):
            yield fail(f"{where}: certificate and key do not belong together: {issue}")
        yield from material.judged(chain[0], Role.SERVER, sight.now, where, issue)
        if not material.is_issued(chain, material.roots(sight, asked.HUB_CA)):
            yield warn(
                f"{where}: the CA of this hub has not issued it: give agents the CA that has, or {issue}"
            )
    except UserError as exc:
        yield fail(f"{exc}: {issue}")


def _auth(sight: Sight) -> Iterator[Finding]:
    try:
        Method.parse(registrations.value(sight.one(asked.HUB_PARAMETERS), "principal.auth"))
    except UserError as exc:
        yield fail(f"ConfigMap {asked.PARAMETERS}: principal.auth: {exc}")


def _jwt(sight: Sight) -> Iterator[Finding]:
    where = sight.where(asked.HUB_JWT)
    if sight.one(asked.HUB_JWT) is None:
        yield ok(f"there is no {where}, and only argocd-agent's principal needs it")
        return
    try:
        read_signing_key(material.held(sight, asked.HUB_JWT, "jwt.key"))
    except UserError as exc:
        yield warn(f"{where}: {exc}: trio-argoagent ctl jwt create-key --upsert")


def _addresses(sight: Sight) -> Iterator[Finding]:
    try:
        found = inspection.inspect(material.chain(sight, asked.HUB_TLS)[0], Role.SERVER, sight.now)
    except UserError:
        return  # That there is none is said by the check of the certificate.
    known = list(_reachable(sight))
    if known and not any(material.serves(found, host) for host in known):
        names_them = f"the principal's certificate names none of {', '.join(known)}"
        yield warn(f"{names_them}: if agents dial one of these, issue it with --dns and --ip")


def _reachable(sight: Sight) -> Iterator[str]:
    """The addresses under which the principal is known to be reached from outside."""
    for route in sight.all(asked.HUB_ROUTES):
        spec = route.get("spec") or {}
        if str((spec.get("to") or {}).get("name", "")).startswith(_PRINCIPAL) and spec.get("host"):
            yield str(spec["host"])
    for service in sight.all(asked.HUB_SERVICES):
        if not service.meta.name.startswith(_PRINCIPAL):
            continue
        balancer = (service.get("status") or {}).get("loadBalancer") or {}
        for each in balancer.get("ingress") or ():
            yield str(each.get("hostname") or each.get("ip") or "")
        yield from map(str, (service.get("spec") or {}).get("externalIPs") or ())


def _blocklist(sight: Sight) -> Iterator[Finding]:
    for key in sorted(registrations.blocked(sight)):
        if not is_fingerprint(key) and not agent_of(key):
            text = (
                f"{sight.where(asked.HUB_BLOCKLIST)}: {key!r} is no SHA-256 fingerprint, so it blocks nothing"
            )
            yield warn(f"{text}: trio-argoagent ctl blocklist remove {key}")


# What Argo CD shows the resource proxy


def _clients(sight: Sight) -> Iterator[Finding]:
    for secret in sight.all(asked.HUB_CLUSTERS):
        agent = secret.labels.get(AGENT_NAME, "")
        repair = f"trio-argoagent ctl agent reconfigure {agent} --reissue-client-cert"
        try:
            config = read_config(secret)
            if config.insecure:
                yield warn(f"Secret {secret.meta.name}: Argo CD does not verify the resource proxy: {repair}")
            if "tls.crt" in config.tls:
                chain = keys.load_certificates(config.tls["tls.crt"])
                yield from _client(sight, secret, chain, repair)
            else:
                text = f"Secret {secret.meta.name} has no certificate: Argo CD cannot show live resources"
                yield warn(f"{text} of {agent}: {repair}")
        except UserError as exc:
            yield fail(f"Secret {secret.meta.name}: {exc}: {repair}")


def _client(
    sight: Sight, secret: Object, chain: Sequence[x509.Certificate], repair: str
) -> Iterator[Finding]:
    leaf = chain[0]
    where, agent = f"Secret {secret.meta.name}", secret.labels.get(AGENT_NAME, "")
    yield from material.judged(leaf, Role.CLIENT, sight.now, where, repair)
    try:
        named = names.agent_name(leaf)
    except UserError:
        named = ""  # Judged above.
    if named and named != agent:
        yield fail(f"{where}: its label says {agent}, its certificate {named}: {repair}")
    if bundles.fingerprint(leaf) in registrations.blocked(sight):
        yield fail(f"{where}: its certificate is blocked: {repair}")
    try:
        if not material.is_issued(chain, material.roots(sight, asked.HUB_CA)):
            yield fail(f"{where}: the CA of this hub has not issued its certificate: {repair}")
    except UserError:
        return  # That there is no CA is said by the check of the CA.


CHECKS: Final = (
    *argocd.HUB,
    Check("the CA", (asked.HUB_CA,), _ca),
    Check(
        "the principal's certificate",
        (asked.HUB_TLS, asked.HUB_CA, asked.HUB_PARAMETERS),
        partial(_identity, asked.HUB_TLS, "agents cannot connect"),
    ),
    Check(
        "the resource proxy's certificate",
        (asked.HUB_PROXY_TLS, asked.HUB_CA),
        partial(_identity, asked.HUB_PROXY_TLS, "its port stays closed"),
    ),
    Check("how agents are known", (asked.HUB_PARAMETERS,), _auth),
    Check("the key for tokens", (asked.HUB_JWT,), _jwt),
    Check(
        "the principal's certificate names the addresses that agents dial",
        (asked.HUB_TLS, asked.HUB_SERVICES, asked.HUB_ROUTES),
        _addresses,
    ),
    *registrations.CHECKS,
    Check(
        "what Argo CD shows the resource proxy",
        (asked.HUB_CLUSTERS, asked.HUB_CA, asked.HUB_BLOCKLIST),
        _clients,
    ),
    Check("the blocklist", (asked.HUB_BLOCKLIST,), _blocklist),
)
"""All that is looked at on a hub."""
