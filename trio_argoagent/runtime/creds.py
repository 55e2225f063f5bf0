"""How an agent proves who it is, by the option ``--creds``; its values are argocd-agent's.

=============================  =====================================================================
without it, or ``mtls:any``    by its client certificate
``header:``                    a mesh's proxy says who it is; without TLS of ours
``header:<name>:<value>``      likewise, to a proxy that wants to be told by this header
=============================  =====================================================================
"""

from __future__ import annotations

import re
from typing import Final

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.net.http import Headers

HEADER: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]{1,128}")
"""A header's name in lower case (RFC 9110, section 5.1)."""
VALUE: Final = 1024
"""Characters of a header's value."""
PAIRING: Final = "{what}: needs {other} as well: the two belong together, behind a mesh that does TLS"
USERPASS: Final = (
    "userpass is not supported (argocd-agent has deprecated it): give each agent a client certificate"
    " (trio-argoagent ctl pki issue agent) and use {instead}"
)


@attrs.frozen
class Creds:
    """One value.

    Attributes:
        by_certificate: else by a mesh's proxy.
        headers: what each request says besides. ``repr`` shows none.
    """

    by_certificate: bool = True
    headers: Headers = attrs.field(default=(), repr=False)

    @classmethod
    def parse(cls, text: str) -> Creds:
        """Read it; empty is a certificate.

        Raises:
            UserError: it cannot be used; the text says what to write instead, and no value.
        """
        kind, colon, rest = text.partition(":")
        match kind:
            case "userpass":
                raise UserError("--creds " + USERPASS.format(instead="--creds mtls:any"))
            case "" | "mtls" if bool(kind) == bool(colon):
                return cls()
            case "header" if colon:
                name, more, value = rest.partition(":")
                if not rest:
                    return cls(by_certificate=False)
                usable = len(value) <= VALUE and value.isascii() and value.isprintable()
                if more and value.strip() and usable and HEADER.fullmatch(name.lower()):
                    return cls(by_certificate=False, headers=((name.lower(), value.strip()),))
        raise UserError("--creds: write mtls:any, header: or header:<name>:<value>")
