"""``conformance`` from the command line."""

from __future__ import annotations

import pytest

from .conftest import Run

PRINCIPAL = ("principal", "--server-address", "127.0.0.1", "--server-port", "9")
FILES = ("--root-ca-path", "/no/ca.pem", "--tls-client-cert", "/no/c.pem", "--tls-client-key", "/no/k.pem")
AGENT = ("agent", "--listen-port", "0", "--root-ca-path", "/no/ca.pem", "--tls-key", "/no/k.pem")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (PRINCIPAL, "Missing option '--root-ca-path'"),
        ((*PRINCIPAL, *FILES), "--tls-client-cert: cannot read /no/c.pem"),
        ((*PRINCIPAL, *FILES, "--agent-mode", "both"), "'both' is not one of 'managed', 'autonomous'"),
        ((*PRINCIPAL, *FILES, "--server-port", "0"), "0 is not in the range 1<=x<=65535"),
        ((*AGENT, "--tls-cert", "/no/c.pem"), "--tls-cert: cannot read /no/c.pem"),
        (("server",), "No such command 'server'"),
    ],
)
def test_mistakes(run: Run, arguments: tuple[str, ...], hint: str) -> None:
    """One line, before anything is dialled."""
    assert hint in run("conformance", *arguments).line
