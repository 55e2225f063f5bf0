"""The options that say which objects go where: what is wrong is said in one line, before anything starts."""

from __future__ import annotations

import pytest

from .conftest import Run

AGENT = (
    "agent",
    "--server-address",
    "x",
    "--root-ca-path",
    "a",
    "--tls-client-cert",
    "b",
    "--tls-client-key",
    "c",
)
PRINCIPAL = ("principal", "--tls-cert", "a", "--tls-key", "b", "--root-ca-path", "c")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((*AGENT, "--allowed-namespaces", "team-*,/(/"), "/(/ is no regular expression"),
        ((*AGENT, "--label-selector", "a in b"), "unable to parse requirement"),
        (
            (*AGENT, "--destination-based-mapping"),
            "--destination-based-mapping: an autonomous agent has none",
        ),
        ((*AGENT, "--create-namespace"), "--create-namespace: needs --destination-based-mapping"),
        ((*AGENT, "--ignore-unmanaged-apps"), "--ignore-unmanaged-apps: an autonomous agent's own"),
        ((*AGENT, "--label-selector", "a=1," * 400 + "b"), "--label-selector: must have at most 1024"),
        ((*AGENT, "--tunnel-addresses", "redis:6379,redis"), "'redis' has no port"),
        ((*PRINCIPAL, "--namespace-create-pattern", "("), "( is no regular expression"),
        ((*PRINCIPAL, "--namespace-create-labels", "a"), "'a' is no label; write key=value"),
        ((*PRINCIPAL, "--namespace-create-labels", "a=1"), "need --namespace-create-enable"),
    ],
)
def test_what_cannot_be_meant(given: tuple[str, ...], expected: str, run: Run) -> None:
    """With the option's name, and no traceback."""
    said = run(*given)
    assert said.code == 2
    assert expected in said.line
