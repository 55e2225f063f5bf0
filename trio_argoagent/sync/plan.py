"""One record and one copy -> the next write.

The rules (which hold for spoke copies and for mirrors on the hub alike):

* A copy says what it holds (``marker``). It holds the record if the marker names its D and AP is still the
  digest of what is stored; anything else is drift and is written anew.
* If what the API server stored differs from what was sent, it is sent once more; only the same difference
  again is normalisation and goes into AP. A single difference may be somebody's edit in between.
* A cascade travels only as a ``deleting`` record: the copy's resources-finalizers are made equal to the
  record's first, then the copy is deleted. It is ``applied`` only when no copy is left.
* A tombstone never cascades: the family is removed first, then exactly that version is deleted.
* A copy of another source uid is never touched by a tombstone or by a cascade.
* What stands there and is not ours becomes ours in place, at exactly the version that was seen, unless the
  adoption policy forbids it. A copy of another object of that name goes first (policy ``recreate``) only if
  that object's deletion was witnessed, or the spec differs; else, and for a copy that another principal made,
  it is restamped in place: a restored or moved hub must not re-create a fleet.
* A mirror is only ever written onto this agent's own mirror: an object of the hub, or the mirror of another
  agent that the same name stands for, is never adopted, changed or removed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import DRIFT, Evidence, Holding, Record
from trio_argoagent.sync import digest, marker, names, policy, projection, steps
from trio_argoagent.sync import drift as drifts
from trio_argoagent.sync.guard import Departure
from trio_argoagent.sync.kinds import Row

TERMINATING = "the copy is still being deleted"


@attrs.frozen
class Place:
    """Where a copy goes and what is stamped on it.

    Attributes:
        row: of its kind.
        namespace: on the replica's cluster.
        name: likewise.
        principal_uid: of the hub that rules it; empty on mirrors.
        incarnation: of the source, for the marker.
        mirror: is this a mirror on the hub, where nobody would run Argo CD's finalizers?
        owner: the agent whose mirror it is, where its namespace does not tell; else empty.
        forbidden: why nothing may be written or counted there; empty: it may.
        policies: for what stands there and is not, or no longer, the copy that is wanted.
    """

    row: Row
    namespace: str
    name: str
    principal_uid: str = ""
    incarnation: str = ""
    mirror: bool = False
    owner: str = ""
    policies: policy.Policies = policy.DEFAULTS
    forbidden: str = ""


def holding(row: Row, obj: Object | None) -> Holding | None:
    """What an object of the replica's cluster says it holds, and whether that is still true."""
    uid = obj.annotations.get(names.SOURCE_UID, "") if obj is not None else ""
    if obj is None or not uid or not row.selects(obj):
        return None
    mark = marker.parse(obj.annotations.get(names.MARKER))
    intact = mark is not None and mark.ap == projection.ap(row, obj)
    return Holding(uid, mark.digest if mark is not None and intact else DRIFT)


def refusal(place: Place, live: Object | None) -> str:
    """Why what stands there is none of ours to touch or to count; empty: it may be.

    On the hub an agent must not reach what the hub's users, or another agent, have put there; on a spoke,
    what lies in a namespace that its operator has not allowed. There a Secret that is no repository's is none
    of the hub's business, whatever the hub calls its own.
    """
    if place.forbidden:
        return place.forbidden
    if live is None:
        return ""
    if not place.mirror:
        foreign = not place.row.selects(live) and names.SOURCE_UID not in live.annotations
        return f"this cluster has a {live.kind} of its own of that name" if foreign else ""
    if names.SOURCE_UID not in live.annotations:
        return "the hub has an object of its own of that name"
    if place.owner and _owner(live) != place.owner:
        return "the hub's object of that name mirrors another agent's"
    return ""


def _owner(project: Object) -> str:
    """The agent whose AppProject this mirrors. argocd-agent does not write it down, but admits it alone."""
    told = project.annotations.get(names.AGENT)
    if told is None:
        admitted: Sequence[str] = (project.get("spec") or {}).get("sourceNamespaces") or ()
        told = admitted[0] if len(admitted) == 1 else ""
    return str(told)


def plan(
    place: Place, record: Record, body: Mapping[str, Any] | None, live: Object | None, stored: Sequence[str]
) -> steps.Step:
    """The next step that brings this record about.

    Args:
        place: where.
        record: what; its body is not looked at,
        body: but this one, in the names of the replica's cluster; None for a tombstone.
        live: the newest known copy; None: there is none.
        stored: AP of what the server answered to each send of this very record so far.
    """
    reason = refusal(place, live)
    if reason:
        return steps.pending(reason) if body is not None else steps.APPLIED
    if body is None:
        return _bury(place, record.uid, live)
    if body.get(projection.DELETING):
        return _cascade(place, record, body, live)
    if live is None:
        return steps.Create(_fresh(place, record, body))
    if live.deleting:
        return _leave(place, live)
    if not _may_adopt(place, live):
        return steps.pending(policy.NOT_ADOPTED)
    if _is_foreign(place, record, body, live):
        return _remove(live)
    return _update(place, record, body, live, stored)


def departure(
    place: Place, record: Record, body: Mapping[str, Any] | None, live: Object | None
) -> Departure | None:
    """The copy that ``plan`` will make go for this record; None: it makes none go.

    A copy that is on its way out already goes without us. A cascade that names no evidence has none.
    """
    if live is None or live.deleting or refusal(place, live):
        return None
    theirs = live.annotations.get(names.SOURCE_UID, "")
    if body is None or body.get(projection.DELETING):
        evidence = record.evidence or Evidence.INFERRED
        goes = theirs == record.uid and place.row.selects(live)
    else:
        seen = theirs == record.replaces
        evidence = Evidence.WITNESSED if seen else Evidence.INFERRED
        goes = _is_foreign(place, record, body, live)
    if not goes:
        return None
    mark = marker.parse(live.annotations.get(names.MARKER))
    back = mark is not None and rv.is_newer(mark.asof, record.asof)
    return Departure(record.key, theirs, evidence, back and evidence is Evidence.INFERRED)


def _may_adopt(place: Place, live: Object) -> bool:
    """Is it ours, or may it become ours? argocd-agent's copies are ours, and so is what has lost a stamp."""
    stamps = (names.SOURCE_UID, names.PRINCIPAL_UID, names.MARKER)
    if place.row.in_place or any(stamp in live.annotations for stamp in stamps):
        return True
    return policy.adoption(place.policies, live.annotations) is policy.Adoption.ALWAYS


def _is_foreign(place: Place, record: Record, body: Mapping[str, Any], live: Object) -> bool:
    """Must this copy of another object go before ours can come? See the module."""
    theirs = live.annotations.get(names.SOURCE_UID, "")
    if not theirs or theirs == record.uid:
        return False
    now = projection.content(place.row, live)
    if place.row.in_place:
        return now.get("type") != body.get("type")  # The API server lets nobody change that.
    # A copy that names no principal is from before argocd-agent wrote it: it moves, too.
    if place.principal_uid and live.annotations.get(names.PRINCIPAL_UID, "") != place.principal_uid:
        return False
    if policy.mismatch(place.policies, body["annotations"]) is policy.Mismatch.UPSERT:
        return False
    return theirs == record.replaces or any(now[field] != body[field] for field in now)


def _fresh(place: Place, record: Record, body: Mapping[str, Any]) -> dict[str, Any]:
    sent = _sent(place.row, body)
    metadata: dict[str, Any] = {
        "name": place.name,
        "namespace": place.namespace,
        "annotations": sent["annotations"] | _stamps(place, record, digest.stored(sent)),
    }
    if sent["labels"]:
        metadata["labels"] = sent["labels"]
    if sent["finalizers"]:
        metadata["finalizers"] = sent["finalizers"]
    resource = place.row.resource
    return {
        "apiVersion": resource.api_version,
        "kind": resource.kind,
        "metadata": metadata,
        **{field: sent[field] for field in place.row.content},
    }


def _sent(row: Row, body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "annotations": row.local.shared_annotations(body["annotations"]),
        "finalizers": body["finalizers"],
        "labels": row.local.shared_labels(body["labels"]),
        **{field: body[field] for field in row.content},
    }


def _stamps(place: Place, record: Record, ap: str) -> dict[str, str | None]:
    mark = marker.Marker(record.digest, ap, record.asof, place.incarnation)
    stamps: dict[str, str | None] = {names.MARKER: str(mark), names.SOURCE_UID: record.uid}
    rulers = ((names.PRINCIPAL_UID, place.principal_uid), (names.AGENT, place.owner))
    return stamps | {name: value for name, value in rulers if value}


def _update(
    place: Place, record: Record, body: Mapping[str, Any], live: Object, stored: Sequence[str]
) -> steps.Step:
    sent, now = _sent(place.row, body), projection.copy_projection(place.row, live)
    ap = digest.stored(now)
    if holding(place.row, live) == Holding(record.uid, record.digest):
        return steps.APPLIED
    if len(stored) >= 2 and ap == stored[-1] == stored[-2]:
        # Sent twice, and twice stored as this: so does this API server write it.
        stamps = steps.map_changes("annotations", live.annotations, _stamps(place, record, ap))
        return steps.Patch([*_guards(live, strict=True), *stamps])
    strict = now["finalizers"] != sent["finalizers"]
    changes = [steps.op_add(f"/{part}", sent[part]) for part in place.row.content if now[part] != sent[part]]
    changes += _changes(live, now, sent, _stamps(place, record, digest.stored(sent)))
    return steps.Patch([*_guards(live, strict=strict), *changes], sends=True)


def drift(place: Place, body: Mapping[str, Any], live: Object | None) -> tuple[str, ...]:
    """The paths at which a copy differs from the body that it should hold."""
    if live is None:
        return drifts.WHOLE
    return drifts.differing(_sent(place.row, body), projection.copy_projection(place.row, live))


def _guards(live: Object, *, strict: bool) -> list[dict[str, Any]]:
    """Never overwrite what was not seen: the object and its marker, or (strict) this very version."""
    mark = live.annotations.get(names.MARKER)
    if strict or mark is None:
        return [steps.at_version(live)]
    path = steps.pointer("metadata", "annotations", names.MARKER)
    return [steps.op_test("/metadata/uid", live.meta.uid), steps.op_test(path, mark)]


def _changes(
    live: Object, now: Mapping[str, Any], sent: Mapping[str, Any], stamps: Mapping[str, str | None]
) -> list[dict[str, Any]]:
    changes: list[dict[str, Any]] = []
    if now["finalizers"] != sent["finalizers"]:
        kept = [name for name in live.finalizers if name not in now["finalizers"]]
        changes.append(steps.op_add("/metadata/finalizers", kept + sent["finalizers"]))
    labels = _replacing(now["labels"], sent["labels"])
    annotations = {**_replacing(now["annotations"], sent["annotations"]), **stamps}
    changes += steps.map_changes("labels", live.labels, labels)
    return changes + steps.map_changes("annotations", live.annotations, annotations)


def _replacing(now: Mapping[str, str], sent: Mapping[str, str]) -> dict[str, str | None]:
    return {key: None for key in now if key not in sent} | dict(sent)


def _cascade(place: Place, record: Record, body: Mapping[str, Any], live: Object | None) -> steps.Step:
    if live is None or live.annotations.get(names.SOURCE_UID) != record.uid:
        return steps.APPLIED
    if live.deleting:
        return _leave(place, live)
    family, wanted = list(names.family(live.finalizers)), list(body["finalizers"])
    if family != wanted:
        kept = [name for name in live.finalizers if not names.in_family(name)]
        change = steps.op_add("/metadata/finalizers", kept + wanted)
        return steps.Patch([steps.at_version(live), change])
    return steps.Delete(live.meta.uid, live.meta.resource_version, final=not live.finalizers)


def _bury(place: Place, uid: str, live: Object | None) -> steps.Step:
    if live is None or live.annotations.get(names.SOURCE_UID) != uid or not place.row.selects(live):
        return steps.APPLIED  # Of a Secret that has become one of another kind, that kind's record decides.
    if live.deleting and not names.family(live.finalizers):
        return _leave(place, live)
    return _remove(live)


def _remove(live: Object) -> steps.Step:
    """Make it go without pruning anything: the family goes first, then exactly what is left then."""
    if names.family(live.finalizers):
        kept = [name for name in live.finalizers if not names.in_family(name)]
        return steps.Patch([steps.at_version(live), steps.op_add("/metadata/finalizers", kept)])
    if live.deleting:
        return steps.pending(TERMINATING)
    return steps.Delete(live.meta.uid, live.meta.resource_version, final=not live.finalizers)


def _leave(place: Place, live: Object) -> steps.Step:
    """It is on its way out already. On the hub nobody but us will ever take Argo CD's finalizers off."""
    if place.mirror and any(names.is_argo_finalizer(name) for name in live.finalizers):
        return strip(live)
    return steps.pending(TERMINATING)


def strip(live: Object) -> steps.Patch:
    """Take all of Argo CD's finalizers (family and hooks), and no others, off a deleting hub object."""
    kept = [name for name in live.finalizers if not names.is_argo_finalizer(name)]
    return steps.Patch([steps.at_version(live), steps.op_add("/metadata/finalizers", kept)])
