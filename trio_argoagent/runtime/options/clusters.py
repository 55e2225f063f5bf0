"""Options on the cluster that a program runs on, and on what it logs."""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.loglevels import parse
from trio_argoagent.runtime.logs import FORMATS
from trio_argoagent.runtime.options.kinds import DURATION, FILE, NAME, SWITCH, Kind, words
from trio_argoagent.runtime.options.meanings import ADDRESS_OF
from trio_argoagent.runtime.options.rows import Option
from trio_argoagent.runtime.recordlog import parse_detail

CLUSTER: Final = (
    Option(
        "--kubeconfig",
        "",
        "",
        FILE,
        "",
        "Kubeconfig; without it: ~/.kube/config, in a pod its service account.",
        also=("KUBECONFIG",),
    ),
    Option("--kubecontext", "", "", NAME, "", "Context of the kubeconfig; without it: its current one."),
)
PATIENCE: Final = (
    Option(
        "--informer-sync-timeout",
        "INFORMER_SYNC_TIMEOUT",
        "informer-sync-timeout",
        DURATION,
        "0",
        "Give up when this cluster has not shown its Applications and AppProjects by then; 0: wait for ever.",
    ),
)
_LEVEL: Final = Option(
    "--log-level",
    "LOG_LEVEL",
    "log.level",
    Kind(parse, "LEVEL[,PART=LEVEL]...", is_list=True),
    "info",
    "The least that is logged, of all and of parts, as info,redis-proxy=debug.",
)
_DETAIL: Final = Option(
    "--full-detail",
    "FULL_DETAIL",
    "full-detail",
    Kind(parse_detail, "CATEGORY", is_list=True),
    "",
    "Log in full what is written (actions), sent and received (events), seen (informers), or all of it.",
)


def _format(*also: str) -> Option:
    return Option(
        "--log-format",
        "LOG_FORMAT",
        "log.format",
        words(*FORMATS),
        "text",
        "One line per event, for people or for programs.",
        also=also,
    )


PRINCIPAL_LOGS: Final = (_LEVEL, _format(), _DETAIL)
AGENT_LOGS: Final = (_LEVEL, _format("ARGOCD_PRINCIPAL_LOG_FORMAT"), _DETAIL)
"""argocd-agent's agent reads the format from the principal's variable, and its manifests set that one."""
TRACES: Final = (
    Option(
        "--otlp-address",
        "OTLP_ADDRESS",
        "otlp.address",
        ADDRESS_OF,
        "",
        "OpenTelemetry collector that takes traces, by gRPC; without it there are none.",
    ),
    Option(
        "--otlp-insecure",
        "OTLP_INSECURE",
        "otlp.insecure",
        SWITCH,
        "false",
        "Reach it without TLS.",
        needs="otlp_address",
    ),
)
AUDIT: Final = (
    Option(
        "--audit-log",
        "AUDIT_LOG",
        "audit-log",
        FILE,
        "",
        "Append security decisions to it, as lines of JSON; without it they go to standard error.",
    ),
)
