"""Annotations, labels and finalizers.

Argo CD's; argocd-agent's, kept so that an installation can switch over and back; and our own.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MARKER: Final = "trio-argoagent/sync"
INTENT: Final = "trio-argoagent/intent"
AGENT: Final = "trio-argoagent/agent"
"""On a mirrored AppProject: whose it is. ``a-b-x`` may be b-x of agent a, or x of agent a-b."""
OWN_PREFIX: Final = "trio-argoagent/"
INFO_ENTRY: Final = "trio-argoagent"
"""The name of our entry in an operation's ``info``."""

SOURCE_UID: Final = "argocd.argoproj.io/source-uid"
PRINCIPAL_UID: Final = "argocd.argoproj.io/principal-uid"
ADOPTION_POLICY: Final = "argocd.argoproj.io/adoption-policy"
"""On an Application of a spoke that is not ours; see ``policy.Adoption``."""
MISMATCH_POLICY: Final = "argocd.argoproj.io/source-uid-mismatch-policy"
"""On an object of the hub; see ``policy.Mismatch``."""
REMAPPED: Final = "argocd.argoproj.io/namespace-remapped"
"""On a copy that is in Argo CD's own namespace because its original is in the hub's own."""
AGENT_NAME: Final = "argocd-agent.argoproj-labs.io/agent-name"
"""The label of an Argo CD cluster secret that says which agent's cluster it is."""
SECRET_TYPE: Final = "argocd.argoproj.io/secret-type"
"""The label by which Argo CD knows its Secrets apart."""
GPG_KEYS: Final = "argocd-gpg-keys-cm"
STATE: Final = "trio-argoagent/state"
"""The label of the ConfigMaps in which the programs remember something."""
IGNORE_SYNC: Final = "argocd-agent.argoproj-labs.io/ignore-sync"

REFRESH: Final = "argocd.argoproj.io/refresh"
REFRESH_TIMESTAMP: Final = "argocd.argoproj.io/refresh-timestamp"
HYDRATE: Final = "argocd.argoproj.io/hydrate"
HYDRATE_TIMESTAMP: Final = "argocd.argoproj.io/hydrate-timestamp"
LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
NOTIFIED: Final = "notified.notifications.argoproj.io"

FAMILY: Final = "resources-finalizer.argocd.argoproj.io"
"""The resources-finalizer; ``/foreground`` and ``/background`` belong to its family."""
_HOOKS: Final = ("pre-delete-finalizer.argocd.argoproj.io", "post-delete-finalizer.argocd.argoproj.io")

_NEVER_PROJECTED: Final = frozenset(
    (
        SOURCE_UID,
        PRINCIPAL_UID,
        REFRESH,
        REFRESH_TIMESTAMP,
        HYDRATE,
        HYDRATE_TIMESTAMP,
        LAST_APPLIED,
        NOTIFIED,
    )
)


def is_projected(annotation: str) -> bool:
    """May a feed carry this annotation? What is not carried is never reverted either."""
    return annotation not in _NEVER_PROJECTED and not annotation.startswith(OWN_PREFIX)


def in_family(finalizer: str) -> bool:
    """Does this finalizer make Argo CD prune the workload before the Application goes?"""
    return finalizer == FAMILY or finalizer.startswith(FAMILY + "/")


def family(finalizers: Iterable[str]) -> tuple[str, ...]:
    """The resources-finalizers among these, in their order: the first decides the propagation."""
    return tuple(name for name in finalizers if in_family(name))


def is_argo_finalizer(finalizer: str) -> bool:
    """Is it one that Argo CD itself sets: the family, or a delete hook's (also with ``/cleanup``)?"""
    return in_family(finalizer) or any(finalizer == h or finalizer.startswith(h + "/") for h in _HOOKS)
