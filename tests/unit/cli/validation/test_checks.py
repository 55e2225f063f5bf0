"""Each check, when what it looks at is right, and when it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from trio_argoagent.cli.clusterconfig import read_config
from trio_argoagent.cli.validation import asked, hub, material, spoke
from trio_argoagent.cli.validation.checks import (
    Level,
    Query,
    Side,
    Unread,
    as_document,
    as_text,
    failed,
    queries,
)
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.objects import Object
from trio_argoagent.pki import bundles, inspection, keys
from trio_argoagent.principal.clusters import HOME, PINNED, Pin
from trio_argoagent.sync.names import AGENT_NAME

from .sights import (
    DAY,
    NOW,
    amiss,
    authority,
    client,
    cluster_secret,
    good,
    look,
    plain,
    policy,
    secret,
    server,
    workload,
)

ALL = (*hub.CHECKS, *spoke.CHECKS)
Change = dict[Query, Sequence[Object] | Unread]


def changed(
    given: Object,
    *,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str | None] | None = None,
    **data: bytes,
) -> Object:
    """A cluster secret that says something else."""
    value = given.value()
    value["metadata"]["labels"] |= labels or {}
    value["metadata"]["annotations"] |= annotations or {}
    value["data"] |= secret(asked.HUB_CA, data).get("data")
    return Object.of(value)


def held(query: Query, data: dict[str, bytes]) -> Change:
    """A Secret holds this."""
    return {query: [secret(query, data)]}


def says(query: Query, data: dict[str, str]) -> Change:
    """A ConfigMap says this."""
    return {query: [plain(query, data=data)]}


def lacks(query: Query) -> Change:
    """There is none."""
    return {query: []}


def renamed(given: Object, name: str) -> Object:
    """The same under another name."""
    value = given.value()
    value["metadata"] |= {"name": name, "uid": f"uid of {name}"}
    return Object.of(value)


def test_a_good_installation() -> None:
    """Nothing but that no key for tokens is needed; each check has its line."""
    results = look(ALL, good())
    assert [each.text for each in results if each.level is not Level.OK] == []
    assert {each.check for each in results} == {check.name for check in ALL}
    assert not failed(results)
    lines = as_text(results).splitlines()
    assert lines[-1] == f"{len(results)} ok, 0 warn, 0 fail"
    assert all(line.startswith("ok    ") for line in lines[:-1])
    assert as_document(results)[0] == {"check": ALL[0].name, "level": "ok", "text": ""}


def test_each_name_is_one_checks() -> None:
    """Programs tell them apart by it."""
    assert len({check.name for check in ALL}) == len(ALL)


@pytest.mark.parametrize(
    "query", queries(ALL), ids=lambda query: f"{query.side} {query.resource.plural} {query.name}"
)
def test_what_cannot_be_read(query: Query) -> None:
    """Every check that needs it says so, and is no failure; the others are judged."""
    results = look(ALL, good() | {query: Unread("no right")})
    need = {check.name for check in ALL if query in check.needs}
    assert {each.check for each in results if "no right" in each.text} == need
    assert all(each.level is Level.WARN for each in results if each.check in need)
    assert all(each.level is Level.OK for each in results if each.check not in need)


NO_PAIR = server() | {"tls.key": keys.key_pem(keys.new_key())}
PIN = Pin(Mode.AUTONOMOUS, "argo", "uid-1")
EDGE = cluster_secret()
TABLE: list[tuple[str, Callable[[], Change], list[str]]] = [
    (
        "no auth",
        lambda: says(asked.HUB_PARAMETERS, {"principal.auth": "userpass:file"}),
        ["fail", "principal.auth: --auth userpass"],
    ),
    (
        "no CA",
        lambda: lacks(asked.HUB_CA),
        ["fail there is no Secret argocd/argocd-agent-ca: trio-argoagent ctl pki init"],
    ),
    ("CA is none", lambda: held(asked.HUB_CA, {"tls.crt": client()["tls.crt"]}), ["fail", "is no CA's"]),
    (
        "CA without key",
        lambda: held(asked.HUB_CA, {"tls.crt": authority().certificate_pem}),
        ["warn", "cannot issue certificates"],
    ),
    ("no certificate", lambda: lacks(asked.HUB_TLS), ["fail", "agents cannot connect"]),
    ("no proxy's", lambda: lacks(asked.HUB_PROXY_TLS), ["warn", "its port stays closed"]),
    ("expired", lambda: held(asked.HUB_TLS, server(at=NOW - 101 * DAY)), ["fail", "it expired at"]),
    (
        "expires soon",
        lambda: held(asked.HUB_TLS, server(days=129.5, at=NOW - 100 * DAY)),
        ["warn", "it expires in 29 days: trio-argoagent ctl pki issue principal"],
    ),
    ("not yet", lambda: held(asked.HUB_TLS, server(at=NOW + DAY)), ["fail", "not valid before"]),
    ("wrong purpose", lambda: held(asked.HUB_TLS, client()), ["fail", "not for serverAuth"]),
    ("no pair", lambda: held(asked.HUB_TLS, NO_PAIR), ["fail", "do not belong together"]),
    ("no PEM", lambda: held(asked.HUB_TLS, {"tls.crt": b"x", "tls.key": b"x"}), ["fail", "no PEM"]),
    ("other CA", lambda: held(asked.HUB_TLS, server(ca="other")), ["the CA of this hub has not issued it"]),
    (
        "a key that signs nothing",
        lambda: held(asked.HUB_JWT, {"jwt.key": keys.key_pem(keys.new_key())}),
        ["warn", "no RSA key"],
    ),
    (
        "bad fingerprint",
        lambda: says(asked.HUB_BLOCKLIST, {"edge": ""}),
        ["warn", "'edge' is no SHA-256 fingerprint"],
    ),
    ("no Argo CD", lambda: lacks(asked.HUB_ARGOCD), ["fail there is no Argo CD in namespace argocd"]),
    (
        "scope",
        lambda: says(asked.HUB_ARGOCD, {"application.namespaces": "x"}),
        ["warn", "belongs into argocd-cmd-params-cm"],
    ),
    (
        "operator",
        lambda: {
            asked.HUB_OPERATED: [plain(asked.HUB_OPERATED, "argo", spec={"applicationNamespaces": ["x"]})]
        },
        ["warn ArgoCD argo"],
    ),
    (
        "Applications",
        lambda: {asked.HUB_APPLICATIONS: [plain(asked.HUB_APPLICATIONS, name) for name in "bacdefg"]},
        ["warn a, b, c, d, e and 2 more in namespace argocd"],
    ),
    (
        "not shown",
        lambda: lacks(asked.HUB_COMMANDS),
        ["warn", "Argo CD shows Applications of its own namespace alone"],
    ),
    (
        "left out",
        lambda: says(asked.HUB_COMMANDS, {"application.namespaces": "w*, /^x/"}),
        ["fail", "leaves out namespace edge of edge"],
    ),
    (
        "not allowed",
        lambda: says(asked.HUB_PARAMETERS, {"principal.allowed-namespaces": "west"}),
        ["fail", "principal.allowed-namespaces leaves out namespace edge"],
    ),
    (
        "no expression",
        lambda: says(asked.HUB_PARAMETERS, {"principal.allowed-namespaces": "/(/"}),
        ["fail", "no regular expression"],
    ),
    (
        "no namespace",
        lambda: lacks(asked.HUB_NAMESPACES),
        ["fail edge has no namespace on the hub: kubectl create namespace edge"],
    ),
    (
        "leaving",
        lambda: {
            asked.HUB_NAMESPACES: [
                plain(asked.HUB_NAMESPACES, "edge", metadata={"deletionTimestamp": "2027-01-01T00:00:00Z"})
            ]
        },
        ["warn namespace edge of edge is being deleted"],
    ),
    (
        "odd pin",
        lambda: {asked.HUB_CLUSTERS: [changed(EDGE, annotations={PINNED: "odd"})]},
        ["fail nobody can be let in as edge", PINNED],
    ),
    (
        "two secrets",
        lambda: {asked.HUB_CLUSTERS: [EDGE, renamed(EDGE, "more")]},
        ["warn edge has another one, which counts: remove Secret more"],
    ),
    (
        "one home",
        lambda: {asked.HUB_CLUSTERS: [EDGE, changed(cluster_secret("west"), annotations={HOME: "edge"})]},
        ["fail edge and west have one namespace of the hub, edge"],
    ),
    (
        "no https",
        lambda: {asked.HUB_CLUSTERS: [changed(EDGE, server=b"http://x?agentName=edge")]},
        ["fail", "not https"],
    ),
    (
        "no agentName",
        lambda: {asked.HUB_CLUSTERS: [changed(EDGE, server=b"https://x")]},
        ["fail", "has no agentName"],
    ),
    (
        "other agentName",
        lambda: {asked.HUB_CLUSTERS: [changed(EDGE, server=b"https://x?agentName=west")]},
        ["fail", "leads to west, its label says edge"],
    ),
    ("no URL", lambda: {asked.HUB_CLUSTERS: [changed(EDGE, server=b"https://[x")]}, ["fail", "no URL"]),
    (
        "reconciled",
        lambda: {
            asked.HUB_CLUSTERS: [changed(EDGE, annotations={"argocd.argoproj.io/skip-reconcile": "no"})]
        },
        ["warn", "skip-reconcile: true"],
    ),
    (
        "label",
        lambda: {
            asked.HUB_CLUSTERS: [changed(EDGE, labels={AGENT_NAME: "west"})],
            asked.HUB_NAMESPACES: [plain(asked.HUB_NAMESPACES, "west")],
        },
        ["its label says west, its certificate edge"],
    ),
    (
        "insecure",
        lambda: {asked.HUB_CLUSTERS: [changed(EDGE, config=b'{"tlsClientConfig":{"insecure":true}}')]},
        ["warn", "does not verify the resource proxy"],
    ),
    (
        "no certificate there",
        lambda: {asked.HUB_CLUSTERS: [cluster_secret(tls=None)]},
        ["warn", "Argo CD cannot show live resources of edge"],
    ),
    (
        "odd config",
        lambda: {asked.HUB_CLUSTERS: [changed(EDGE, config=b"[")]},
        ["fail", "config of Secret cluster-edge cannot be read"],
    ),
    (
        "stranger's",
        lambda: {asked.HUB_CLUSTERS: [cluster_secret(tls=client(ca="other"))]},
        ["fail", "the CA of this hub has not issued its certificate"],
    ),
    (
        "its own is blocked",
        lambda: {
            asked.HUB_BLOCKLIST: [
                plain(asked.HUB_BLOCKLIST, data={fingerprint(read_config(EDGE).tls["tls.crt"]): ""})
            ],
            asked.HUB_CLUSTERS: [EDGE],
        },
        ["fail", "its certificate is blocked"],
    ),
    ("unguarded", lambda: {asked.policies(Side.HUB): []}, ["warn", "every pod may reach it"]),
    (
        "shut out",
        lambda: {asked.policies(Side.SPOKE): [policy(Side.SPOKE, {"matchLabels": {"app": "x"}})]},
        ["fail", "does not let argocd-agent-agent reach Redis"],
    ),
    ("parts are missing", lambda: {asked.workloads(Side.SPOKE)[1]: []}, ["warn Argo CD's redis not found"]),
    (
        "controller on the hub",
        lambda: {
            asked.workloads(Side.HUB)[1]: [
                workload(asked.workloads(Side.HUB)[1], part) for part in ("redis", "application-controller")
            ]
        },
        ["warn argocd-application-controller runs here"],
    ),
    (
        "outside",
        lambda: {
            asked.HUB_SERVICES: [
                plain(
                    asked.HUB_SERVICES,
                    "argocd-agent-principal",
                    status={"loadBalancer": {"ingress": [{"ip": "192.0.2.1"}]}},
                )
            ]
        },
        ["warn", "names none of 192.0.2.1"],
    ),
    (
        "route",
        lambda: {
            asked.HUB_ROUTES: [
                plain(
                    asked.HUB_ROUTES,
                    "agents",
                    spec={"host": "agents.example.com", "to": {"name": "argocd-agent-principal"}},
                )
            ]
        },
        ["warn", "names none of agents.example.com"],
    ),
    (
        "spoke without CA",
        lambda: lacks(asked.SPOKE_CA),
        ["fail there is no Secret argo/argocd-agent-ca: trio-argoagent ctl pki propagate"],
    ),
    (
        "spoke's other CA",
        lambda: held(asked.SPOKE_CA, {"ca.crt": authority("other").certificate_pem}),
        ["fail", "lacks the CA of the principal's certificate"],
    ),
    (
        "spoke without certificate",
        lambda: lacks(asked.SPOKE_TLS),
        ["fail there is no Secret argo/argocd-agent-client-tls"],
    ),
    (
        "spoke's expires",
        lambda: held(asked.SPOKE_TLS, client(days=12.5, at=NOW - 10 * DAY)),
        ["warn", "it expires in 2 days"],
    ),
    (
        "spoke's stranger",
        lambda: held(asked.SPOKE_TLS, client(ca="other")),
        ["fail", "the hub's CA has not issued it"],
    ),
    ("spoke of nobody", lambda: held(asked.SPOKE_TLS, client("west")), ["fail the hub knows no agent west"]),
    (
        "mode",
        lambda: {
            asked.HUB_CLUSTERS: [cluster_secret(pin=PIN)],
            asked.SPOKE_PARAMETERS: [plain(asked.SPOKE_PARAMETERS, data={"agent.mode": "managed"})],
        },
        ["fail edge is known as autonomous, and agent.mode says managed"],
    ),
    (
        "elsewhere",
        lambda: {asked.HUB_CLUSTERS: [cluster_secret(pin=Pin(Mode.MANAGED, "argocd", "u"))]},
        ["fail edge is known with Argo CD in namespace argocd"],
    ),
    (
        "dials",
        lambda: says(asked.SPOKE_PARAMETERS, {"agent.server.address": "192.0.2.1"}),
        ["fail the agent dials 192.0.2.1", "--ip 192.0.2.1"],
    ),
    (
        "maps",
        lambda: says(asked.SPOKE_PARAMETERS, {"agent.destination-based-mapping": "true"}),
        ["fail the agent maps by destination and the principal does not"],
    ),
    (
        "allows for nothing",
        lambda: says(asked.SPOKE_PARAMETERS, {"agent.allowed-namespaces": "x"}),
        ["warn agent.allowed-namespaces says nothing"],
    ),
]


def fingerprint(pem: bytes) -> str:
    """As the blocklist has it."""
    return bundles.fingerprint(keys.load_certificates(pem)[0])


@pytest.mark.parametrize(("change", "parts"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_what_is_wrong(change: Callable[[], Change], parts: list[str]) -> None:
    """It is said, in one line, with what to do."""
    lines = [line for line in amiss(ALL, change()) if not line.startswith("ok")]
    assert any(all(part in line for part in parts) for line in lines), lines
    assert not any("\n" in line for line in lines)


def test_each_check_finds_something() -> None:
    """There is a row above for each; one that finds nothing whatever is read would be no check."""
    found = {
        each.check
        for _, change, _ in TABLE
        for each in look(ALL, good() | change())
        if each.level is not Level.OK
    }
    assert {check.name for check in ALL} - found == set()


def test_by_another_name() -> None:
    """Who a certificate names follows from the principal's --auth."""
    key = keys.new_key()
    spiffe = [x509.UniformResourceIdentifier("spiffe://example.org/ns/argo/sa/edge")]
    start, end = authority().certificate.not_valid_before_utc, authority().certificate.not_valid_after_utc
    issuer = authority().certificate.subject
    made = (
        x509.CertificateBuilder(issuer, x509.Name([]), key.public_key(), 2**100, start, end)
        .add_extension(x509.SubjectAlternativeName(spiffe), critical=True)
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .sign(authority().key, hashes.SHA256())
    )
    mine = held(asked.SPOKE_TLS, {"tls.crt": keys.certificate_pem(made), "tls.key": keys.key_pem(key)})
    plain_auth = [line for line in amiss(spoke.CHECKS, mine) if line.startswith("fail")]
    assert "common name" in plain_auth[0]
    known = says(
        asked.HUB_PARAMETERS, {"principal.auth": "mtls:uri:^spiffe://example.org/ns/argo/sa/([^/]+)$"}
    )
    assert [line for line in amiss(spoke.CHECKS, mine | known) if line.startswith("fail")] == []
    other = says(asked.HUB_PARAMETERS, {"principal.auth": "mtls:uri:^spiffe://other/([^/]+)$"})
    assert any("principal's --auth" in line for line in amiss(spoke.CHECKS, mine | other))


def test_a_mesh() -> None:
    """It says who agents are: nobody needs certificates."""
    mesh = says(asked.HUB_PARAMETERS, {"principal.auth": "header:x-client:^(.*)$"})
    lines = amiss(ALL, mesh | lacks(asked.HUB_TLS) | lacks(asked.SPOKE_TLS) | lacks(asked.SPOKE_CA))
    assert [line for line in lines if line.startswith("fail")] == []


def test_a_blocked_agent() -> None:
    """The spoke's own certificate, too, is looked for in the hub's blocklist."""
    mine = client()
    block = plain(asked.HUB_BLOCKLIST, data={fingerprint(mine["tls.crt"]): ""})
    lines = amiss(ALL, {asked.HUB_BLOCKLIST: [block], asked.SPOKE_TLS: [secret(asked.SPOKE_TLS, mine)]})
    assert any("the hub has blocked this certificate" in line for line in lines)


def test_a_peers_own_certificate() -> None:
    """One as argocd-agentctl makes it works, and is a finding: serial 1, and it may sign."""
    ca, key = authority(), keys.new_key()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "edge")])
    usage: dict[str, Any] = dict.fromkeys(
        (
            "content_commitment",
            "data_encipherment",
            "key_agreement",
            "crl_sign",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    start, end = ca.certificate.not_valid_before_utc, ca.certificate.not_valid_after_utc
    made = (
        x509.CertificateBuilder(ca.certificate.subject, name, key.public_key(), 1, start, end)
        .add_extension(
            x509.KeyUsage(digital_signature=True, key_encipherment=True, key_cert_sign=True, **usage), True
        )
        .add_extension(x509.ExtendedKeyUsage([x509.ExtendedKeyUsageOID.CLIENT_AUTH]), False)
        .sign(ca.key, hashes.SHA256())
    )
    data = {"tls.crt": keys.certificate_pem(made), "tls.key": keys.key_pem(key)}
    lines = amiss(spoke.CHECKS, held(asked.SPOKE_TLS, data))
    (line,) = [line for line in lines if "client-tls" in line]
    assert line.startswith("warn")
    assert "allows it to sign" in line
    assert "counted, not random" in line


def test_chains() -> None:
    """An intermediate authority may stand in between, in any order."""
    root, middle, leaf = authority(), keys.new_key(), keys.new_key()
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "middle")])
    start, end = root.certificate.not_valid_before_utc, root.certificate.not_valid_after_utc

    def issue(
        name: x509.Name, key: ec.EllipticCurvePrivateKey, issuer: x509.Name, signer: Any
    ) -> x509.Certificate:
        builder = x509.CertificateBuilder(issuer, name, key.public_key(), 77, start, end)
        return builder.add_extension(x509.BasicConstraints(True, None), True).sign(signer, hashes.SHA256())

    between = issue(subject, middle, root.certificate.subject, root.key)
    last = issue(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leaf")]), leaf, subject, middle)
    trusted = bundles.Bundle((root.certificate,))
    assert material.is_issued([last, between], trusted)
    assert not material.is_issued([last], trusted)
    assert not material.is_issued([last, last], trusted)
    assert not material.is_issued([last, between], bundles.Bundle((authority("other").certificate,)))


@pytest.mark.parametrize(
    ("host", "good"),
    [
        ("principal.example.com", True),
        ("PRINCIPAL.example.com.", True),
        ("a.apps.example.com", True),
        ("a.b.apps.example.com", False),
        ("apps.example.com", False),
        ("192.0.2.7", True),
        ("192.0.2.8", False),
        ("2001:db8:0::1", True),
    ],
)
def test_hosts(host: str, good: bool) -> None:
    """Names without regard to case, wildcards for one label, addresses by value."""
    hosts = ["principal.example.com", "*.apps.example.com", "192.0.2.7", "2001:db8::1"]
    leaf = keys.load_certificates(server(hosts)["tls.crt"])[0]
    assert material.serves(inspection.inspect(leaf, inspection.Role.SERVER, NOW), host) is good
