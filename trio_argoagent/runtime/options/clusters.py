"""Options on the cluster that a program runs on, and on what it logs."""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.loglevels import parse
from trio_argoagent.runtime.logs import FORMATS
from trio_argoagent.runtime.options.kinds import DURATION, FILE, NAME, Kind, words
from trio_argoagent.runtime.options.rows import Option

CLUSTER: Final = (
    Option(
        "--kubeconfig",
        "",
        "",
        FILE,
        "",
        "Kubeconfig; without it: the service account of the pod this runs in.",
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
        "Give up when this cluster has not shown all its objects by then; 0: wait as long as it takes.",
    ),
)
LOGS: Final = (
    Option(
        "--log-level",
        "LOG_LEVEL",
        "log.level",
        Kind("levels", parse, "LEVEL[,PART=LEVEL]..."),
        "info",
        "The least that is logged, of all and of parts, as info,redis-proxy=debug.",
    ),
    Option(
        "--log-format",
        "LOG_FORMAT",
        "log.format",
        words(*FORMATS),
        "text",
        "One line per event, for people or for programs.",
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
