"""Policies: what stands under a wanted name and is not, or no longer, the copy that is wanted."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from tests.unit.sync.test_plan import APPLIED, COPY, body, live, step
from tests.unit.sync.toyserver import ToyServer, Value, record_of, run
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import kinds, names, plan, policy, projection, steps
from trio_argoagent.sync.plan import Place
from trio_argoagent.sync.policy import Adoption, Local, Mismatch, Policies, Recreation

PROJECT = attrs.evolve(COPY, row=kinds.rows(Mode.MANAGED, Feed.DESIRED)[Kind.APP_PROJECT])
NOT_YET = steps.pending(policy.NOT_ADOPTED)


def under(place: Place = COPY, **policies: Any) -> Place:
    """A place with these policies."""
    return attrs.evolve(place, policies=Policies(**policies))


def bare(**annotations: str) -> Object:
    """An Application of the spoke's own, with these annotations."""
    meta: Value = {"name": "web", "namespace": "argocd", "uid": "live-9", "resourceVersion": "9"}
    if annotations:
        meta["annotations"] = annotations
    return Object.of({"metadata": meta, "spec": {"project": "mine"}})


def told(policy_name: str, word: str) -> Object:
    """The same, with one annotation of that name."""
    return bare(**{policy_name: word})


@pytest.mark.parametrize(
    ("flag", "obj", "adopted"),
    [
        (Adoption.ALWAYS, bare(), True),
        (Adoption.NEVER, bare(), False),
        (Adoption.NEVER, told(names.ADOPTION_POLICY, "always"), True),
        (Adoption.ALWAYS, told(names.ADOPTION_POLICY, "never"), False),
        (Adoption.NEVER, told(names.ADOPTION_POLICY, "perhaps"), False),
        (Adoption.ALWAYS, told(names.ADOPTION_POLICY, "perhaps"), True),
        (Adoption.NEVER, told(names.SOURCE_UID, "u1"), True),
        (Adoption.NEVER, told(names.SOURCE_UID, "u0"), True),
        (Adoption.NEVER, told(names.PRINCIPAL_UID, "hub"), True),
        (Adoption.NEVER, told(names.MARKER, "v1 D AP 7 inc"), True),
    ],
)
def test_adoption_by_flag_and_annotation(flag: Adoption, obj: Object, adopted: bool) -> None:
    """The spoke object's own word counts before the flag; what bears a stamp is ours already."""
    found = step(under(adoption=flag), body(), obj)
    assert (found == NOT_YET) is not adopted
    if adopted and isinstance(found, steps.Patch) and names.MARKER not in obj.annotations:
        assert steps.at_version(obj) in found.operations


def test_what_is_not_adopted_is_not_touched_at_all() -> None:
    """Neither by a deletion of the hub's, with or without cascade; and it counts as no holding."""
    place = under(adoption=Adoption.NEVER)
    assert step(place, None, bare()) == APPLIED
    assert step(place, body(finalizers=[names.FAMILY], deleting=True), bare()) == APPLIED
    assert plan.holding(place.row, bare()) is None
    assert plan.departure(place, record_of(place, "u1", body()), body(), bare()) is None


@pytest.mark.parametrize("uid", ["", "u0", "u1"])
def test_a_project_is_taken_over_in_place_whatever_the_policies_say(uid: str) -> None:
    """argocd-agent #660, #813, #1072: the default project was deleted and made anew at each restart."""
    place = under(PROJECT, adoption=Adoption.NEVER, mismatch=Mismatch.RECREATE)
    obj = told(names.SOURCE_UID, uid) if uid else bare()
    found = step(place, body(), obj, replaces="u0")
    assert isinstance(found, steps.Patch) and found.sends
    assert plan.departure(place, record_of(place, "u1", body(), replaces="u0"), body(), obj) is None


CHANGED = body(spec={"project": "q"})
UPSERT, RECREATE, ODD = (
    {"annotations": {names.MISMATCH_POLICY: word}} for word in ("upsert", "recreate", "often")
)


@pytest.mark.parametrize(
    ("flag", "value", "replaces", "ruler", "goes"),
    [
        (Mismatch.RECREATE, CHANGED, "", "", True),
        (Mismatch.RECREATE, body(), "", "", False),
        (Mismatch.RECREATE, body(), "u0", "", True),
        (Mismatch.RECREATE, CHANGED | UPSERT, "u0", "", False),
        (Mismatch.RECREATE, CHANGED | ODD, "", "", True),
        (Mismatch.UPSERT, CHANGED, "u0", "", False),
        (Mismatch.UPSERT, CHANGED | RECREATE, "", "", True),
        (Mismatch.UPSERT, CHANGED | ODD, "", "", False),
        (Mismatch.RECREATE, CHANGED, "u0", "elsewhere", False),
        (Mismatch.RECREATE, CHANGED, "u0", "-", False),
    ],
)
def test_mismatch_by_flag_annotation_and_evidence(
    flag: Mismatch, value: Value, replaces: str, ruler: str, goes: bool
) -> None:
    """(flag x annotation x evidence x principal) -> does the other object's copy go first?"""
    obj = live(uid="u0", ruler=ruler.strip("-"))
    if ruler == "-":  # From before argocd-agent wrote that annotation.
        raw = obj.value()
        del raw["metadata"]["annotations"][names.PRINCIPAL_UID]
        obj = Object.of(raw)
    place = under(mismatch=flag)
    record = record_of(place, "u1", value, replaces=replaces)
    found = plan.plan(place, record, value, obj, ())
    assert isinstance(found, steps.Delete if goes else steps.Patch)
    assert (plan.departure(place, record, value, obj) is not None) is goes


def test_another_principal_takes_over_and_back_without_a_deletion() -> None:
    """Failover and failback: one patch each, the same object, restamped."""
    server = ToyServer()
    for ruler, uid in (("hub", "u1"), ("standby", "u2"), ("hub", "u1")):
        place = attrs.evolve(COPY, principal_uid=ruler)
        value = body(spec={"project": ruler})
        done, tried = run(server, place, record_of(place, uid, value), value)
        assert done == APPLIED and len(tried) == 1
        assert server.object is not None
        assert server.object.annotations[names.PRINCIPAL_UID] == ruler
    assert server.uids == 1 and not server.deleted_with


def test_local_keys_are_neither_sent_nor_reverted() -> None:
    """By glob, key by key, on both sides; the rest of the copy is guarded as ever."""
    local = Local(("image-updater.*", "*/notes"), ("team*",))
    row = kinds.rows(Mode.MANAGED, Feed.DESIRED, local)[Kind.APPLICATION]
    place = attrs.evolve(COPY, row=row)
    value = body(annotations={"a": "1", "image-updater.tag": "hub's"}, labels={"l": "1", "team": "hub's"})
    server = ToyServer()
    assert run(server, place, record_of(place, "u1", value), value) == (APPLIED, ["Create"])
    assert server.object is not None
    assert "image-updater.tag" not in server.object.annotations and server.object.labels == {"l": "1"}
    before = projection.ap(row, server.object)

    def note(stored: Value) -> None:
        stored["metadata"]["annotations"].update({"image-updater.tag": "v2", "x.y/notes": "n"})
        stored["metadata"]["labels"]["team-a"] = "1"

    server.edit(note)
    assert projection.ap(row, server.object) == before
    assert run(server, place, record_of(place, "u1", value), value) == (APPLIED, [])
    other = value | {"spec": {"project": "q"}}
    assert run(server, place, record_of(place, "u1", other), other) == (APPLIED, ["Patch"])
    assert server.object.annotations["x.y/notes"] == "n" and server.object.labels["team-a"] == "1"


ENDED = {"phase": "Succeeded", "finishedAt": "2026-01-01T00:00:00Z"}
RUNNING = {"phase": "Running"}


@pytest.mark.parametrize(
    ("recreation", "state", "kept", "syncs", "intent"),
    [
        (Recreation.IGNORE, ENDED, ENDED, False, True),
        (Recreation.IGNORE, RUNNING, None, False, False),
        (Recreation.IGNORE, None, None, False, False),
        (Recreation.CLEAR_STATUS, ENDED, None, False, False),
        (Recreation.RESYNC, ENDED, None, True, False),
        (Recreation.RESYNC, RUNNING, None, True, False),
    ],
)
def test_how_a_deleted_copy_comes_back(
    recreation: Recreation, state: Value | None, kept: Value | None, syncs: bool, intent: bool
) -> None:
    """(policy x how its last operation stood) -> operationState, operation, and the id of who asked."""
    status = {"history": [1], "reconciledAt": "2026-01-01T00:00:00Z"}
    lost = bare(**{names.INTENT: "id-1"}).value()
    lost["status"] = status | ({"operationState": state} if state else {})
    policied = {"project": "p", "syncPolicy": {"syncOptions": ["Replace=true"], "retry": {"limit": 2}}}
    fresh = {"metadata": {"name": "web", "annotations": {"a": "1"}}, "spec": policied}
    value = policy.put_back(recreation, fresh, Object.of(lost))
    assert value["status"].get("operationState") == kept
    assert value["status"]["history"] == [1] and "reconciledAt" not in value["status"]
    assert ("operation" in value) is syncs
    if syncs:
        assert value["operation"]["sync"] == {"syncOptions": ["Replace=true"]}
        assert value["operation"]["retry"] == {"limit": 2}
    assert (names.INTENT in value["metadata"]["annotations"]) is intent
    assert names.INTENT not in fresh["metadata"]["annotations"]  # type: ignore[operator]


def test_a_copy_without_status_comes_back_without_one() -> None:
    """An empty one would look as if Argo CD had compared it."""
    fresh = {"metadata": {"annotations": {}}, "spec": {"project": "p"}}
    assert policy.put_back(Recreation.IGNORE, fresh, bare()) == fresh


def test_a_word_that_is_none_is_remarked() -> None:
    """The line names the annotation, what it says, and the words that there are."""
    assert policy.remark({}) == policy.remark({names.MISMATCH_POLICY: "upsert"}) == ""
    said = policy.remark({names.MISMATCH_POLICY: "often"})
    assert "'often'" in said and said.endswith("set it to recreate or upsert")
