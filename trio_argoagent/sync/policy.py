"""What a platform team may choose of how copies are made: argocd-agent's policies, and what stays local.

A policy decides only where an object that is not yet ours, or no longer ours, stands under a name that is
wanted. Flags give each agent its own; an annotation speaks for one object. What the annotation says counts if
it is one of the words that the flag knows; else the flag counts, and the mistake is told (``remark``).
"""

from __future__ import annotations

import enum
import fnmatch
from collections.abc import Mapping
from typing import Any, Final, TypeVar

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.sync import names

NOT_ADOPTED: Final = "an Application of that name that is not ours exists already"
INITIATOR: Final = "trio-argoagent"
"""Whom the operation names that an agent starts by itself."""


class Adoption(enum.StrEnum):
    """What becomes of a spoke's own Application where the hub has one of that name."""

    ALWAYS = "always"
    """It becomes the copy, in place."""
    NEVER = "never"
    """It stays as it is, and the hub's says so."""


class Mismatch(enum.StrEnum):
    """What becomes of the copy of another object of that name (on the hub it was deleted and made anew)."""

    RECREATE = "recreate"
    """It goes first, without pruning anything; but see ``plan``: only if that tells a difference."""
    UPSERT = "upsert"
    """It becomes the new one's copy in place."""


class Recreation(enum.StrEnum):
    """How an Application comes back that somebody has deleted on the spoke."""

    IGNORE = "ignore"
    """With the status it had: auto-sync thinks that this revision was tried, so only a person syncs it."""
    CLEAR_STATUS = "clear-status"
    """Without its operationState: auto-sync syncs it if it is on."""
    RESYNC = "resync"
    """With an operation that syncs it."""


@attrs.frozen
class Local:
    """Keys of annotations and labels, as globs, that belong to the cluster they stand on.

    They leave it in no feed, and are neither changed nor removed on its copies: image updaters and
    notification controllers keep their notes there.
    """

    annotations: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def shared_annotations(self, found: Mapping[str, str]) -> dict[str, str]:
        """Those that a feed may carry."""
        return {k: v for k, v in found.items() if names.is_projected(k) and not _matches(k, self.annotations)}

    def shared_labels(self, found: Mapping[str, str]) -> dict[str, str]:
        """Likewise."""
        return {k: v for k, v in found.items() if not _matches(k, self.labels)}


NOTHING: Final = Local()


@attrs.frozen
class Policies:
    """Of the program that makes copies; argocd-agent's defaults."""

    adoption: Adoption = Adoption.ALWAYS
    mismatch: Mismatch = Mismatch.RECREATE
    recreation: Recreation = Recreation.IGNORE
    local: Local = NOTHING


DEFAULTS: Final = Policies()


def _matches(key: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatchcase(key, pattern) for pattern in patterns)


_Choice = TypeVar("_Choice", bound=enum.StrEnum)


def _chosen(default: _Choice, told: object) -> _Choice:
    """What the annotation says, if that is a word of this policy; else what the flag says."""
    return next((each for each in type(default) if each.value == told), default)


def adoption(policies: Policies, live: Mapping[str, str]) -> Adoption:
    """May the object with these annotations become ours? Its own word counts, as with argocd-agent."""
    return _chosen(policies.adoption, live.get(names.ADOPTION_POLICY))


def mismatch(policies: Policies, wanted: Mapping[str, str]) -> Mismatch:
    """What to do with the copy of another object, where these annotations are wanted."""
    return _chosen(policies.mismatch, wanted.get(names.MISMATCH_POLICY))


def remark(annotations: Mapping[str, str]) -> str:
    """What a person should mend about these annotations; empty: nothing."""
    told = annotations.get(names.MISMATCH_POLICY)
    if told is None or told in (words := [each.value for each in Mismatch]):
        return ""
    wrong = f"annotation {names.MISMATCH_POLICY} is {told!r}, so the agent's own setting counts"
    return f"{wrong}; set it to {' or '.join(words)}"


def put_back(recreation: Recreation, fresh: Mapping[str, Any], lost: Object) -> dict[str, Any]:
    """The value with which a copy is created again that somebody has deleted.

    An operation that had not ended when the copy went has nobody left to end it, so nothing of it comes back;
    a sync whose start the hub has not heard of by then is started once more.

    Args:
        recreation: the policy.
        fresh: the value of a new copy.
        lost: the copy when it was seen last.
    """
    value, status = dict(fresh), lost.get("status") or {}
    status.pop("reconciledAt", None)  # Argo CD compares now what it has not compared yet.
    ended = bool((status.get("operationState") or {}).get("finishedAt"))
    if recreation is Recreation.RESYNC:
        value["operation"] = _sync(fresh["spec"])
    if recreation is not Recreation.IGNORE or not ended:
        status.pop("operationState", None)
    elif names.INTENT in lost.annotations:
        kept = fresh["metadata"]["annotations"] | {names.INTENT: lost.annotations[names.INTENT]}
        value["metadata"] = fresh["metadata"] | {"annotations": kept}
    return value | ({"status": status} if status else {})


def _sync(spec: Mapping[str, Any]) -> dict[str, Any]:
    policy = spec.get("syncPolicy") or {}
    sync = {"syncOptions": list(policy["syncOptions"])} if policy.get("syncOptions") else {}
    operation: dict[str, Any] = {"initiatedBy": {"username": INITIATOR}, "sync": sync}
    return operation | ({"retry": policy["retry"]} if policy.get("retry") else {})
