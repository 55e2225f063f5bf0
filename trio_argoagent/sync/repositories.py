"""Which credentials an Application will need: those of its repositories, by their URLs.

Argo CD looks for a ``repository`` Secret of that very URL, and else for the ``repo-creds`` Secret with the
longest URL that it begins with (util/db/repository_secrets.go). URLs are compared in their normal form
(``NormalizeGitURL`` in util/git/git.go).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

import attrs

from trio_argoagent.model.keys import Kind


@attrs.frozen
class Credentials:
    """What one Secret is for.

    Attributes:
        url: in its normal form.
        prefix: is it for every URL that begins with this one?
    """

    url: str
    prefix: bool

    def serve(self, url: str) -> bool:
        """Are they for this repository (normal form)?"""
        return url.startswith(self.url) if self.prefix else url == self.url


def credentials(kind: Kind, data: Mapping[str, Any]) -> Credentials | None:
    """What a Secret of this kind with these (base64) data is for; None: nobody can tell."""
    try:
        url = base64.b64decode(str(data.get("url") or ""), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
    return Credentials(normal(url), kind is Kind.REPO_CREDS) if url else None


def normal(url: str) -> str:
    """The normal form of a repository's URL; it is for comparing only."""
    found = url.strip().lower()
    if "://" not in found and "@" in found and ":" in found:
        found = "ssh://" + found.replace(":", "/", 1)
    return found.rstrip("/").removesuffix(".git")


def needed(spec: Mapping[str, Any]) -> Iterator[str]:
    """The URLs (normal form) of the repositories of an Application's spec."""
    sources = spec.get("sources") or [spec.get("source") or {}]
    hydrator = spec.get("sourceHydrator")
    dry = [hydrator.get("drySource")] if isinstance(hydrator, dict) else []
    for source in [*sources, *dry] if isinstance(sources, list) else dry:
        url = source.get("repoURL") if isinstance(source, dict) else None
        if isinstance(url, str) and url:
            yield normal(url)
