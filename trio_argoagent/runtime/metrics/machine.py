"""The metrics of what is around the feeds: the cluster's API, certificates and rulings, and the process."""

from __future__ import annotations

from typing import Final

from trio_argoagent.model import latency
from trio_argoagent.model.rulings import Decision
from trio_argoagent.runtime.metrics.rows import Kind, Label, Program, counter, gauge, histogram, peer
from trio_argoagent.runtime.observing import lag
from trio_argoagent.stream.protocol.enrolment import Denial

_P, _A = Program.PRINCIPAL, Program.AGENT

# The cluster's API

_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
API_REQUESTS: Final = peer(
    Kind.COUNTER,
    "rest_client_requests_total",
    "Requests to the API server that were answered, watches included; code <error>: none came.",
    Program.BOTH,
    labels=(
        Label("code", open="status codes of HTTP, three digits, and <error>"),
        Label("method", _METHODS),
    ),
)
API_DURATIONS: Final = peer(
    Kind.HISTOGRAM,
    "rest_client_request_duration_seconds",
    "Until the API server's answer; of a watch, until it begins.",
    Program.BOTH,
    labels=(Label("verb", _METHODS),),
    bounds=latency.BOUNDS,
)
_RESOURCE: Final = (Label("resource", open="the resources that the programs read: a dozen"),)
INFORMER: Final = (
    gauge("informer_objects", "Objects in memory.", "objects", labels=_RESOURCE),
    counter("informer_lists_total", "Lists that were read to their end.", "lists", labels=_RESOURCE),
    counter("informer_watches_total", "Watches that were begun.", "watches", labels=_RESOURCE),
    counter("informer_events_total", "Events received.", "events", labels=_RESOURCE),
    counter("informer_dropped_events_total", "Events that told nothing new.", "dropped", labels=_RESOURCE),
    counter(
        "informer_expired_total", "Positions that the server had forgotten.", "expired", labels=_RESOURCE
    ),
    counter("informer_silent_total", "Watches given up for their silence.", "silent", labels=_RESOURCE),
    counter("informer_stale_lists_total", "Lists older than what is known.", "stale", labels=_RESOURCE),
    counter(
        "informer_failures_total", "Errors, and watches that ended at once.", "failures", labels=_RESOURCE
    ),
)  # of InformerStatistics
INFORMER_COMPLETE: Final = gauge(
    "informer_complete", "1 while absence from memory may be believed, else 0.", labels=_RESOURCE, fold=min
)
WRITES: Final = (
    gauge("hub_writes_running", "Writes under way, of all agents.", "running", programs=_P),
    gauge("hub_writes_waiting", "Writes that wait for their turn.", "waiting", programs=_P),
    gauge("hub_writes_waiting_agents", "Agents with writes that wait.", "agents", programs=_P),
    counter("hub_writes_total", "Writes that had their turn.", "admitted", programs=_P),
    counter("hub_writes_delayed_total", "Those of them that had to wait.", "delayed", programs=_P),
    counter("hub_writes_paced_total", "Those that waited for --max-hub-writes.", "paced", programs=_P),
)  # of FairnessStatistics
UNCLAIMED: Final = gauge(
    "unclaimed_applications", "Applications that wait for an agent that does not exist.", programs=_P
)

# Identity and security

CERTIFICATE_EXPIRY: Final = gauge(
    "certificate_expiry_timestamp_seconds",
    "When the first certificate for this purpose expires (Unix time).",
    labels=(Label("purpose", open="what the program has certificates for: six at most"),),
    fold=min,
)
CERTIFICATE_START: Final = gauge(
    "certificate_start_timestamp_seconds",
    "Since when that one is valid (Unix time).",
    labels=CERTIFICATE_EXPIRY.labels,
    fold=min,
)
RULINGS: Final = counter(
    "rulings_total", "Security decisions, as in the audit log.", labels=(Label("decision", tuple(Decision)),),
    programs=_P,
)  # fmt: skip
BANNED: Final = gauge("banned_agents", "Agents that stay outside for having misbehaved.", programs=_P)
DENIALS: Final = counter(
    "certificate_denials_total",
    "Requests for certificates that were denied.",
    labels=(Label("reason", tuple(Denial)),),
    programs=_P,
)
RENEWALS: Final = counter(
    "certificate_renewals_total",
    "Attempts to renew our own certificate.",
    labels=(Label("outcome", ("renewed", "failed", "not-issuing", "refused")),),
    programs=_A,
)
REDIS_CONNECTIONS: Final = gauge(
    "redis_proxy_connections", "Connections of Argo CD to the Redis proxy.", programs=_P
)
REDIS_ACCEPTED: Final = counter(
    "redis_proxy_connections_total",
    "Connections that came to the Redis proxy, refused ones included.",
    programs=_P,
)

# The process

BUILD_INFO: Final = peer(
    Kind.GAUGE,
    "argocd_agent_build_info",
    "1, with the version of the program.",
    Program.BOTH,
    labels=(Label("version", open="one: our own"), Label("git_revision", ("unknown",))),
)
LAG: Final = histogram(
    "event_loop_lag_seconds",
    "For how long what was due had to wait for its turn, by turns of the event loop.",
    bounds=lag.BOUNDS,
)
LAG_WORST: Final = gauge(
    "event_loop_lag_recent_max_seconds", "The most of that within the last one or two minutes."
)
TASKS: Final = gauge("trio_tasks", "Tasks that live.")
LOG_FAILURES: Final = counter(
    "log_write_failures_total", "Writes to the log that failed, as where a disk is full: lines are missing."
)
CPU: Final = peer(Kind.COUNTER, "process_cpu_seconds_total", "Seconds of CPU, user and system.", Program.BOTH)
MEMORY: Final = peer(Kind.GAUGE, "process_resident_memory_bytes", "Memory in use.", Program.BOTH)
OPEN_FILES: Final = peer(Kind.GAUGE, "process_open_fds", "Open file descriptors.", Program.BOTH)
MOST_FILES: Final = peer(Kind.GAUGE, "process_max_fds", "The most that there can be.", Program.BOTH)
STARTED: Final = peer(
    Kind.GAUGE, "process_start_time_seconds", "When the process began (Unix time).", Program.BOTH
)
UNNAMED_AGENTS: Final = gauge(
    "metrics_unnamed_agents", "Agents beyond the bound, told together under the name _other.", programs=_P
)
