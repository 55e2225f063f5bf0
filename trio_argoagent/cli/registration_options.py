"""What the principal's options for agents that the hub does not know yet mean together."""

from __future__ import annotations

from trio_argoagent.errors import UserError
from trio_argoagent.net.address import parse_address
from trio_argoagent.runtime.config import SelfRegistration


def read_registration(*, enabled: bool, secret: str, address: str) -> SelfRegistration | None:
    """What the three options say together; None: agents register nothing.

    Raises:
        UserError: they contradict each other, or the address is none.
    """
    if secret and not enabled:
        raise UserError(
            "--self-registration-client-cert-secret: give --enable-self-cluster-registration, too"
        )
    try:
        parse_address(address)
    except UserError as exc:
        raise UserError(f"--resource-proxy-address: {exc}") from exc
    return SelfRegistration(address, secret) if enabled else None
