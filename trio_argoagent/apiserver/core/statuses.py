"""``v1.Status``: what the server says when it has no object to show.

Source: k8s.io/apimachinery pkg/apis/meta/v1/types.go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

from trio_argoagent.apiserver.core.values import Stored
from trio_argoagent.errors import ApiError
from trio_argoagent.model.resources import Resource

MAX_WARNINGS: Final = 20  # Warning headers of one answer
MAX_WARNING: Final = 256  # characters of one


def failure(error: ApiError) -> dict[str, Any]:
    """The Status of a refusal."""
    value: dict[str, Any] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": error.message,
        "reason": error.status_reason,
        "code": error.status_code,
    }
    if error.details:
        details = dict(error.details)
        # An expired continue token comes with a fresh one, which clients look for in the list metadata.
        fresh = details.pop("continue", "")
        if fresh:
            value["metadata"] = {"continue": fresh}
        if details:
            value["details"] = details
    return value


def deleted(resource: Resource, stored: Stored) -> dict[str, Any]:
    """The Status after an object has gone."""
    details = {"name": stored.name, "group": resource.group, "kind": resource.plural, "uid": stored.uid}
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": {key: value for key, value in details.items() if value},
    }


def retry_after(error: ApiError) -> list[tuple[str, str]]:
    """The Retry-After header of a refusal, if it has one: whole seconds, rounded up."""
    return [("retry-after", str(math.ceil(error.retry_after)))] if error.retry_after > 0 else []


def warnings(texts: Sequence[str]) -> list[tuple[str, str]]:
    """Warning headers (RFC 7234, section 5.5; 299 is what Kubernetes uses).

    A text may quote what a client sent, so all that could end the header or the quotes is escaped.
    """
    return [("warning", f'299 - "{_quoted(text)}"') for text in texts[:MAX_WARNINGS]]


def _quoted(text: str) -> str:
    plain = "".join(c if c.isprintable() else " " for c in text[:MAX_WARNING])
    ascii_only = plain.encode("ascii", "replace").decode("ascii")
    return ascii_only.replace("\\", "\\\\").replace('"', '\\"')
