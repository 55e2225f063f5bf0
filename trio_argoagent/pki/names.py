"""Who a certificate is for.

An agent's certificate says its name twice: as the subject's common name (what argocd-agent's
``mtls:CN=([^,]+)`` reads) and as the URI ``spiffe://<trust domain>/argocd-agent/agent/<name>`` (what
``mtls:uri:`` reads). One that says two different names is nobody's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

from cryptography import x509

from trio_argoagent.errors import UserError
from trio_argoagent.model.identity import is_dns_label
from trio_argoagent.pki import keys

TRUST_DOMAIN: Final = "argocd-agent"
"""The trust domain where the user names none."""
_AGENT_PATH: Final = "/argocd-agent/agent/"
_DOMAIN: Final = re.compile(r"[a-z0-9]([-._a-z0-9]{0,253}[a-z0-9])?")
_DNS_NAME: Final = re.compile(
    r"(\*\.)?([a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\.)*[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
)
_MAX_DNS_NAME: Final = 253


def agent_uri(name: str, trust_domain: str = TRUST_DOMAIN) -> str:
    """The URI that names an agent (SPIFFE ID, section 2).

    Raises:
        UserError: the name or the trust domain cannot be one.
    """
    if not is_dns_label(name):
        raise UserError(
            f"{name!r} cannot be an agent's name: use at most 63 lower-case letters, digits and hyphens"
        )
    if _DOMAIN.fullmatch(trust_domain) is None:
        raise UserError(f"{trust_domain!r} cannot be a trust domain: write it like a host name")
    return f"spiffe://{trust_domain}{_AGENT_PATH}{name}"


def agent_name(certificate: x509.Certificate | bytes, trust_domain: str = "") -> str:
    """The name of the agent that a certificate, verified before, belongs to.

    A certificate without such a URI is taken by its common name: argocd-agent's own have none.

    Args:
        certificate: as it was read, or its DER.
        trust_domain: the only one whose URIs count; empty: any, of which there may be one.

    Raises:
        UserError: it names nobody, or more than one.
    """
    if isinstance(certificate, bytes):
        try:
            certificate = x509.load_der_x509_certificate(certificate)
        except keys.UNREADABLE as exc:
            raise UserError("the certificate cannot be read") from exc
    try:
        found = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    except ValueError as exc:
        raise UserError("the certificate's subject cannot be read") from exc
    common = [attribute.value for attribute in found]
    if len(common) != 1 or not isinstance(common[0], str) or not is_dns_label(common[0]):
        raise UserError("the certificate's common name is not an agent's name")
    name = common[0]
    uris = _agent_uris(certificate)
    if uris and [name] != [uri.partition(_AGENT_PATH)[2] for uri in uris]:
        raise UserError(f"the certificate's URI names another agent than its common name {name}")
    if uris and trust_domain and uris != [agent_uri(name, trust_domain)]:
        raise UserError(f"the certificate of agent {name} is of another trust domain than {trust_domain}")
    return name


def host_names(hosts: Iterable[str]) -> list[x509.GeneralName]:
    """What a server's certificate is valid for, at least one: DNS names and IP addresses.

    Raises:
        UserError: one of them is neither, or there are none.
    """
    names: list[x509.GeneralName] = []
    for host in hosts:
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(host)))
        except ValueError:
            if len(host) > _MAX_DNS_NAME or _DNS_NAME.fullmatch(host) is None:
                raise UserError(f"{host!r} is neither a DNS name nor an IP address") from None
            names.append(x509.DNSName(host))
    if not names:
        raise UserError("a server's certificate needs at least one DNS name or IP address")
    return names


def _agent_uris(certificate: x509.Certificate) -> list[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    except keys.UNREADABLE as exc:
        raise UserError("the certificate's extensions cannot be read") from exc
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    return [uri for uri in uris if uri.startswith("spiffe://") and _AGENT_PATH in uri]
