"""The options of both programs, part by part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from trio_argoagent.runtime.options import (
    clusters,
    elsewhere,
    identity,
    links,
    objects,
    observing,
    proxies,
    redis,
    tls,
)
from trio_argoagent.runtime.options.rows import Part, Program

PRINCIPAL: Final = Program(
    "principal",
    "ARGOCD_PRINCIPAL",
    (
        Part("Links", links.PRINCIPAL),
        Part("TLS of links", tls.PRINCIPAL),
        Part("Who agents are", identity.PRINCIPAL),
        Part("Agents that the hub does not know yet", identity.REGISTRATION),
        Part("Which objects go where", objects.PRINCIPAL_MAPPING),
        Part("Metadata", objects.METADATA),
        Part("Deletions", objects.DELETIONS),
        Part("Limits", objects.PRINCIPAL_LIMITS),
        Part("Redis", redis.PRINCIPAL),
        Part("Redis proxy", proxies.REDIS),
        Part("Resource proxy", proxies.RESOURCE),
        Part("Cluster", clusters.CLUSTER),
        Part("Logs", clusters.PRINCIPAL_LOGS + clusters.AUDIT),
        Part("Traces", clusters.TRACES),
        Part("Health and metrics", observing.PRINCIPAL),
        Part("High availability", elsewhere.HA),
        Part("Without effect", elsewhere.PRINCIPAL),
    ),
)
AGENT: Final = Program(
    "agent",
    "ARGOCD_AGENT",
    (
        Part("Link", links.AGENT),
        Part("TLS of the link", tls.AGENT),
        Part("Who the agent is", identity.AGENT),
        Part("Which objects go where", objects.AGENT_MAPPING),
        Part("Copies", objects.POLICIES),
        Part("Metadata", objects.METADATA),
        Part("Deletions", objects.DELETIONS),
        Part("Limits", objects.AGENT_LIMITS),
        Part("Redis", redis.AGENT),
        Part("Cluster", clusters.CLUSTER + clusters.PATIENCE),
        Part("Logs", clusters.AGENT_LOGS),
        Part("Traces", clusters.TRACES),
        Part("Health and metrics", observing.AGENT),
        Part("Without effect", elsewhere.AGENT),
    ),
)
PROGRAMS: Final[Mapping[str, Program]] = {each.name: each for each in (PRINCIPAL, AGENT)}
"""By the names of their commands."""
