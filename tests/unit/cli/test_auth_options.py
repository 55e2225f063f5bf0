"""Options that say who an agent is: what contradicts itself is one line, before anything listens or dials."""

from __future__ import annotations

import pytest

from .conftest import Files, Run

BY_HEADER = "--auth=header:x-id:^(.+)$"
PLAIN = "--insecure-plaintext"
PAIR = "as well: the two belong together, behind a mesh that does TLS"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--auth=userpass:/x"], "--auth userpass is not supported"),
        (["--auth=mtls:CN=("], "--auth: the regular expression 'CN=(': missing ), unterminated"),
        (["--auth=mtls:"], "--auth: the regular expression '': it has no group"),
        ([BY_HEADER], f"--auth header:<name>:<regex>: needs --insecure-plaintext {PAIR}"),
        ([PLAIN], f"--insecure-plaintext: needs --auth header:<name>:<regex> {PAIR}"),
        ([PLAIN, "--auth=mtls:CN=([^,]+)"], "--insecure-plaintext: needs --auth header:<name>:<regex>"),
        ([PLAIN, BY_HEADER], "--tls-cert: leave it out: with --insecure-plaintext"),
        (["--plaintext-from=10.0.0.0/8"], "--plaintext-from: needs --insecure-plaintext; with TLS"),
        ([PLAIN, BY_HEADER, "--plaintext-from=mesh"], "--plaintext-from: 'mesh' is no network"),
    ],
)  # fmt: skip
def test_the_principals(run: Run, files: Files, options: list[str], line: str) -> None:
    """The line names the option that is to be changed."""
    assert run(*files.principal(), *options).line.startswith(line)


@pytest.mark.parametrize("option", ["--require-client-certs", "--client-cert-subject-match"])
def test_certificates_where_there_is_no_tls(run: Run, files: Files, option: str) -> None:
    """An option that could do nothing is refused."""
    without = [each for each in files.principal() if "tls" not in each and "ca-path" not in each]
    line = run(*without, PLAIN, BY_HEADER, option).line
    assert line == f"{option}: leave it out: with --insecure-plaintext nobody shows a certificate"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (["--creds=userpass:/x"], "--creds userpass is not supported"),
        (["--creds=mtls"], "--creds: write mtls:any, header: or header:<name>:<value>"),
        (["--creds=x:secret"], "--creds: write mtls:any, header: or header:<name>:<value>"),
        (["--creds=header:x-id:a\nb"], "--creds: write mtls:any, header: or header:<name>:<value>"),
        (["--creds=header:x-id:"], "--creds: write mtls:any, header: or header:<name>:<value>"),
        (["--creds=header:"], f"--creds header:: needs --insecure-plaintext {PAIR}"),
        ([PLAIN], f"--insecure-plaintext: needs --creds header: {PAIR}"),
        ([PLAIN, "--creds=mtls:any"], f"--insecure-plaintext: needs --creds header: {PAIR}"),
        ([PLAIN, "--creds=header:"], "--tls-client-cert: leave it out: with --insecure-plaintext"),
    ],
)  # fmt: skip
def test_the_agents(run: Run, files: Files, options: list[str], line: str) -> None:
    """Likewise; a value is never repeated."""
    assert run(*files.agent(), *options).line.startswith(line)


def test_no_plaintext_through_a_forward_proxy(
    run: Run, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not the mesh, and would see everything."""
    monkeypatch.setenv("HTTPS_PROXY", "http://user:word@proxy.example:3128")
    monkeypatch.delenv("NO_PROXY", raising=False)
    without = [
        each
        for each in files.agent(server_address="hub.example")
        if "tls" not in each and "ca-path" not in each
    ]
    line = run(*without, PLAIN, "--creds=header:").line
    assert line == (
        "--insecure-plaintext: the proxy proxy.example:3128 (HTTPS_PROXY) would see it all: put hub.example"
        " into NO_PROXY"
    )
