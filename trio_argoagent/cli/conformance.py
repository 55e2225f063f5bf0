"""``trio-argoagent conformance``: from options to verdicts."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable

import click

from trio_argoagent.cli import pem, running
from trio_argoagent.cli.listening import addresses, listening
from trio_argoagent.model.identity import Mode
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.pki.names import agent_name
from trio_argoagent.stream.admission import Admission, by_certificate
from trio_argoagent.stream.dial import Http2Dialer
from trio_argoagent.stream.listen import Http2Listener
from trio_argoagent.testing.conformance import Claim, Verdict, check_agent, check_principal

DIFFERS = 1
"""The exit code where a case does not hold."""


def run_principal(
    *,
    server_address: str,
    server_port: int,
    root_ca_path: str,
    tls_client_cert: str,
    tls_client_key: str,
    agent_mode: str,
    mapping: str,
) -> None:
    """Ask a principal; leaves the process."""

    async def check(report: Callable[[Verdict], None]) -> None:
        certificate, key = pem.read_identity(
            tls_client_cert, "--tls-client-cert", tls_client_key, "--tls-client-key"
        )
        context = client_context(
            ca=pem.read_authorities(root_ca_path, "--root-ca-path"),
            certificate=certificate,
            key=key,
            alpn=("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
        )
        claim = Claim(mapping=mapping, mode=Mode(agent_mode))
        await check_principal(Http2Dialer(server_address, server_port, context), report, claim)

    _run(check)


def run_agent(*, listen_host: str, listen_port: int, tls_cert: str, tls_key: str, root_ca_path: str) -> None:
    """Ask an agent; leaves the process."""

    async def check(report: Callable[[Verdict], None]) -> None:
        certificate, key = pem.read_identity(tls_cert, "--tls-cert", tls_key, "--tls-key")
        context = server_context(
            certificate=certificate,
            key=key,
            client_ca=pem.read_authorities(root_ca_path, "--root-ca-path"),
            require_client=True,
            alpn=("h2",),
            minimum=ssl.TLSVersion.TLSv1_3,
        )
        async with listening(listen_host, listen_port, "--listen-port") as listeners:
            click.echo(f"waiting for an agent on {addresses(listeners)}")
            admission = Admission(by_certificate(agent_name))
            await check_agent(Http2Listener(listeners, context, admission), report)

    _run(check)


def _run(check: Callable[[Callable[[Verdict], None]], Awaitable[None]]) -> None:
    verdicts: list[Verdict] = []

    def report(verdict: Verdict) -> None:
        verdicts.append(verdict)
        mark, why = ("no", f": {verdict.fault}") if verdict.fault else ("ok", "")
        click.echo(f"{mark}  {verdict.case.name:<18}  {verdict.case.promise}{why}")

    async def program() -> int:
        await check(report)
        wrong = sum(bool(verdict.fault) for verdict in verdicts)
        click.echo(f"{len(verdicts) - wrong} of {len(verdicts)} hold")
        return DIFFERS if wrong else 0

    running.judge(program)
