"""Options on which objects go where, what becomes of copies, and how much there may be of what."""

from __future__ import annotations

from typing import Final

from trio_argoagent.runtime.options.kinds import DURATION, SWITCH, number, one_of, whole
from trio_argoagent.runtime.options.meanings import EXPRESSION, GLOBS, LABELS, PATTERNS, SELECTOR, STYLE
from trio_argoagent.runtime.options.rows import Option
from trio_argoagent.sync import allowance, flow
from trio_argoagent.sync.policy import DEFAULTS, Adoption, Mismatch, Recreation

MAX_RECORDS: Final = 65_536
MAX_BYTES: Final = 1024 * 1024 * 1024
MAX_OBJECTS: Final = 1_000_000
MAX_WRITES: Final = 10_000.0
"""A second."""
_DESTINATION: Final = Option(
    "--destination-based-mapping",
    "DESTINATION_BASED_MAPPING",
    "destination-based-mapping",
    STYLE,
    "false",
    "The destination's name says which managed agent an Application is for; on both sides.",
)
_SELECTOR: Final = Option(
    "--label-selector",
    "LABEL_SELECTOR",
    "label-selector",
    SELECTOR,
    "",
    "Replicate only what this selects of the objects that this side owns, or asks for.",
)


def _allowed(text: str, needs: str = "") -> Option:
    return Option(
        "--allowed-namespaces", "ALLOWED_NAMESPACES", "allowed-namespaces", PATTERNS, None, text, needs=needs
    )


PRINCIPAL_MAPPING: Final = (
    _DESTINATION,
    _allowed(
        "Hub namespaces that take part: by destination, besides Argo CD's own; else of those that are"
        " agents'."
    ),
    _SELECTOR,
    Option(
        "--namespace-create-enable",
        "NAMESPACE_CREATE_ENABLE",
        "namespace-create.enable",
        SWITCH,
        "false",
        "Make the hub namespaces of autonomous agents.",
    ),
    Option(
        "--namespace-create-pattern",
        "NAMESPACE_CREATE_PATTERN",
        "namespace-create.pattern",
        EXPRESSION,
        "",
        "Only those in whose name this is found.",
    ),
    Option(
        "--namespace-create-labels",
        "NAMESPACE_CREATE_LABELS",
        "namespace-create.labels",
        LABELS,
        "",
        "Labels that they get.",
    ),
)
AGENT_MAPPING: Final = (
    _DESTINATION,
    _allowed(
        "Namespaces that take part besides Argo CD's own; with --destination-based-mapping.",
        needs="destination_based_mapping",
    ),
    _SELECTOR,
    Option(
        "--create-namespace",
        "CREATE_NAMESPACE",
        "create-namespace",
        SWITCH,
        "false",
        "Make allowed namespaces that Applications need; with --destination-based-mapping.",
    ),
    Option(
        "--ignore-unmanaged-apps",
        "IGNORE_UNMANAGED_APPS",
        "ignore-unmanaged-apps",
        SWITCH,
        "false",
        "Leave Applications alone that the hub did not make, also where it has one of that name.",
    ),
)
METADATA: Final = (
    Option(
        "--local-annotations",
        "LOCAL_ANNOTATIONS",
        "local-annotations",
        GLOBS,
        "",
        "Annotations that neither leave this cluster nor are changed on its copies.",
    ),
    Option(
        "--local-labels",
        "LOCAL_LABELS",
        "local-labels",
        GLOBS,
        "",
        "Labels that neither leave this cluster nor are changed on its copies.",
    ),
)
DELETIONS: Final = (
    Option(
        "--max-deletions",
        "MAX_DELETIONS",
        "max-deletions",
        whole(0),
        None,
        "Objects of one agent deleted within 10 minutes; more wait for ctl deletes confirm.",
        shown="any number",
    ),
    Option(
        "--max-inferred-deletions",
        "MAX_INFERRED_DELETIONS",
        "max-inferred-deletions",
        whole(-1),
        None,
        "Of these, objects of a kind that nobody was seen to delete; -1: not held at all.",
        shown="5, or 5 %",
    ),
)
POLICIES: Final = (
    Option(
        "--adoption-policy",
        "ADOPTION_POLICY",
        "adoption-policy",
        one_of(Adoption),
        DEFAULTS.adoption.value,
        "An Application that the spoke has already when the hub's of that name comes: adopt it?",
    ),
    Option(
        "--source-uid-mismatch-policy",
        "SOURCE_UID_MISMATCH_POLICY",
        "source-uid-mismatch-policy",
        one_of(Mismatch),
        DEFAULTS.mismatch.value,
        "The copy of another object of that name: delete it first, or take it over?",
    ),
    Option(
        "--on-application-recreate",
        "ON_APPLICATION_RECREATE",
        "on-application-recreate",
        one_of(Recreation),
        DEFAULTS.recreation.value,
        "An Application that was deleted on the spoke comes back: sync it?",
    ),
)
PRINCIPAL_LIMITS: Final = (
    Option(
        "--intent-expiry",
        "INTENT_EXPIRY",
        "intent-expiry",
        DURATION,
        "0",
        "A sync that has not started on its spoke by then fails, and never starts; 0: it may wait.",
    ),
    Option(
        "--max-hub-writes",
        "MAX_HUB_WRITES",
        "max-hub-writes",
        number(0, MAX_WRITES, "PER_SECOND"),
        "0",
        "Writes to the hub on behalf of one agent; 0: as many as its share allows.",
    ),
    Option(
        "--max-agent-objects",
        "MAX_AGENT_OBJECTS",
        "max-agent-objects",
        whole(0, MAX_OBJECTS),
        str(allowance.DEFAULT),
        "Applications and AppProjects that one agent may make the hub hold; 0: any number.",
    ),
)
AGENT_LIMITS: Final = (
    Option(
        "--status-budget-records",
        "STATUS_BUDGET_RECORDS",
        "status-budget-records",
        whole(1, MAX_RECORDS),
        str(flow.DEFAULT.records),
        "Statuses that are under way to the hub unanswered.",
    ),
    Option(
        "--status-budget-bytes",
        "STATUS_BUDGET_BYTES",
        "status-budget-bytes",
        whole(1, MAX_BYTES),
        str(flow.DEFAULT.size),
        "Likewise, of their bodies together.",
    ),
    Option(
        "--status-budget-cosmetic",
        "STATUS_BUDGET_COSMETIC",
        "status-budget-cosmetic",
        whole(1, MAX_RECORDS),
        str(flow.DEFAULT.cosmetic),
        "Likewise, those in which only time stamps changed.",
    ),
)
