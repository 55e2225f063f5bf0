"""The hub's authority, as the Secret ``argocd-agent-ca`` has it: read when it is needed, and not kept.

A principal that may not read that Secret, or finds no key in it, issues nothing: whoever wants the key
elsewhere takes the right away.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import attrs

from trio_argoagent import errors
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.ports.env import Env

if TYPE_CHECKING:
    from cryptography import x509

    from trio_argoagent.pki.authority import Authority
    from trio_argoagent.pki.keys import PublicKey

SECRET: Final = "argocd-agent-ca"
"""As argocd-agent names it."""


class NotIssuing(Exception):
    """There is no authority that this principal could issue with; says why, for the hub's people alone."""


@attrs.frozen(repr=False)
class Signer:
    """The authority, for one request.

    Attributes:
        roots_pem: the authorities that agents are to trust, that one among them.
    """

    authority: Authority
    roots_pem: bytes

    def sign(self, key: PublicKey, agent: str, lifetime: float, env: Env) -> bytes:
        """A certificate in this name, PEM.

        Raises:
            NotIssuing: the authority has expired.
        """
        from trio_argoagent.pki import keys

        serial = keys.serial_number(env.entropy(keys.SERIAL_SIZE))
        try:
            return self.authority.issue_client(
                key, agent=agent, serial=serial, now=env.now(), lifetime=lifetime
            )
        except UserError as exc:
            raise NotIssuing(str(exc)) from exc


async def read_signer(cluster: Cluster, namespace: str, name: str = SECRET) -> Signer:
    """The hub's authority with its key.

    Raises:
        NotIssuing: there is none here, or it cannot be used.
        ApiError: the hub does not answer.
    """
    from trio_argoagent.pki import keys
    from trio_argoagent.pki.authority import Authority

    data = await _read(cluster, namespace, name)
    try:
        certificate, key = data["tls.crt"], data["tls.key"]
    except KeyError as exc:
        raise NotIssuing(f"Secret {namespace}/{name} has no {exc.args[0]}") from exc
    try:
        return Signer(Authority.load(certificate, key), keys.certificate_pem(*_roots(data)))
    except UserError as exc:
        raise NotIssuing(f"Secret {namespace}/{name}: {exc}") from exc


async def read_authorities(
    cluster: Cluster, namespace: str, name: str = SECRET
) -> Sequence[x509.Certificate]:
    """The authorities that agents are to trust; no key is needed for it.

    Raises:
        NotIssuing: there is nothing that can be read.
        ApiError: the hub does not answer.
    """
    try:
        return _roots(await _read(cluster, namespace, name))
    except UserError as exc:
        raise NotIssuing(f"Secret {namespace}/{name}: {exc}") from exc


async def read_roots(cluster: Cluster, namespace: str, name: str = SECRET) -> bytes:
    """The same as PEM."""
    from trio_argoagent.pki import keys

    return keys.certificate_pem(*await read_authorities(cluster, namespace, name))


async def _read(cluster: Cluster, namespace: str, name: str) -> dict[str, bytes]:
    try:
        data = (await cluster.get(SECRETS, namespace, name)).get("data") or {}
        return {key: base64.b64decode(str(text), validate=True) for key, text in data.items()}
    except (errors.NotFound, errors.Forbidden, ValueError) as exc:
        raise NotIssuing(f"Secret {namespace}/{name} cannot be read: {exc}") from exc


def _roots(data: dict[str, bytes]) -> list[x509.Certificate]:
    """The bundle, if there is one beside the authority itself, each certificate once."""
    from trio_argoagent.pki import keys

    files = [data[name] for name in ("ca.crt", "tls.crt") if data.get(name)]
    return list(dict.fromkeys(each for pem in files for each in keys.load_certificates(pem)))
