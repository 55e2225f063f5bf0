"""Who has asked the embedded API server for what: a file of lines in the form of Kubernetes' audit log.

Of a line, the fields are there that programs look at which make roles out of it. Source: Kubernetes'
documentation, "Auditing"; k8s.io/apiserver pkg/apis/audit/v1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from trio_argoagent.apiserver.core import meta
from trio_argoagent.apiserver.http.handler import Audited
from trio_argoagent.errors import UserError
from trio_argoagent.ports.env import Env

_FORBIDDEN: Final = 403


def line(audited: Audited, now: float) -> dict[str, Any]:
    """The event of a request that was answered at ``now``, in wall seconds."""
    wanted, user = audited.wanted, audited.user
    about = {
        "resource": wanted.resource,
        "subresource": wanted.subresource,
        "namespace": wanted.namespace,
        "name": wanted.name,
        "apiGroup": wanted.group,
    }
    event: dict[str, Any] = {
        "kind": "Event",
        "apiVersion": "audit.k8s.io/v1",
        "level": "Metadata",
        "stage": "ResponseStarted" if audited.begins else "ResponseComplete",
        "requestURI": wanted.path,
        "verb": wanted.verb,
        "user": {"username": user.name, "groups": [*user.all_groups]},
        "objectRef": {field: value for field, value in about.items() if value},
        "responseStatus": {"code": audited.code},
        "stageTimestamp": meta.timestamp(now),
        "annotations": {
            "authorization.k8s.io/decision": "forbid" if audited.code == _FORBIDDEN else "allow",
        },
    }
    return {field: value for field, value in event.items() if value}


@contextmanager
def audit_file(path: str, env: Env) -> Iterator[Callable[[Audited], None] | None]:
    """What writes such a file while the context is open; None where there is no path.

    Raises:
        UserError: it cannot be written.
    """
    if not path:
        yield None
        return
    with ExitStack() as stack:
        try:
            file = stack.enter_context(Path(path).open("ab", buffering=0))
        except OSError as exc:
            raise UserError(f"--audit-log: cannot write {path}: {exc.strerror}") from exc
        yield lambda audited: _write(file, line(audited, env.now()))


def _write(file: IO[bytes], event: dict[str, Any]) -> None:
    file.write(msgspec.json.encode(event) + b"\n")
