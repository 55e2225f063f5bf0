"""How an agent comes by its certificate, and whether it renews it."""

from __future__ import annotations

import attrs

from trio_argoagent.errors import UserError


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

    def check(self) -> None:
        """Look whether they go together.

        Raises:
            UserError: there are two tokens.
        """
        if self.token and self.token_file:
            raise UserError("--bootstrap-token and --bootstrap-token-file: give one of the two")
