"""How an agent comes by its certificate, and whether it renews it."""

from __future__ import annotations

import attrs


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
