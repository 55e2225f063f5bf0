"""How an agent comes by its certificate, and whether it renews it."""

from __future__ import annotations

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.pki.tokens import Token, parse


@attrs.frozen
class Bootstrap:
    """What the options say.

    Attributes:
        token: a one-time token; empty: none was given.
        token_file: where one is; empty: nowhere.
        renews: is the certificate renewed?
    """

    token: str = attrs.field(default="", repr=False)
    token_file: str = ""
    renews: bool = True

    def check(self, *, insecure: bool) -> None:
        """Look whether they go together, and with whom the agent is to trust; no file is read.

        Args:
            insecure: is any certificate of the principal taken?

        Raises:
            UserError: they do not, or the token is none.
        """
        if self.token and self.token_file:
            raise UserError("--bootstrap-token and --bootstrap-token-file: give one of the two")
        if insecure and (self.token or self.token_file):
            raise UserError("--insecure-tls: leave it out: a bootstrap token says whom to trust")
        if self.token:
            parsed(self.token, "--bootstrap-token")


def parsed(text: str, option: str) -> Token:
    """A token, as it was given by an option.

    Raises:
        UserError: it is none.
    """
    try:
        return parse(text)
    except UserError as exc:
        raise UserError(f"{option}: {exc}") from exc
