"""Fingerprints of certificates as people write them, and where the hub keeps those that are blocked."""

from __future__ import annotations

import re
from typing import Final

from trio_argoagent.errors import UserError

BLOCKLIST: Final = "argocd-agent-tls-blocklist"
"""The ConfigMap of the hub whose keys are the blocked fingerprints; argocd-agent's name."""
_FINGERPRINT: Final = re.compile(r"[0-9A-F]{64}")
_LENGTHS: Final = {32: "MD5", 40: "SHA-1", 96: "SHA-384", 128: "SHA-512"}


def is_fingerprint(text: str) -> bool:
    """Is it a SHA-256 fingerprint as the blocklist holds them: 64 upper-case hexadecimal digits?"""
    return _FINGERPRINT.fullmatch(text) is not None


def parse_fingerprint(text: str) -> str:
    """The fingerprint that somebody has written: with colons or spaces, in lower case, or as openssl says it.

    Raises:
        UserError: it is no SHA-256 fingerprint.
    """
    found = re.sub(r"[:\s]", "", text.rpartition("=")[2]).upper()
    if is_fingerprint(found):
        return found
    what = "it is no SHA-256 fingerprint of a certificate (64 hexadecimal digits)"
    if re.fullmatch(r"[0-9A-F]+", found) and len(found) in _LENGTHS:
        what = f"it is as long as a {_LENGTHS[len(found)]} fingerprint, and SHA-256 is needed"
    shown = text if len(text) <= 2 * 64 else text[: 2 * 64] + "..."
    raise UserError(f"{shown!r}: {what}; see: openssl x509 -in FILE -noout -fingerprint -sha256")
