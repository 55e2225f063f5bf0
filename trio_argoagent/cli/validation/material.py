"""Certificates and keys in Secrets, and what is wrong with them: the parts that checks are made of."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from trio_argoagent.cli.secretdata import data_of
from trio_argoagent.cli.validation import asked
from trio_argoagent.cli.validation.checks import Finding, Query, Side, Sight, fail, warn
from trio_argoagent.cli.validation.registrations import value
from trio_argoagent.errors import UserError
from trio_argoagent.pki import bundles, inspection, keys, names
from trio_argoagent.pki.inspection import Findings, Role
from trio_argoagent.runtime.authentication import Method, Source
from trio_argoagent.stream.admission import Refusal, Shown

T = TypeVar("T")
DAY: Final = 86_400.0
SOON: Final = 30 * DAY
"""Seconds before its end in which a certificate is a finding; the last quarter of its life where that is
less: one of a week renews itself."""
_LONGEST: Final = 8
"""Certificates of a chain that are followed."""


def held(sight: Sight, query: Query, *fields: str) -> bytes:
    """The first of these fields that a Secret has.

    Raises:
        UserError: there is no such Secret, or it has none of them.
    """
    secret = sight.one(query)
    if secret is None:
        raise UserError(f"there is no {sight.where(query)}")
    data = data_of(secret)
    found = next((data[field] for field in fields if data.get(field)), None)
    if found is None:
        raise UserError(f"{sight.where(query)} has no {fields[0]}")
    return found


def roots(sight: Sight, query: Query) -> bundles.Bundle:
    """The authorities of a CA's Secret: ``ca.crt``, else ``tls.crt``, as the programs read it.

    Raises:
        UserError: there are none, or they cannot be read.
    """
    return _read(sight, query, bundles.Bundle.read, "ca.crt", "tls.crt")


def chain(sight: Sight, query: Query) -> Sequence[x509.Certificate]:
    """The certificates of a Secret, the leaf first.

    Raises:
        UserError: there are none, or they cannot be read.
    """
    return _read(sight, query, keys.load_certificates, "tls.crt")


def _read(sight: Sight, query: Query, load: Callable[[bytes], T], *fields: str) -> T:
    pem = held(sight, query, *fields)
    try:
        return load(pem)
    except UserError as exc:
        raise UserError(f"{sight.where(query)}: {exc}") from exc


def method(sight: Sight) -> Method:
    """How the principal knows agents; as without ``principal.auth`` where that cannot be read."""
    try:
        return Method.parse(value(sight.one(asked.HUB_PARAMETERS), "principal.auth"))
    except UserError:
        return Method()


def by_mesh(sight: Sight) -> bool:
    """Does a mesh's proxy say who agents are, so that they need no certificates?"""
    return method(sight).source is Source.HEADER


def name_of(sight: Sight, certificate: x509.Certificate) -> str:
    """The agent that the principal takes whoever has this certificate for.

    Raises:
        UserError: nobody.
    """
    identify = method(sight).identify(sight.namespaces[Side.HUB])
    said = identify(Shown(certificate.public_bytes(Encoding.DER)))
    if isinstance(said, Refusal):
        raise UserError(said.text)
    return said.name


def judged(
    certificate: x509.Certificate, role: Role, now: float, where: str, repair: str, *, anonymous: bool = False
) -> Iterator[Finding]:
    """What is wrong with one certificate, in one line.

    Args:
        certificate: anybody's.
        role: what it is meant for.
        now: Unix seconds.
        where: it was found.
        repair: what to do about it.
        anonymous: need it not name an agent by itself?
    """
    found = inspection.inspect(certificate, role, now)
    nameless = _nameless(certificate) if role is Role.CLIENT else ""
    problems = [each for each in found.problems if not (anonymous and each == nameless)]
    soon = min(SOON, (found.not_after - found.not_before) / 4)
    if now <= found.not_after < now + soon and role is not Role.AUTHORITY:
        problems.append(f"it expires in {int((found.not_after - now) // DAY)} days")
    if problems:
        text = f"{where}: {'; '.join(problems)}: {repair}"
        useless = is_useless(certificate, found, role, now) or (nameless and not anonymous)
        yield fail(text) if useless else warn(text)


def is_useless(certificate: x509.Certificate, found: Findings, role: Role, now: float) -> bool:
    """Will no connection come about with it? What else is found is a matter of taste, or of time."""
    if not found.not_before <= now <= found.not_after:
        return True
    if role is Role.AUTHORITY:
        return not bundles.is_authority(certificate)
    wanted = "serverAuth" if role is Role.SERVER else "clientAuth"
    if found.usages and wanted not in found.usages:
        return True
    return role is Role.SERVER and not (found.dns or found.ips)


def _nameless(certificate: x509.Certificate) -> str:
    """Why it names no agent, as without ``--auth``; empty: it does."""
    try:
        names.agent_name(certificate)
    except UserError as exc:
        return str(exc)
    return ""


def paired(certificate: x509.Certificate, key: bytes) -> bool:
    """Do certificate and private key belong together?

    Raises:
        UserError: the key cannot be used.
    """
    return keys.load_key(key).public_key() == certificate.public_key()


def is_issued(chain: Sequence[x509.Certificate], trusted: bundles.Bundle) -> bool:
    """Does the chain lead from its leaf to one of the authorities?"""
    current, others = chain[0], list(chain[1:])
    for _ in range(_LONGEST):
        if trusted.issuer_of(current) is not None:
            return True
        issuer = next((each for each in others if bundles.issued_by(current, each)), None)
        if issuer is None:
            return False
        others.remove(issuer)
        current = issuer
    return False


def serves(found: Findings, host: str) -> bool:
    """Is a server's certificate good for this host name or address (RFC 6125, wildcards on the left)?"""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        name = host.rstrip(".").lower()
        any_name = "*." + name.partition(".")[2]
        return any(each.lower() in (name, any_name) for each in found.dns)
    return str(address) in found.ips
