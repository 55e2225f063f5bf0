"""Where the hub keeps its one-time tokens: one Secret each, without the token's own secret.

One each, so that two tokens have nothing in common but a label: each is used up by a write that names the
resourceVersion it was read with, and of all who do that at once the API server lets one through.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any, Final

from trio_argoagent.model.objects import Object
from trio_argoagent.pki.tokens import Kept
from trio_argoagent.ports.cluster import MergePatch

LABEL: Final = "trio-argoagent/token"
"""Its value is the agent's name."""
SELECTOR: Final = LABEL
"""The label selector of all tokens."""
KEPT: Final = 86_400.0
"""Seconds that a token stays after its expiry, so that whoever comes late hears why."""
_PREFIX: Final = "trio-argoagent-token."


def secret_name(token_id: str) -> str:
    """The name of the Secret of a token."""
    return _PREFIX + token_id


def make_secret(kept: Kept, namespace: str) -> dict[str, Any]:
    """The Secret of a new token."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": secret_name(kept.id), "namespace": namespace, "labels": {LABEL: kept.agent}},
        "type": "Opaque",
        "stringData": {
            "agent": kept.agent,
            "hash": kept.hash,
            "expires": written(kept.expires),
            "replaces": str(kept.replaces).lower(),
        },
    }


def read_secret(secret: Object) -> Kept | None:
    """What such a Secret says; None: nothing that can be used, somebody has been at it."""
    try:
        data = dict(secret.get("data") or {})
        text = {key: base64.b64decode(value, validate=True).decode() for key, value in data.items()}
        return Kept(
            secret.meta.name.removeprefix(_PREFIX),
            text["hash"],
            text["agent"],
            moment(text["expires"]),
            text.get("replaces") == "true",
            text.get("used", ""),
            text.get("holder", ""),
        )
    except (KeyError, ValueError, TypeError):
        return None


def use(secret: Object, key: str, at: float, holder: str) -> MergePatch:
    """Mark a token as used by this public key, after that of the holder, if its Secret is as it was read."""
    data = {"used": key, "usedAt": written(at), "holder": holder}
    return MergePatch(
        {
            "metadata": {"uid": secret.meta.uid, "resourceVersion": secret.meta.resource_version},
            "data": {name: base64.b64encode(text.encode()).decode() for name, text in data.items()},
        }
    )


def written(at: float) -> str:
    """A moment (Unix time) in RFC 3339, whole seconds, UTC."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str) -> float:
    """The inverse.

    Raises:
        ValueError: it is no moment.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
