"""One record and one copy -> the next write: cell by cell, then in a loop with a toy API server."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.sync.toyserver import APPLIED, ToyServer, Value, record_of, run
from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.model.records import DRIFT, Holding, Outcome, Record
from trio_argoagent.sync import kinds, marker, names, plan, projection, steps
from trio_argoagent.sync.plan import Place

COPY_ROW = kinds.rows(Mode.MANAGED, Feed.DESIRED)[Kind.APPLICATION]
MIRROR_ROW = kinds.rows(Mode.AUTONOMOUS, Feed.OBSERVED)[Kind.APPLICATION]
COPY = Place(COPY_ROW, "argocd", "web", principal_uid="hub", incarnation="inc")
MIRROR = Place(MIRROR_ROW, "agent-1", "web", mirror=True)
HOOK = "pre-delete-finalizer.argocd.argoproj.io"
FOREIGN = "example.com/keep"
TERMINATING = steps.pending(plan.TERMINATING)


def body(**more: Any) -> Value:
    """A body of a record, changed as told."""
    value: Value = {
        "annotations": {"a": "1"},
        "finalizers": [],
        "labels": {"l": "1"},
        "spec": {"project": "p"},
    }
    return value | more


def deleting(*finalizers: str) -> Value:
    """The body of a cascade with these finalizers."""
    return body(finalizers=list(finalizers), deleting=True)


def applied(place: Place = COPY, uid: str = "u1", value: Value | None = None) -> Value:
    """The stored object that this record makes."""
    value = value or body()
    server = ToyServer()
    assert run(server, place, record_of(place, uid, value), value)[0] == APPLIED
    assert server.value is not None
    return server.value


def live(
    *,
    uid: str = "u1",
    finalizers: tuple[str, ...] = (),
    going: bool = False,
    place: Place = COPY,
    ruler: str = "",
) -> Object:
    """A stored copy, then changed as told."""
    value = applied(place, uid)
    meta = value["metadata"]
    if finalizers:
        meta["finalizers"] = list(finalizers)
    if going:
        meta["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    if ruler:
        meta["annotations"][names.PRINCIPAL_UID] = ruler
    return Object.of(value)


def step(place: Place, value: Value | None, obj: Object | None, **more: Any) -> steps.Step:
    """The next step towards a record of ``u1``."""
    return plan.plan(place, record_of(place, "u1", value, **more), value, obj, ())


def patch_of(found: steps.Step) -> Value:
    """What a patch sets, by path."""
    assert isinstance(found, steps.Patch)
    return {op["path"]: op.get("value") for op in found.operations if op["op"] == "add"}


VALUE, TOMBSTONE = body(), None
CASCADE, CASCADE_FAMILY = deleting(), deleting(names.FAMILY)
FAMILY = (names.FAMILY,)


@pytest.mark.parametrize(
    ("value", "obj", "expected"),
    [
        (VALUE, None, "Create"),
        (VALUE, live(), APPLIED),
        (VALUE, live(finalizers=(FOREIGN,)), APPLIED),
        (VALUE, live(finalizers=FAMILY), "Patch"),
        (VALUE, live(going=True), TERMINATING),
        (VALUE, live(uid="u0"), "Patch"),
        (VALUE, live(uid="u0", ruler="elsewhere"), "Patch"),
        (VALUE, live(uid="u0", going=True), TERMINATING),
        (TOMBSTONE, None, APPLIED),
        (TOMBSTONE, live(), "Delete"),
        (TOMBSTONE, live(finalizers=(HOOK,)), "Delete"),
        (TOMBSTONE, live(finalizers=FAMILY), "Patch"),
        (TOMBSTONE, live(uid="u0"), APPLIED),
        (TOMBSTONE, live(uid="u0", going=True), APPLIED),
        (TOMBSTONE, live(going=True, finalizers=(HOOK,)), TERMINATING),
        (TOMBSTONE, live(going=True, finalizers=FAMILY), "Patch"),
        (CASCADE, None, APPLIED),
        (CASCADE, live(), "Delete"),
        (CASCADE, live(finalizers=FAMILY), "Patch"),
        (CASCADE_FAMILY, live(), "Patch"),
        (CASCADE_FAMILY, live(finalizers=FAMILY), "Delete"),
        (CASCADE_FAMILY, live(going=True, finalizers=FAMILY), TERMINATING),
        (CASCADE_FAMILY, live(uid="u0"), APPLIED),
        (CASCADE_FAMILY, live(uid="u0", going=True), APPLIED),
    ],
)
def test_each_cell(value: Value | None, obj: Object | None, expected: object) -> None:
    """(kind of record) x (state of the copy) -> the step."""
    found = step(COPY, value, obj)
    assert (type(found).__name__ if isinstance(expected, str) else found) == expected


@pytest.mark.parametrize("place", [COPY, MIRROR])
@pytest.mark.parametrize("value", [VALUE, TOMBSTONE, CASCADE_FAMILY])
@pytest.mark.parametrize("finalizers", [(), FAMILY, (HOOK,), (FOREIGN,), (FOREIGN, HOOK, names.FAMILY)])
@pytest.mark.parametrize("going", [False, True])
@pytest.mark.parametrize("uid", ["u1", "u0", ""])
def test_every_write_has_a_precondition(
    place: Place, value: Value | None, finalizers: tuple[str, ...], going: bool, uid: str
) -> None:
    """No patch and no delete can hit anything but what was read: late writes of a dead process fail."""
    obj = live(uid=uid or "u1", finalizers=finalizers, going=going)
    if not uid:
        raw = obj.value()
        raw["metadata"]["annotations"] = {"kubectl": "mine"}
        obj = Object.of(raw)
    match step(place, value, obj):
        case steps.Patch(operations):
            tests = {op["path"]: op["value"] for op in operations if op["op"] == "test"}
            mark = steps.pointer("metadata", "annotations", names.MARKER)
            exact = tests.get("/metadata/resourceVersion") == obj.meta.resource_version
            assert exact or tests == {
                "/metadata/uid": obj.meta.uid,
                mark: obj.annotations[names.MARKER],
            }
            if any(op["path"] == "/metadata/finalizers" for op in operations):
                assert exact, "finalizers are a list that others write, too"
        case steps.Delete(found_uid, version, final):
            assert (found_uid, version) == (obj.meta.uid, obj.meta.resource_version)
            assert uid == "u1" or value is VALUE
            assert not names.family(obj.finalizers) or value is CASCADE_FAMILY
            assert final is (not finalizers)
        case steps.Create():
            raise AssertionError("there is one already")


def test_a_copy_says_what_it_holds() -> None:
    """Marker and AP: intact, drifted, not ours, of an unknown scheme."""
    value = applied()
    assert plan.holding(COPY_ROW, Object.of(value)) == Holding("u1", record_of(COPY, "u1", body()).digest)
    assert plan.holding(COPY_ROW, None) is None
    value["spec"]["project"] = "other"
    assert plan.holding(COPY_ROW, Object.of(value)) == Holding("u1", DRIFT)
    value["metadata"]["annotations"][names.MARKER] = "v9 x"
    assert plan.holding(COPY_ROW, Object.of(value)) == Holding("u1", DRIFT)
    del value["metadata"]["annotations"][names.SOURCE_UID]
    assert plan.holding(COPY_ROW, Object.of(value)) is None


def test_a_fresh_copy_is_stamped() -> None:
    """Marker, source uid and principal uid stand on it from its first moment; nothing empty is sent."""
    value = body(labels={})
    found = step(COPY, value, None)
    assert isinstance(found, steps.Create)
    meta = found.value["metadata"]
    mark = marker.parse(meta["annotations"][names.MARKER])
    assert mark is not None and (mark.asof, mark.incarnation) == ("7", "inc")
    assert (meta["annotations"][names.SOURCE_UID], meta["annotations"][names.PRINCIPAL_UID]) == ("u1", "hub")
    assert "labels" not in meta and "finalizers" not in meta and found.value["spec"] == value["spec"]


def test_a_change_is_one_patch_of_what_we_own() -> None:
    """Keys by keys; what nobody owns and what is never projected stays."""
    server = ToyServer(applied())

    def local(value: Value) -> None:
        value["metadata"]["annotations"] |= {names.REFRESH: "normal", "gone": "x"}
        value["metadata"]["finalizers"] = [FOREIGN]
        value["status"] = {"health": "x"}

    server.edit(local)
    value = body(annotations={"a": "2", "b/c~d": "3"}, labels={}, finalizers=[names.FAMILY])
    assert run(server, COPY, record_of(COPY, "u1", value), value) == (APPLIED, ["Patch"])
    obj = server.object
    assert obj is not None and projection.copy_projection(COPY_ROW, obj) == value
    assert obj.annotations[names.REFRESH] == "normal" and obj.get("status") == {"health": "x"}
    assert obj.finalizers == (FOREIGN, names.FAMILY)


def _prunes(value: Value) -> None:
    value["spec"].pop("unknown", None)
    value["spec"].setdefault("defaulted", True)
    value["metadata"].setdefault("labels", {})["webhook"] = "was-here"


def test_a_normalising_server_is_blessed() -> None:
    """Pruned, defaulted and labelled: sent, sent again, then AP is what this server stores; and no loop."""
    value = body(spec={"project": "p", "unknown": 1})
    server = ToyServer(admit=_prunes)
    record = record_of(COPY, "u1", value)
    assert run(server, COPY, record, value) == (APPLIED, ["Create", "Patch", "Patch"])
    assert plan.holding(COPY_ROW, server.object) == Holding("u1", record.digest)
    assert run(server, COPY, record, value) == (APPLIED, [])
    newer = body(spec={"project": "q", "unknown": 1})
    assert run(server, COPY, record_of(COPY, "u1", newer), newer)[1] == ["Patch", "Patch", "Patch"]


def test_v13_a_local_edit_between_read_and_write_is_not_blessed() -> None:
    """A single difference may be somebody's edit: it is sent once more, and the edit is reverted."""

    def local(server: ToyServer) -> None:
        server.edit(lambda value: value["metadata"]["labels"].update(mine="1"))

    server = ToyServer(applied(), between={1: local})
    value = body(spec={"project": "q"})
    record = record_of(COPY, "u1", value)
    assert run(server, COPY, record, value) == (APPLIED, ["Patch", "Patch"])
    assert server.object is not None and server.object.labels == {"l": "1"}
    assert plan.holding(COPY_ROW, server.object) == Holding("u1", record.digest)


def test_v13_two_different_local_edits_are_not_blessed() -> None:
    """Only the same difference twice is normalisation."""

    def local(name: str) -> Any:
        return lambda server: server.edit(lambda value: value["metadata"]["labels"].update({name: "1"}))

    server = ToyServer(applied(), between={1: local("x"), 2: local("y")})
    value = body(spec={"project": "q"})
    assert run(server, COPY, record_of(COPY, "u1", value), value)[0] == APPLIED
    assert server.object is not None and server.object.labels == {"l": "1"}


def test_a_blessing_tests_the_very_version() -> None:
    """An edit that lands before the blessing is not blessed with it."""

    def local(server: ToyServer) -> None:
        server.edit(lambda value: value["spec"].update(project="mine"))

    value = body(spec={"project": "p", "unknown": 1})
    server = ToyServer(admit=_prunes, between={3: local})
    record = record_of(COPY, "u1", value)
    assert run(server, COPY, record, value)[0] == APPLIED
    assert server.object is not None and server.object.get("spec")["project"] == "p"
    assert plan.holding(COPY_ROW, server.object) == Holding("u1", record.digest)


def test_adoption_stamps_in_place() -> None:
    """An object without our stamps (a pre-installed project, say) is taken over at its very version."""
    value: Value = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": "web", "namespace": "argocd"},
        "spec": {"project": "other"},
    }
    server = ToyServer(value)
    assert run(server, COPY, record_of(COPY, "u1", body()), body()) == (APPLIED, ["Patch"])
    assert (
        server.uids == 1 and server.object is not None and server.object.annotations[names.SOURCE_UID] == "u1"
    )


def test_argocd_agents_copies_are_taken_over_with_one_patch() -> None:
    """Equal source uid, no marker of ours: one patch, no delete, no re-creation."""
    value = applied()
    del value["metadata"]["annotations"][names.MARKER]
    server = ToyServer(value)
    assert run(server, COPY, record_of(COPY, "u1", body()), body()) == (APPLIED, ["Patch"])
    assert server.uids == 1 and not server.deleted_with


def test_an_unwitnessed_new_uid_restamps_in_place() -> None:
    """A restored hub gives new uids to equal specs: a fleet must not be re-created for that."""
    server = ToyServer(applied(uid="u0"))
    assert run(server, COPY, record_of(COPY, "u1", body()), body()) == (APPLIED, ["Patch"])
    assert (
        server.uids == 1 and server.object is not None and server.object.annotations[names.SOURCE_UID] == "u1"
    )


@pytest.mark.parametrize("finalizers", [[], [names.FAMILY]])
def test_a_witnessed_recreation_makes_room_without_pruning(finalizers: list[str]) -> None:
    """The old copy goes without its family, then the new one is created."""
    old = body(finalizers=finalizers)
    server = ToyServer(applied(uid="u0", value=old))
    record = record_of(COPY, "u1", old, replaces="u0")
    done, tried = run(server, COPY, record, old)
    assert done == APPLIED and tried[-2:] == ["Delete", "Create"]
    assert server.deleted_with == [()] and server.uids == 2


def test_a_new_uid_with_another_spec_recreates() -> None:
    """Then it is another application, witnessed or not."""
    server = ToyServer(applied(uid="u0"))
    value = body(spec={"project": "q"})
    assert run(server, COPY, record_of(COPY, "u1", value), value)[1] == ["Delete", "Create"]


def test_another_principals_copy_is_restamped() -> None:
    """A fleet that moves to another hub is not re-created, whatever its specs are."""
    other = attrs.evolve(COPY, principal_uid="old-hub")
    server = ToyServer(applied(other, "u0"))
    value = body(spec={"project": "q"})
    assert run(server, COPY, record_of(COPY, "u1", value, replaces="u0"), value) == (APPLIED, ["Patch"])
    assert server.object is not None and server.object.annotations[names.PRINCIPAL_UID] == "hub"


def test_v9_a_cascade_sets_the_family_first() -> None:
    """A default delete conflates with its finalizer: the copy gets it before it is deleted."""
    server = ToyServer(applied())
    done, tried = run(server, COPY, record_of(COPY, "u1", CASCADE_FAMILY), CASCADE_FAMILY)
    assert (done, tried) == (TERMINATING, ["Patch", "Delete"])
    assert server.deleted_with == [FAMILY]
    server.edit(lambda value: value["metadata"].update(finalizers=[]))
    assert run(server, COPY, record_of(COPY, "u1", CASCADE_FAMILY), CASCADE_FAMILY) == (APPLIED, [])


def test_v10_a_tombstone_never_prunes_though_the_family_is_revived() -> None:
    """A controller's stale list puts the family back between our two writes: start again."""

    def revive(server: ToyServer) -> None:
        server.edit(lambda value: value["metadata"].update(finalizers=[names.FAMILY]))

    server = ToyServer(applied(value=body(finalizers=[names.FAMILY])), between={2: revive})
    done, tried = run(server, COPY, record_of(COPY, "u1", None), None)
    assert (done, tried) == (APPLIED, ["Patch", "Delete", "Patch", "Delete"])
    assert server.deleted_with == [()] and server.value is None


def test_a_tombstone_takes_the_family_off_a_copy_that_is_already_going() -> None:
    """A cascade that its user took back does not go on pruning."""
    server = ToyServer(applied(value=body(finalizers=[names.FAMILY])))
    server.edit(lambda value: value["metadata"].update(deletionTimestamp="2026-01-01T00:00:00Z"))
    assert run(server, COPY, record_of(COPY, "u1", None), None) == (APPLIED, ["Patch"])


@pytest.mark.parametrize("value", [VALUE, TOMBSTONE])
def test_a_deleting_mirror_is_stripped(value: Value | None) -> None:
    """Family and hooks go, nobody else's: then it can vanish, and come back if it is still wanted."""
    server = ToyServer(applied(MIRROR))

    def argocd_deletes(stored: Value) -> None:
        stored["metadata"] |= {
            "finalizers": [names.FAMILY, HOOK, HOOK + "/cleanup", FOREIGN],
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        }

    server.edit(argocd_deletes)
    record = record_of(MIRROR, "u1", value)
    done, tried = run(server, MIRROR, record, value)
    assert done == TERMINATING and set(tried) == {"Patch"}
    assert server.object is not None and server.object.finalizers == (FOREIGN,)
    server.edit(lambda stored: stored["metadata"].update(finalizers=[]))
    assert run(server, MIRROR, record, value)[0] == APPLIED
    assert (server.value is not None) is (value is not None)


def test_a_mirror_carries_none_of_argo_cds_finalizers() -> None:
    """Those that somebody adds are drift, and go; others' stay."""
    server = ToyServer(applied(MIRROR))
    server.edit(lambda value: value["metadata"].update(finalizers=[names.FAMILY, FOREIGN]))
    assert run(server, MIRROR, record_of(MIRROR, "u1", body()), body()) == (APPLIED, ["Patch"])
    assert server.object is not None and server.object.finalizers == (FOREIGN,)


_TEXTS = st.dictionaries(st.sampled_from(["a", "b", "x/y~z"]), st.sampled_from(["1", "2"]), max_size=2)
_BODIES = st.builds(
    lambda annotations, labels, project, family: {
        "annotations": annotations,
        "labels": labels,
        "spec": {"project": project, "unknown": 1},
        "finalizers": [names.FAMILY] if family else [],
    },
    _TEXTS,
    _TEXTS,
    st.sampled_from(["p", "q"]),
    st.booleans(),
)
_RECORDS = st.one_of(st.none(), _BODIES, _BODIES.map(lambda value: value | {"deleting": True}))


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["u1", "u2"]), _RECORDS), min_size=1, max_size=5),
    st.sampled_from([COPY, MIRROR]),
    st.booleans(),
    st.dictionaries(st.integers(1, 12), st.sampled_from(["label", "family", "spec"]), max_size=1),
)
def test_any_sequence_of_records_ends_in_its_last(
    records: list[tuple[str, Value | None]], place: Place, normalises: bool, edits: dict[int, str]
) -> None:
    """Over any path, on any server, with an edit in between: done in six steps, and done again in none."""
    changes: dict[str, Any] = {
        "label": lambda value: value["metadata"].setdefault("labels", {}).update(mine="1"),
        "family": lambda value: value["metadata"].update(finalizers=[names.FAMILY]),
        "spec": lambda value: value["spec"].update(project="mine"),
    }
    between = {n: (lambda server, name=name: server.edit(changes[name])) for n, name in edits.items()}
    server = ToyServer(admit=_prunes if normalises else None, between=between)
    record: Record | None = None
    for uid, value in records:
        if value is not None and place.mirror:
            value = value | {"finalizers": []}
        record = record_of(place, uid, value)
        for _ in range(3):
            done, _ = run(server, place, record, value)
            if done == APPLIED:
                break
            assert done == TERMINATING and done.outcome is Outcome.PENDING
            server.edit(lambda stored: stored["metadata"].update(finalizers=[]))
        assert done == APPLIED
        assert run(server, place, record, value) == (APPLIED, [])
        if value is not None and not value.get("deleting"):
            assert plan.holding(place.row, server.object) == Holding(uid, record.digest)
        elif server.object is not None:
            assert server.object.annotations[names.SOURCE_UID] != uid
