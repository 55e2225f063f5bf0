"""The metrics of links and feeds: agents, what is sent and received, and what becomes of it."""

from __future__ import annotations

from typing import Final

from trio_argoagent.model import latency
from trio_argoagent.runtime.endings import CAUSES, REASONS
from trio_argoagent.runtime.metrics.rows import (
    Kind,
    Label,
    Program,
    counter,
    each_counter,
    each_gauge,
    gauge,
    histogram,
    peer,
)

_P, _A = Program.PRINCIPAL, Program.AGENT

# argocd-agent's own

CONNECTED_AGENTS: Final = peer(
    Kind.GAUGE, "argocd_principal_connected_agents", "Agents that are connected now.", _P
)
CONNECTION_TIME: Final = peer(
    Kind.GAUGE,
    "principal_agent_avg_connection_time",
    "Minutes for which the agents that are connected have been so, on average.",
    _P,
)
CONNECTIONS: Final = peer(
    Kind.COUNTER,
    "argocd_principal_agent_connections_total",
    "Links that an agent has had since the principal follows it.",
    _P,
    per_agent=True,
)
EVENTS_SENT: Final = peer(Kind.COUNTER, "principal_events_sent", "Records that were sent to agents.", _P)
EVENTS_RECEIVED: Final = peer(
    Kind.COUNTER, "principal_events_received", "Records that have come from agents.", _P
)
CONNECTION_STATUS: Final = peer(
    Kind.GAUGE, "argocd_agent_connection_status", "1 while there is a link to the principal, else 0.", _A
)
CONNECTION_START: Final = peer(
    Kind.GAUGE,
    "argocd_agent_connection_start_timestamp_seconds",
    "When the link that is up came up (Unix time); 0: there is none.",
    _A,
)
AGENT_CONNECTIONS: Final = peer(
    Kind.COUNTER, "argocd_agent_connections_total", "Links that there were to the principal.", _A
)
AUTH_FAILURES: Final = peer(
    Kind.COUNTER,
    "argocd_agent_auth_failures_total",
    "Links that were refused because of who we are: identity, revoked, banned, unknown-agent.",
    _A,
)
AGENT_EVENTS_SENT: Final = peer(
    Kind.COUNTER, "agent_events_sent", "Records that were sent to the principal.", _A
)
AGENT_EVENTS_RECEIVED: Final = peer(
    Kind.COUNTER, "agent_events_received", "Records that have come from the principal.", _A
)
# The link to each agent

AGENT_CONNECTED: Final = each_gauge("agent_connected", "1 while the agent is connected, else 0.", programs=_P)
AGENT_CONTESTED: Final = each_gauge(
    "agent_contested", "1 while two processes fight for the agent's place, else 0.", programs=_P
)
LINK_ENDS: Final = counter(
    "link_ends_total",
    "Links that ended, and attempts to have one that failed; one that was refused is not among them.",
    labels=(Label("cause", CAUSES),),
)
LINK_REFUSALS: Final = counter(
    "link_refusals_total", "Links that were refused.", labels=(Label("reason", REASONS),)
)
LINK: Final = (
    each_counter("link_sent_bytes_total", "As the transport counts them, tunnels included.", "bytes_sent"),
    each_counter(
        "link_received_bytes_total", "As the transport counts them, tunnels included.", "bytes_received"
    ),
    counter("link_sent_frames_total", "Frames sent.", "frames_sent"),
    counter("link_received_frames_total", "Frames received.", "frames_received"),
    counter("tunnels_total", "Tunnels that were opened.", "tunnels"),
    counter("tunnel_sent_bytes_total", "Bytes that users of tunnels have sent.", "tunnel_bytes_sent"),
    counter(
        "tunnel_received_bytes_total", "Bytes that users of tunnels have received.", "tunnel_bytes_received"
    ),
)  # of LinkStatistics
FREIGHT: Final = (
    counter("bodies_whole_total", "Bodies sent that refer to no earlier one.", "whole"),
    counter("bodies_referring_total", "Bodies sent as what they differ by from an earlier one.", "referring"),
    counter("bodies_in_parts_total", "Bodies that were sent in parts.", "in_parts"),
    counter("bodies_abandoned_total", "Bodies that were left in the middle for newer ones.", "abandoned"),
    counter("bodies_evicted_total", "Bodies that others took the place of as a base.", "evicted"),
    counter("bodies_plain_bytes_total", "Bytes of the bodies sent, before compression.", "plain_bytes"),
    counter("bodies_packed_bytes_total", "Bytes of the bodies sent, as they travelled.", "packed_bytes"),
)  # of FreightStatistics

# The two feeds: a principal sends `desired` and receives `observed`, an agent the reverse

SOURCE: Final = (
    each_gauge("source_wanted_objects", "Objects that the other side should hold.", "wanted"),
    each_gauge("source_dirty_keys", "Keys that are to be sent: changed, and not yet sent again.", "dirty"),
    each_gauge("source_in_flight_records", "Records sent and not answered for good.", "in_flight"),
    each_gauge("source_rejected_keys", "Keys whose newest value the other side has refused.", "refused"),
    each_gauge(
        "source_oldest_dirty_age_seconds",
        "How long the oldest key has not been held as it should; 0: all are.",
        "oldest_dirty",
        fold=max,
    ),
    each_gauge(
        "source_consistent_as_of_age_seconds",
        "Of what was here that long ago the other side is proven to hold all, or newer; +Inf: never proven.",
        "consistent_age",
        fold=max,
    ),
    each_counter("source_records_sent_total", "Records sent, tombstones included.", "records"),
    each_counter("source_tombstones_sent_total", "Records that say that something is gone.", "tombstones"),
    each_counter("source_records_applied_total", "Records that the other side has applied.", "applied"),
    each_counter("source_records_rejected_total", "Records that the other side has refused.", "rejected"),
    counter("source_records_unreadable_total", "Records sent again: their base was gone.", "unreadable"),
    counter("source_records_superseded_total", "Records replaced before they were answered.", "superseded"),
    counter("source_records_forsaken_total", "Records in flight when their link ended.", "forsaken"),
    each_counter(
        "source_mismatches_total", "Continuous checks that found the other side elsewhere.", "mismatches"
    ),
    gauge("source_remembered_keys", "Keys that anything is remembered of.", "keys"),
)  # of SourceStatistics
SETTLED: Final = histogram(
    "source_settled_seconds",
    "From a change, as the informer shows it, to the answer that the other side holds it.",
    bounds=latency.BOUNDS,
)
REPLICA: Final = (
    each_gauge("replica_held_objects", "Objects here that hold what the other side said.", "held"),
    each_gauge("replica_pending_keys", "Keys whose newest record is not applied yet.", "waiting"),
    gauge("replica_working_keys", "Keys that are worked on now.", "working"),
    each_gauge("replica_contested_keys", "Keys that somebody here keeps changing back.", "contested"),
    each_counter("replica_records_received_total", "Records that have come.", "received"),
    each_counter("replica_records_applied_total", "Records that were applied.", "applied"),
    each_counter("replica_records_rejected_total", "Records that were refused.", "rejected"),
    each_counter("replica_reverts_total", "Copies that were put back after a change here.", "reverted"),
)  # of ReplicaStatistics
HELD_DELETIONS: Final = each_gauge("held_deletions", "Deletions that wait for a person.")
SILENT: Final = each_gauge(
    "absence_untold", "1 while the view of a kind is not whole, so that no absence is told, else 0."
)
FLOW: Final = (
    gauge("flow_records", "Statuses that are under way.", "records", programs=_A),
    gauge("flow_bytes", "Of the bodies of these.", "size", programs=_A),
    counter(
        "flow_waits_total", "Statuses after which there was no room for all ranks.", "waits", programs=_A
    ),
)  # of FlowStatistics
