"""Secrets as ``ctl`` reads and writes them: their data as bytes, and errors as one line."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from trio_argoagent.errors import ApiError, NotFound, OutcomeUnknown, RemoteProtocolError, UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import Cluster

NO_ANSWER = (ApiError, OutcomeUnknown, RemoteProtocolError)


async def find(cluster: Cluster, namespace: str, name: str) -> Object | None:
    """The Secret of this name, if there is one.

    Raises:
        UserError: the cluster does not let us read it.
    """
    try:
        return await cluster.get(SECRETS, namespace, name)
    except NotFound:
        return None
    except NO_ANSWER as exc:
        raise UserError(f"cannot read Secret {namespace}/{name}: {exc}") from exc


def data_of(secret: Object) -> dict[str, bytes]:
    """What it holds.

    Raises:
        UserError: it is not base64.
    """
    try:
        found = secret.get("data") or {}
        return {str(key): base64.b64decode(str(text), validate=True) for key, text in found.items()}
    except binascii.Error as exc:
        where = f"{secret.meta.namespace}/{secret.meta.name}"
        raise UserError(f"Secret {where}: its data are not base64") from exc


def opaque(namespace: str, name: str, data: Mapping[str, bytes], kind: str = "Opaque") -> dict[str, Any]:
    """A Secret of this content."""
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace},
        "type": kind,
        "data": encoded(data),
    }


def encoded(data: Mapping[str, bytes]) -> dict[str, str]:
    """As it stands in a Secret's ``data``."""
    return {key: base64.b64encode(value).decode() for key, value in data.items()}
