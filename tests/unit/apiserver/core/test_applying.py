"""Server-side apply: who owns what, and what an apply may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.apiserver.core.helpers import APPLICATION_SETS, NOW, NS, app, drop, make, merge, new_server
from trio_argoagent.apiserver.core import managers, patches
from trio_argoagent.apiserver.core.fieldsets import from_wire
from trio_argoagent.apiserver.core.server import ApiServer
from trio_argoagent.apiserver.core.values import Stored, Written
from trio_argoagent.errors import AlreadyExists, ApiError, BadRequest, Conflict, Forbidden, Invalid, NotFound
from trio_argoagent.model.resources import APPLICATIONS, CONFIG_MAPS, NAMESPACES, Resource


def config(**data: str) -> dict[str, Any]:
    """A ConfigMap to apply."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c1"}, "data": data}


def apply(
    server: ApiServer,
    value: dict[str, Any],
    manager: str = "ann",
    resource: Resource = CONFIG_MAPS,
    **more: Any,
) -> Written:
    """Apply an object."""
    name = value["metadata"]["name"]
    return server.apply(resource, NS, name, value, manager=manager, actor="test", now=NOW, **more)


def owners(stored: Stored) -> dict[str, Any]:
    """manager/operation -> its data keys or other fields."""
    return {
        f"{entry['manager']}/{entry['operation']}": entry["fieldsV1"]
        for entry in stored.metadata.get("managedFields", ())
    }


def test_an_apply_creates() -> None:
    """What is not there is made; the applier owns just what it said."""
    server = new_server()
    written = apply(server, config(a="1"))
    assert written.created
    assert written.stored.value["data"] == {"a": "1"}
    (entry,) = written.stored.metadata["managedFields"]
    assert entry == {
        "manager": "ann",
        "operation": "Apply",
        "apiVersion": "v1",
        "time": "2023-11-14T22:13:20Z",
        "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {"f:a": {}}},
    }


def test_the_same_again_is_no_write() -> None:
    """Neither a new version nor an event."""
    server = new_server()
    first = apply(server, config(a="1"))
    again = apply(server, config(a="1"))
    assert not again.changed
    assert not again.created
    assert again.stored is server.get(CONFIG_MAPS, NS, "c1")
    assert again.stored.rv == first.stored.rv == server.rv


def test_two_appliers_share() -> None:
    """Each owns its own; the same value may be said by both, and goes when both have dropped it."""
    server = new_server()
    apply(server, config(a="1", b="1"))
    apply(server, config(b="1", c="1"), "bob")
    assert apply(server, config(a="1")).stored.value["data"] == {"a": "1", "b": "1", "c": "1"}
    assert apply(server, config(c="1"), "bob").stored.value["data"] == {"a": "1", "c": "1"}
    assert set(owners(server.get(CONFIG_MAPS, NS, "c1"))) == {"ann/Apply", "bob/Apply"}


def test_a_conflict_and_its_words() -> None:
    """Who owns what stands in the causes; nothing is written."""
    server = new_server()
    apply(server, config(a="1", b="1"))
    rv = server.rv
    with pytest.raises(Conflict) as one:
        apply(server, config(a="2", b="1"), "bob")
    assert one.value.message == 'Apply failed with 1 conflict: conflict with "ann": .data.a'
    assert one.value.details["causes"] == [
        {"reason": "FieldManagerConflict", "message": 'conflict with "ann"', "field": ".data.a"}
    ]
    with pytest.raises(Conflict) as two:
        apply(server, config(a="2", b="2"), "bob")
    assert two.value.message == 'Apply failed with 2 conflicts: conflicts with "ann":\n- .data.a\n- .data.b'
    assert server.rv == rv


def test_force_takes_over() -> None:
    """The other loses the field, and with it the right to change it silently."""
    server = new_server()
    apply(server, config(a="1", b="1"))
    stored = apply(server, config(a="2"), "bob", force=True).stored
    assert stored.value["data"] == {"a": "2", "b": "1"}
    assert owners(stored) == {
        "ann/Apply": {"f:data": {"f:b": {}}},
        "bob/Apply": {"f:data": {"f:a": {}}},
    }
    with pytest.raises(Conflict):
        apply(server, config(a="1", b="1"))


def test_updates_own_what_they_change() -> None:
    """Once an object is tracked, every way to write counts; a removed field is nobody's."""
    server = new_server()
    apply(server, config(a="1", b="1", c="1"))
    merge(server, "c1", {"data": {"a": "2", "b": None, "d": "1"}}, CONFIG_MAPS, manager="eve")
    stored = server.get(CONFIG_MAPS, NS, "c1")
    assert owners(stored) == {
        "ann/Apply": {"f:data": {"f:c": {}}},
        "eve/Update": {"f:data": {"f:a": {}, "f:d": {}}},
    }
    with pytest.raises(Conflict, match=r'conflict with "eve" using v1: \.data\.a'):
        apply(server, config(a="1", c="1"))
    put = {**stored.value, "data": {"a": "2", "c": "9"}}
    server.update(CONFIG_MAPS, NS, "c1", put, actor="joe", now=NOW + 1)
    assert owners(server.get(CONFIG_MAPS, NS, "c1")) == {
        "eve/Update": {"f:data": {"f:a": {}}},
        "joe/Update": {"f:data": {"f:c": {}}},
    }


def test_untracked_objects_stay_untracked() -> None:
    """Who never applies has no managed fields and pays nothing for them."""
    server = new_server()
    make(server, app())
    merge(server, "a1", {"spec": {"project": "p"}})
    assert "managedFields" not in server.get(APPLICATIONS, NS, "a1").metadata


def test_the_first_apply_of_what_was_there() -> None:
    """What was there belongs to nobody known: to change it is a conflict with that."""
    server = new_server()
    make(server, config(a="1", b="1"), CONFIG_MAPS)
    with pytest.raises(Conflict, match=r'conflict with "before-first-apply" using v1: \.data\.a'):
        apply(server, config(a="2"))
    stored = apply(server, config(a="1")).stored
    assert owners(stored)["ann/Apply"] == {"f:data": {"f:a": {}}}
    assert from_wire(owners(stored)["before-first-apply/Update"]) == {
        ("f:data",), ("f:data", "f:a"), ("f:data", "f:b"),
    }  # fmt: skip


def test_from_client_side_apply() -> None:
    """Kubectl takes over what it has applied in the other way, and nothing else."""
    server = new_server()
    noted = config(a="1", b="1")
    annotations = {managers.LAST_APPLIED: json.dumps(noted)}
    value = {**config(a="1", b="1", c="1"), "metadata": {"name": "c1", "annotations": annotations}}
    make(server, value, CONFIG_MAPS)
    with pytest.raises(Conflict, match=r"\.data\.a"):
        apply(server, config(a="2"), "other")
    with pytest.raises(Conflict, match=r"with 1 conflict: .*before-first-apply.*\.data\.c"):
        apply(server, config(a="2", c="2"), "kubectl")
    stored = apply(server, config(a="2"), "kubectl").stored
    assert stored.value["data"] == {"a": "2", "b": "1", "c": "1"}
    csa = from_wire(owners(stored)["kubectl-client-side-apply/Update"])
    assert ("f:data", "f:b") in csa
    assert ("f:metadata", "f:annotations", f"f:{managers.LAST_APPLIED}") in csa
    assert ("f:data", "f:c") in from_wire(owners(stored)["before-first-apply/Update"])


def test_clients_may_set_the_managed_fields() -> None:
    """Kubectl does, to merge two managers; rubbish is refused, an empty list is ignored, [{}] resets."""
    server = new_server()
    entries = apply(server, config(a="1")).stored.metadata["managedFields"]
    renamed = [{**entries[0], "manager": "bob"}]
    patch = [{"op": "replace", "path": "/metadata/managedFields", "value": renamed}]

    def send(operations: Any) -> Stored:
        return server.patch(
            CONFIG_MAPS, NS, "c1", operations, content_type=patches.JSON_PATCH, actor="x", now=NOW
        ).stored

    assert send(patch).metadata["managedFields"] == renamed
    rv = server.rv
    assert send([{**patch[0], "value": []}]).metadata["managedFields"] == renamed
    assert server.rv == rv
    with pytest.raises(Invalid, match=r"metadata\.managedFields"):
        send([{**patch[0], "value": [{"operation": "Steal"}]}])
    assert "managedFields" not in send([{**patch[0], "value": [{}]}]).metadata
    assert server.rv == rv + 1


def test_the_status_subresource() -> None:
    """Who applies a status owns the status; who applies the rest does not touch it."""
    server = new_server()
    value = {
        "apiVersion": "argoproj.io/v1alpha1", "kind": "ApplicationSet", "metadata": {"name": "s1"},
        "spec": {"generators": [], "template": {}}, "status": {"conditions": []},
    }  # fmt: skip
    stored = apply(server, value, resource=APPLICATION_SETS).stored
    assert "status" not in stored.value
    assert set(owners(stored)["ann/Apply"]) == {"f:spec"}
    condition = {"type": "T", "status": "True", "message": "m", "reason": "R"}
    told = {**value, "metadata": {"name": "s1", "labels": {"a": "b"}}, "status": {"conditions": [condition]}}
    stored = apply(server, told, "ctl", APPLICATION_SETS, subresource="status").stored
    assert stored.value["status"] == {"conditions": [condition]}
    assert not stored.labels
    entry = next(entry for entry in stored.metadata["managedFields"] if entry["manager"] == "ctl")
    assert entry["subresource"] == "status"
    assert set(entry["fieldsV1"]) == {"f:status"}
    assert stored.metadata["generation"] == 1


def test_finalizers_and_owners_are_shared() -> None:
    """Each manager holds its own items."""
    server = new_server()
    mine = {**config(), "metadata": {"name": "c1", "finalizers": ["example.com/a"]}}
    apply(server, mine)
    theirs = {**config(), "metadata": {"name": "c1", "finalizers": ["example.com/b"]}}
    assert apply(server, theirs, "bob").stored.finalizers == ["example.com/a", "example.com/b"]
    assert apply(server, config(), "ann").stored.finalizers == ["example.com/b"]
    assert "finalizers" not in apply(server, config(), "bob").stored.metadata


def test_the_last_finalizer_by_apply() -> None:
    """A deleting object goes when an apply takes the last finalizer off."""
    server = new_server()
    apply(server, {**config(), "metadata": {"name": "c1", "finalizers": ["example.com/a"]}})
    assert not drop(server, "c1", CONFIG_MAPS)
    apply(server, config())
    with pytest.raises(NotFound):
        server.get(CONFIG_MAPS, NS, "c1")


def test_preconditions() -> None:
    """A resourceVersion that is not the stored one, and a uid of something that is gone."""
    server = new_server()
    stored = apply(server, config(a="1")).stored
    right = {"name": "c1", "resourceVersion": stored.metadata["resourceVersion"]}
    apply(server, {**config(a="2"), "metadata": right})
    with pytest.raises(Conflict, match="the object has been modified"):
        apply(server, {**config(a="3"), "metadata": right})
    with pytest.raises(Conflict, match="uid mismatch"):
        apply(server, {**config(), "metadata": {"name": "c2", "uid": "u"}})


@pytest.mark.parametrize(
    ("value", "error", "says"),
    [
        ([], BadRequest, "must be an object"),
        ({"metadata": []}, BadRequest, "must be an object"),
        ({"metadata": {}}, BadRequest, "apiVersion"),
        ({**config(), "metadata": {"name": "other"}}, BadRequest, "does not match the name on the URL"),
        ({**config(), "metadata": {"namespace": "other"}}, BadRequest, "does not match the namespace"),
        ({**config(), "metadata": {"managedFields": [{}]}}, BadRequest, "managedFields must be nil"),
        ({**config(), "kind": "Secret"}, BadRequest, "kind"),
        ({**config(), "dtaa": {}}, ApiError, ".dtaa: field not declared in schema"),
        ({**config(), "data": {"a": 1}}, BadRequest, "cannot be handled"),
    ],
)
def test_what_cannot_be_applied(value: Any, error: type[ApiError], says: str) -> None:
    """It is refused with its reason, and nothing is written; new or not."""
    server = new_server()
    for _ in range(2):
        rv = server.rv
        with pytest.raises(error, match=says):
            server.apply(CONFIG_MAPS, NS, "c1", value, manager="m", actor="m", now=NOW)
        assert server.rv == rv
        apply(server, config())


def test_an_apply_obeys_the_rules_of_creation() -> None:
    """No namespace, a namespace that goes, a schema that says no."""
    server = new_server()
    with pytest.raises(NotFound):
        server.apply(CONFIG_MAPS, "gone", "c1", config(), manager="m", actor="m", now=NOW)
    server.delete(NAMESPACES, "", NS, actor="m", now=NOW)
    with pytest.raises(Forbidden):
        apply(server, config())
    with pytest.raises(Invalid, match=r"spec\.destination"):
        apply(new_server(), {**app(), "spec": {"project": "p"}}, resource=APPLICATIONS)


def test_dry_run() -> None:
    """The answer as if, and nothing done; new or not."""
    server = new_server()
    assert apply(server, config(a="1"), dry_run=True).stored.value["data"] == {"a": "1"}
    apply(server, config(a="1"))
    rv = server.rv
    assert apply(server, config(b="1"), dry_run=True).stored.value["data"] == {"b": "1"}
    assert server.rv == rv
    assert server.get(CONFIG_MAPS, NS, "c1").value["data"] == {"a": "1"}


def test_a_taken_name_is_no_error() -> None:
    """Unlike for a create."""
    server = new_server()
    apply(server, config(a="1"))
    with pytest.raises(AlreadyExists):
        make(server, config(), CONFIG_MAPS)


def test_generation() -> None:
    """It counts changes of content; who owns them is none."""
    server = new_server()
    apply(server, app(), resource=APPLICATIONS)
    assert apply(server, app(), "bob", APPLICATIONS).stored.metadata["generation"] == 1
    moved = {**app(), "spec": {"project": "p", "destination": {"server": "s"}}}
    stored = apply(server, moved, "bob", APPLICATIONS, force=True).stored
    assert stored.metadata["generation"] == 2


def test_many_updaters_become_one() -> None:
    """There is an end to the managers of an object, and no field is lost."""
    server = new_server()
    apply(server, config())
    for number in range(managers.MAX_UPDATERS + 5):
        merge(server, "c1", {"data": {f"k{number:02}": "v"}}, CONFIG_MAPS, manager=f"m{number:02}")
    held = owners(server.get(CONFIG_MAPS, NS, "c1"))
    assert len(held) == managers.MAX_UPDATERS + 1, "and the applier"
    assert "ancient-changes/Update" in held
    keys = {path[-1] for fields in held.values() for path in from_wire(fields) if len(path) == 2}
    assert keys == {f"f:k{number:02}" for number in range(managers.MAX_UPDATERS + 5)}


def test_there_is_an_end_to_appliers() -> None:
    """One more is refused; those who are there go on."""
    server = new_server()
    for number in range(managers.MAX_ENTRIES):
        apply(server, config(**{f"k{number}": "v"}), f"m{number}")
    with pytest.raises(Invalid, match="Too many"):
        apply(server, config(one="more"), "another")
    assert apply(server, config(k0="w"), "m0").changed


KEYS = st.sampled_from(["a", "b", "c"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob", "eve"]),
        st.booleans(),
        st.dictionaries(KEYS, st.sampled_from(["1", "2"]), max_size=3),
    ),
    max_size=12,
)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(STEPS)
def test_laws_of_ownership(steps: list[tuple[str, bool, dict[str, str]]]) -> None:
    """Whatever is applied or merged by whom: owners own what is there, appliers have what they said."""
    server = new_server()
    said: dict[str, dict[str, str]] = {}
    for manager, force, data in steps:
        if manager == "eve" and said:
            merge(server, "c1", {"data": data}, CONFIG_MAPS, manager=manager)
        elif manager != "eve":
            try:
                stored = apply(server, config(**data), manager, force=force).stored
            except Conflict:
                assert not force
                continue
            said[manager] = data
            assert data.items() <= stored.value.get("data", {}).items()
            assert not apply(server, config(**data), manager).changed
        if not said:
            continue
        stored = server.get(CONFIG_MAPS, NS, "c1")
        present = {f"f:{key}" for key in stored.value.get("data", {})}
        owned = [from_wire(fields) for fields in owners(stored).values()]
        claimed = {path[1] for fields in owned for path in fields if len(path) == 2 and path[0] == "f:data"}
        assert claimed == present
