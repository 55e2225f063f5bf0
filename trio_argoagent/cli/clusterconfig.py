"""The ``config`` of an Argo CD cluster secret: how Argo CD shows itself to the resource proxy."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

import attrs
import msgspec

from trio_argoagent.cli.secretdata import data_of
from trio_argoagent.errors import UserError
from trio_argoagent.model import nesting
from trio_argoagent.model.objects import Object

_CONFIG: Final = msgspec.json.Decoder(dict[str, Any])
_PARTS: Final = {"tls.crt": "certData", "tls.key": "keyData", "ca.crt": "caData"}
"""Our names of the parts (those of a Secret's data), and Argo CD's."""


@attrs.frozen(repr=False)
class ClusterConfig:
    """What stands there. Never shown by ``repr``.

    Attributes:
        value: all of it, as JSON.
        tls: ``tls.crt``, ``tls.key`` and ``ca.crt`` (PEM), as far as they are there.
        insecure: is the resource proxy's own certificate not looked at?
    """

    value: Mapping[str, Any]
    tls: Mapping[str, bytes]
    insecure: bool

    def changed(
        self, *, tls: Mapping[str, bytes] | None = None, username: str = "", password: str = ""
    ) -> bytes:
        """The config with these parts instead; the rest stays. As JSON."""
        value: dict[str, Any] = dict(self.value)
        if tls:
            client = dict(value.get("tlsClientConfig") or {}) | {"insecure": False}
            value["tlsClientConfig"] = client | {
                _PARTS[part]: base64.b64encode(pem).decode() for part, pem in tls.items()
            }
        value |= {key: text for key, text in (("username", username), ("password", password)) if text}
        return msgspec.json.encode(value)


def read_config(secret: Object) -> ClusterConfig:
    """The config of a cluster secret.

    Raises:
        UserError: it cannot be read.
    """
    try:
        value = nesting.decode(_CONFIG, data_of(secret).get("config") or b"{}")
        client = value.get("tlsClientConfig") or {}
        tls = {
            part: base64.b64decode(client[name], validate=True)
            for part, name in _PARTS.items()
            if client.get(name)
        }
        return ClusterConfig(value, tls, bool(client.get("insecure")))
    except (msgspec.MsgspecError, AttributeError, TypeError, binascii.Error):
        raise UserError(f"the config of Secret {secret.meta.name} cannot be read") from None
