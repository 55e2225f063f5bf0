"""What a support bundle holds of a cluster's objects, and how what is secret stays out of it. No I/O.

In two ways: of each object only what is listed here is taken, of Secrets never a value; and every text is
scrubbed of what looks like a credential, wherever it came from.
"""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Mapping
from typing import Any, Final

from trio_argoagent.cli.secretdata import data_of
from trio_argoagent.errors import UserError
from trio_argoagent.model.objects import Object
from trio_argoagent.pki import inspection, keys
from trio_argoagent.pki.inspection import Role
from trio_argoagent.principal.clusters import server_url

GONE: Final = "(removed)"
MAX_TEXT: Final = 64 * 1024
"""Characters of one value that are kept."""
_CREDENTIALS: Final = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
    re.compile(r"eyJ[\w-]{8,}\.[\w-]{8,}(\.[\w-]*)?"),
    re.compile(r"(?<=://)[^\s/@]*@"),
    re.compile(r"(?i)(?<=bearer )[\w.~+/=-]{8,}"),
    re.compile(
        r"""(?i)(?<=["'\s&?\\])(password|passwd|secret|token|api[_-]?key)[\\"']*\s*[:=]\s*[\\"']*[^"'\s&,}]+"""
    ),
    re.compile(r"\b[0-9a-f]{16}\.[\w-]{20,}\.[0-9A-Fa-f]{16,}\b"),
)
"""Private keys, tokens (JWT), logins in URLs, bearers, what is called a password, enrolment tokens."""
_SECRET_NAMES: Final = re.compile(r"(?i)passw|secret$|token|credential|private|\.key$|creds$")
_ANNOTATIONS: Final = ("trio-argoagent/", "argocd.argoproj.io/", "argocd-agent.", "managed-by")
_PAIRS: Final = {"tls.crt": Role.CLIENT, "ca.crt": Role.AUTHORITY}


def scrubbed(text: str) -> str:
    """The text without what looks like a credential; what is too long is cut."""
    for pattern in _CREDENTIALS:
        text = pattern.sub(GONE, text)
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT] + " (cut)"


def clean(value: Any, name: str = "") -> Any:
    """A JSON value, scrubbed; what is called like a secret is taken out whole."""
    if isinstance(value, Mapping):
        return {scrubbed(str(key)): clean(each, str(key)) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [clean(each, name) for each in value]
    if isinstance(value, str):
        return GONE if value and _SECRET_NAMES.search(name) else scrubbed(value)
    return value


def of_config_map(found: Object) -> dict[str, Any]:
    """Its data; what is called like a secret is not."""
    return _head(found) | {"data": clean(found.get("data") or {})}


def of_event(found: Object) -> dict[str, Any]:
    """When, what about, and what it says."""
    about = found.get("involvedObject") or {}
    named = "/".join(str(about.get(part, "")) for part in ("kind", "namespace", "name"))
    return {
        "last": found.get("lastTimestamp"),
        "count": found.get("count"),
        "type": found.get("type"),
        "reason": found.get("reason"),
        "about": named,
        "message": clean(found.get("message") or ""),
    }


def of_secret(found: Object, now: float) -> dict[str, Any]:
    """What it is called, the sizes of what it holds, and what its certificates say; never a value.

    Args:
        found: a Secret.
        now: Unix seconds.
    """
    told: dict[str, Any] = _head(found) | {"type": found.get("type")}
    try:
        data = data_of(found)
    except UserError:
        return told | {"data": "not base64"}
    told["sizes"] = {key: len(value) for key, value in sorted(data.items())}
    server = server_url(found)
    if server:
        told["server"] = clean(server)
    told["certificates"] = {
        key: _certificates(data[key], role, now) for key, role in _PAIRS.items() if key in data
    }
    return told


def _certificates(pem: bytes, role: Role, now: float) -> Any:
    try:
        found = [inspection.inspect(each, role, now) for each in keys.load_certificates(pem)]
    except UserError as exc:
        return str(exc)
    return [
        {
            "subject": each.subject,
            "issuer": each.issuer,
            "dns": list(each.dns),
            "ips": list(each.ips),
            "uris": list(each.uris),
            "notBefore": inspection.moment(each.not_before),
            "notAfter": inspection.moment(each.not_after),
            "fingerprint": each.fingerprint,
        }
        for each in found
    ]


def _head(found: Object) -> dict[str, Any]:
    shown = {key: text for key, text in found.annotations.items() if key.startswith(_ANNOTATIONS)}
    return {
        "name": found.meta.name,
        "namespace": found.meta.namespace,
        "created": found.meta.creation_timestamp,
        "resourceVersion": found.meta.resource_version,
        "labels": clean(dict(found.labels)),
        "annotations": clean(shown),
    }


def archive(files: Mapping[str, str], folder: str, now: float) -> bytes:
    """A gzipped tar of these texts.

    Args:
        files: by path.
        folder: that all of them are in.
        now: Unix seconds: their time.
    """
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, text in files.items():
            content = text.encode()
            info = tarfile.TarInfo(f"{folder}/{path}")
            info.size, info.mtime, info.mode = len(content), int(now), 0o600
            tar.addfile(info, io.BytesIO(content))
    return packed.getvalue()
