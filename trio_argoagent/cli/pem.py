"""PEM files the user has named, read once: which of them is wrong, and what to put there instead."""

from __future__ import annotations

from trio_argoagent.cli.running import read_file
from trio_argoagent.runtime import tlsvalues
from trio_argoagent.runtime.tlsvalues import CA, CERTIFICATE, KEY, Part


def read_authorities(path: str, option: str) -> bytes:
    """The content of a file of CA certificates.

    Raises:
        UserError: it cannot be read, or holds none.
    """
    return tlsvalues.read_trust({CA: Part(option, path, read_file(path, option))}).pem


def read_identity(path: str, option: str, key_path: str, key_option: str) -> tuple[bytes, bytes]:
    """The contents of a certificate's file and of its key's.

    Raises:
        UserError: they cannot be read, or do not belong together.
    """
    certificate = Part(option, path, read_file(path, option))
    key = Part(key_option, key_path, read_file(key_path, key_option))
    found = tlsvalues.read_identity({CERTIFICATE: certificate, KEY: key})
    return found.certificate, found.key
