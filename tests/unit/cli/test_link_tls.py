"""Where the TLS of links comes from: Secrets by their usual names, files, memory; what contradicts what."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest

from trio_argoagent.apiserver.local import LocalCluster
from trio_argoagent.cli.link_tls import LinkTls, agent_link_tls, principal_link_tls
from trio_argoagent.cli.link_tls_options import AgentTls, PrincipalTls
from trio_argoagent.cli.tls_sources import Place
from trio_argoagent.errors import UserError
from trio_argoagent.net.contexts import TlsSettings
from trio_argoagent.runtime.events import Event
from trio_argoagent.runtime.material import Material
from trio_argoagent.runtime.options.suites import NEWEST, OLDER, VERSIONS, read_settings
from trio_argoagent.runtime.options.usual import CA_SECRET, CLIENT_SECRET, PRINCIPAL_SECRET
from trio_argoagent.runtime.world import real_env

from ..runtime.hubsecrets import NAMESPACE, hub, put
from .conftest import Run, pki

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
Given = tuple[str | None, str | None, tuple[str, ...]]
"""The lowest version, the highest, and suites."""
SUITE = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"


async def furnished() -> LocalCluster:
    """A cluster with the usual Secrets of both programs; the CA's is the hub's, without a ca.crt."""
    cluster = await hub()
    await put(cluster, PRINCIPAL_SECRET, pki().server("principal"))
    await put(cluster, CLIENT_SECRET, pki().agent("east"))
    await put(cluster, CA_SECRET, (pki().ca, b"its key"))
    return cluster


async def principal(cluster: LocalCluster, **options: Any) -> tuple[LinkTls, list[Event]]:
    """What a principal has with these options, and what it is told."""
    usual: dict[str, Any] = {
        "tls_secret_name": PRINCIPAL_SECRET,
        "tls_cert": "",
        "tls_key": "",
        "insecure_tls_generate": False,
        "tls_ca_secret_name": CA_SECRET,
        "root_ca_path": "",
    }
    told, env = list[Event](), real_env()
    material, place = Material(env, told.append), Place(cluster, NAMESPACE)
    tls = PrincipalTls(**(usual | options))
    return await principal_link_tls(tls, place, material, env, websocket=False, require_client=False), told


async def agent(cluster: LocalCluster, **options: Any) -> tuple[LinkTls, list[Event]]:
    """Likewise an agent."""
    usual: dict[str, Any] = {
        "tls_secret_name": CLIENT_SECRET,
        "tls_client_cert": "",
        "tls_client_key": "",
        "root_ca_secret_name": CA_SECRET,
        "root_ca_path": "",
        "insecure_tls": False,
    }
    told, env = list[Event](), real_env()
    material, place = Material(env, told.append), Place(cluster, NAMESPACE)
    return await agent_link_tls(AgentTls(**(usual | options)), place, material, env, "h2", told.append), told


def files(folder: Path) -> tuple[str, str]:
    """Paths of another principal's certificate and key."""
    paths = folder / "crt", folder / "key"
    for path, content in zip(paths, pki().server("other"), strict=True):
        path.write_bytes(content)
    return str(paths[0]), str(paths[1])


async def test_the_usual_secrets() -> None:
    """Neither program needs an option; links are of TLS 1.3, and certificates of clients are looked at."""
    cluster = await furnished()
    link, told = await principal(cluster)
    assert (link.identity.value.chain[0].subject, told) == ("CN=principal", [])
    context = link.context()
    assert (context.minimum_version, context.verify_mode) == (TLS13, ssl.CERT_OPTIONAL)
    dialling, told = await agent(cluster)
    assert (dialling.identity.value.chain[0].subject, told) == ("CN=east", [])
    assert dialling.context().verify_mode is ssl.CERT_REQUIRED
    assert dialling.freshness.roots == link.freshness.roots != ()


async def test_files_win_over_the_usual_secret(tmp_path: Path) -> None:
    """But not over another one: that is a contradiction."""
    certificate, key = files(tmp_path)
    link, _ = await principal(await furnished(), tls_cert=certificate, tls_key=key)
    assert link.identity.value.chain[0].subject == "CN=other"
    with pytest.raises(UserError, match=r"^--tls-cert and --tls-secret-name: give one of the two$"):
        await principal(await furnished(), tls_cert=certificate, tls_key=key, tls_secret_name="mine")
    with pytest.raises(UserError, match=r"^--tls-cert and --tls-key: give both or neither$"):
        await principal(await furnished(), tls_cert=certificate)


async def test_nothing_there() -> None:
    """The line names option and Secret, and says how to make it."""
    cluster = await hub()
    text = (
        f"^--tls-ca-secret-name: Secret argocd/{CA_SECRET} is not there: make it with 'trio-argoagent ctl pki"
    )
    with pytest.raises(UserError, match=text):
        await principal(cluster)
    text = f"^--root-ca-secret-name: Secret argocd/{CA_SECRET} is not there: make it with 'trio-argoagent"
    with pytest.raises(UserError, match=text):
        await agent(cluster)


async def test_a_certificate_that_is_made_in_memory() -> None:
    """For whoever does not look at it; never beside one that is named."""
    cluster = await hub()
    await put(cluster, CA_SECRET, (pki().ca, b"its key"))
    link, told = await principal(cluster, insecure_tls_generate=True)
    assert (link.identity.value.chain[0].subject, told) == ("CN=generated", [])
    with pytest.raises(UserError, match=r"^--insecure-tls-generate: leave it out, or name neither"):
        await principal(cluster, insecure_tls_generate=True, tls_secret_name="mine")


async def test_an_agent_that_takes_any_certificate() -> None:
    """It warns; a CA beside that is a contradiction."""
    cluster = await furnished()
    link, told = await agent(cluster, insecure_tls=True)
    assert (link.trust, link.context().verify_mode) == (None, ssl.CERT_NONE)
    assert [(event.name, event.level) for event in told] == [("tls-insecure", "warning")]
    with pytest.raises(UserError, match=r"^--insecure-tls: leave it out, or name no CA"):
        await agent(cluster, insecure_tls=True, root_ca_path="/ca")


async def test_what_is_wrong_at_the_start_is_told() -> None:
    """A certificate that agents will not take is no reason not to start: another one may come any moment."""
    cluster = await furnished()
    await put(cluster, PRINCIPAL_SECRET, pki("theirs").server("principal"))
    link, told = await principal(cluster)
    assert link.identity.value.chain[0].subject == "CN=principal"
    assert [(event.name, event.level) for event in told] == [("tls-doubtful", "warning")]


@pytest.mark.parametrize(
    ("given", "settings"),
    [
        ((None, None, ()), TlsSettings()),
        (("tls1.2", None, ()), TlsSettings(TLS12)),
        ((None, "tls1.3", ()), TlsSettings(None, TLS13)),
        (("tls1.2", "tls1.2", (SUITE,)), TlsSettings(TLS12, TLS12, ("ECDHE-RSA-AES128-GCM-SHA256",))),
        ((None, None, (NEWEST[0],)), TlsSettings()),
    ],
)
def test_settings(given: Given, settings: TlsSettings) -> None:
    """What the options say, and that OpenSSL takes it."""
    assert read_settings(*given) == settings
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    settings.apply(context, TLS13)
    assert context.minimum_version == (settings.minimum or TLS13)


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (("tls1.3", "tls1.2", ()), "--tls-max-version tls1.2: give --tls-min-version tls1.2, or lower, too"),
        (
            (None, "tls1.2", ()),
            "--tls-max-version tls1.2: links take tls1.3 or newer: give --tls-min-version",
        ),
        ((None, None, (SUITE,)), f"--tls-ciphersuites: {SUITE} is of tls1.2: give --tls-min-version tls1.2"),
    ],
)
def test_settings_that_cannot_be(given: Given, line: str) -> None:
    """One line each."""
    with pytest.raises(UserError) as caught:
        read_settings(*given)
    assert str(caught.value).startswith(line)


def test_each_suite_is_one_of_openssls() -> None:
    """Alone, and by argocd-agent's name for it."""
    for name in OLDER:
        read_settings("tls1.2", None, (name,)).apply(
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), VERSIONS["tls1.3"]
        )


@pytest.mark.parametrize("program", ["principal", "agent"])
def test_the_list_of_suites(run: Run, program: str) -> None:
    """Nothing else is needed for it."""
    said = run(program, "--tls-ciphersuites", "list")
    assert (said.code, said.out.split()) == (0, [*NEWEST, *OLDER])


@pytest.mark.parametrize("program", ["principal", "agent"])
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("DES", "there is no DES: 'list' prints the names"),
        ("list", "'list' prints the names, and nothing is"),
    ],
)
def test_suites_that_there_are_none_of(run: Run, program: str, text: str, told: str) -> None:
    """What is wrong with the value alone is told beside what is wrong with others; a check prints no list."""
    said = run("config", "check", program, f"--tls-ciphersuites={text}", "--metrics-port=x")
    lines = [line for line in said.err.splitlines() if "--server-address" not in line]
    assert (said.code, said.out, len(lines)) == (2, "", 2)
    assert lines[0].startswith(f"error: --tls-ciphersuites: {told}") and "--metrics-port" in lines[1]
