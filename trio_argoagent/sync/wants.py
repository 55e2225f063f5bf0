"""What a source wants held for one of its objects, and the body that a record of it carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from trio_argoagent.model.keys import Key, Kind, Verb
from trio_argoagent.model.objects import Object, canonical
from trio_argoagent.model.records import Evidence
from trio_argoagent.sync import digest, intents, names, projection
from trio_argoagent.sync.intents import Intent
from trio_argoagent.sync.kinds import Rank, Row
from trio_argoagent.sync.mapping import NamespaceMapping
from trio_argoagent.sync.selection import is_ignored
from trio_argoagent.sync.source import Want

FRESH: Final = 10.0
"""Seconds after an operation's end in which its time stamps still matter: the CLI, notifications and
progressive syncs wait for a ``reconciledAt`` that is later than it."""
NOTHING_ASKED: Final[Mapping[Verb, bool]] = {}


def is_hidden(obj: Object | None) -> bool:
    """Is this an object that would be replicated if it could be read?"""
    return obj is not None and bool(obj.unreadable) and not is_ignored(obj)


def copy(row: Row, uid: str, body: Mapping[str, Any], evidence: Evidence = Evidence.WITNESSED) -> Want:
    """The want for a copy with this body (a copy projection, maybe ``deleting``, and then with evidence)."""
    wanted = digest.wanted(row.kind, uid, body)
    if not body.get(projection.DELETING):
        return Want(uid, wanted, row.rank)
    return Want(uid, wanted, Rank.DELETION, answered_only=True, evidence=evidence)


def lowered(row: Row, mapping: NamespaceMapping, key: Key, obj: Object) -> dict[str, Any] | None:
    """The body that a managed spoke shall hold of this hub object; None: nothing.

    Whether it takes part at all, and whether this agent is entitled to it, is for the caller to know.
    """
    shown = projection.copy_projection(row, obj)
    if row.kind is Kind.APP_PROJECT and not mapping.admits(shown["spec"]):
        return None
    if not row.cascades:
        # Hub and spoke each have Argo CD's own finalizers on it, or not: they do not travel.
        shown["finalizers"] = []
    body = mapping.down(key, shown)
    return body | {projection.DELETING: True} if obj.deleting else body


def status_body(obj: Object) -> dict[str, Any]:
    """The body of a status record: the status, and beside it what D does not cover."""
    return {
        "status": projection.status_of(obj),
        "operation": obj.get("operation"),
        "intent": obj.annotations.get(names.INTENT, ""),
        "refresh": names.REFRESH in obj.annotations,
    } | ({"hydrate": True} if names.HYDRATE in obj.annotations else {})


def status(
    uid: str, body: Mapping[str, Any], recently: str, asked: Mapping[Verb, bool] = NOTHING_ASKED
) -> Want | None:
    """The want for a status body; None while there is no status.

    Args:
        uid: the one the hub knows.
        body: see ``status_body``.
        recently: the RFC 3339 time ``FRESH`` seconds ago.
        asked: the refresh, or the hydration, that the hub waits for; any other is nobody's there: a webhook
            makes hundreds. Of each: is the body older than our write for it? What comes then may be the same
            body, and is sent all the same: it is what the hub waits for.
    """
    value = body["status"]
    if not value:
        return None
    finished = (value.get("operationState") or {}).get("finishedAt") or ""
    # Encoded once for both digests: a status can be large.
    members = {name: msgspec.Raw(canonical(member)) for name, member in value.items()}
    urgent = body["operation"] is not None or bool(asked) or finished >= recently
    pending = [verb for verb, behind in asked.items() if body.get(verb) or behind]
    return Want(
        uid,
        digest.wanted(Kind.STATUS, uid, members),
        Rank.STATUS,
        substance="" if urgent else digest.stored(projection.substance(members)),
        aside=digest.stored([body["operation"], body["intent"], pending]),
    )


def intent_body(intent: Intent, now: float) -> bytes:
    """The body of an intent's record, sent at ``now`` (Unix seconds, the hub's clock).

    Of its expiry the seconds that are ``left`` travel: no two clocks are ever compared.
    """
    left = {"left": max(0.0, intent.until - now)} if intent.until else {}
    return canonical({"id": intent.id} | dict(intent.body) | left)


def intent(uid: str, asked: Intent) -> Want:
    """The want for an intent on the Application that the spoke knows by this uid."""
    rank = Rank.SPEC if asked.verb in intents.REQUESTS else Rank.INTENT
    return Want(
        uid,
        digest.of_bytes(asked.verb.encode(), asked.id.encode()),
        rank,
        answered_only=True,
        listed=False,
    )
