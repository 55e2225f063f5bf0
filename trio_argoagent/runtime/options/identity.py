"""Options on who an agent is, how the hub gets to know it, and who issues its certificate."""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.config import PROXY
from trio_argoagent.runtime.enrolment import DAY, LIFETIMES
from trio_argoagent.runtime.options.kinds import DURATION, FILE, NAME, SWITCH, duration, text
from trio_argoagent.runtime.options.meanings import ADDRESS, NETWORKS
from trio_argoagent.runtime.options.rows import Option

_LEAST, _MOST = LIFETIMES
_LIFETIME: Final = duration(
    _LEAST,
    _MOST,
    advice=f"must be 1h to {_MOST / 3600:.0f}h ({_MOST / DAY:.0f} days): agents renew by themselves, so short"
    " ones cost nobody anything",
)
_PLAINTEXT: Final = Option(
    "--insecure-plaintext",
    "INSECURE_PLAINTEXT",
    "tls.insecure-plaintext",
    SWITCH,
    "false",
    "INSECURE: no TLS between agent and principal, because a mesh's proxies see to it.",
)

PRINCIPAL: Final = (
    Option(
        "--auth",
        "AUTH",
        "auth",
        text("METHOD"),
        "",
        "How agents are known: mtls:<regex> by the subject of their certificate, mtls:uri:<regex> by a URI in"
        " it, header:<name>:<regex> by what a mesh's proxy says; the first group is the name. Without it: by"
        " the certificate's common name.",
    ),
    Option(
        "--require-client-certs",
        "TLS_CLIENT_CERT_REQUIRE",
        "tls.client-cert.require",
        SWITCH,
        "false",
        "Let nobody without a certificate through the handshake: none can be asked for with a token, then. A"
        " link takes one in any case.",
    ),
    Option(
        "--client-cert-subject-match",
        "TLS_CLIENT_CERT_MATCH_SUBJECT",
        "tls.client-cert.match-subject",
        SWITCH,
        "false",
        "The common name of a certificate must be the agent's name, too.",
    ),
    _PLAINTEXT,
    Option(
        "--plaintext-from",
        "PLAINTEXT_FROM",
        "plaintext-from",
        NETWORKS,
        "",
        "Networks that may connect without TLS, besides this pod, where a mesh's sidecar is.",
    ),
    Option(
        "--bans",
        "",
        "",
        SWITCH,
        "true",
        "Keep out for a while who breaks the protocol again and again.",
        negative="--no-bans",
    ),
    Option(
        "--enroll",
        "ENROLL",
        "enroll",
        SWITCH,
        "true",
        "Issue and renew the agents' certificates, by the CA in the Secret argocd-agent-ca.",
        negative="--no-enroll",
    ),
    Option(
        "--certificate-lifetime",
        "CERTIFICATE_LIFETIME",
        "certificate-lifetime",
        _LIFETIME,
        "168h",
        "How long they are valid, 1h to 2160h; agents renew them at two thirds of it.",
    ),
    Option(
        "--rejoin-window",
        "REJOIN_WINDOW",
        "rejoin-window",
        DURATION,
        "720h",
        "How long after the expiry an agent that was off gets a new one by its last key; 0: never.",
    ),
)
REGISTRATION: Final = (
    Option(
        "--enable-self-cluster-registration",
        "ENABLE_SELF_CLUSTER_REGISTRATION",
        "enable-self-cluster-registration",
        SWITCH,
        "false",
        "Make an Argo CD cluster secret for an agent that has none, instead of refusing it.",
    ),
    Option(
        "--self-registration-client-cert-secret",
        "SELF_REGISTRATION_CLIENT_CERT_SECRET",
        "self-registration-client-cert-secret",
        NAME,
        "",
        "Secret with tls.crt, tls.key and ca.crt that goes into such a cluster secret.",
    ),
    Option(
        "--resource-proxy-address",
        "RESOURCE_PROXY_ADDRESS",
        "resource-proxy-address",
        ADDRESS,
        PROXY,
        "The server that such a cluster secret names.",
    ),
)
AGENT: Final = (
    Option(
        "--creds",
        "CREDS",
        "creds",
        text("METHOD"),
        "",
        "How the agent proves who it is: mtls:any, the default, or header: behind a mesh's proxy.",
        secret=True,
    ),
    _PLAINTEXT,
    Option(
        "--bootstrap-token",
        "BOOTSTRAP_TOKEN",
        "",
        text("TOKEN"),
        "",
        "One-time token of ctl agent token, while there is no certificate. Others can see command lines: use"
        " the variable.",
        secret=True,
    ),
    Option("--bootstrap-token-file", "BOOTSTRAP_TOKEN_FILE", "", FILE, "", "File with that token."),
    Option(
        "--renew",
        "RENEW",
        "renew",
        SWITCH,
        "true",
        "Have the certificate renewed by the principal, at two thirds of its life.",
        negative="--no-renew",
    ),
)
