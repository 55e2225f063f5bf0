"""Which part of an object a feed carries."""

from __future__ import annotations

from typing import Any

import pytest

from trio_argoagent.model.identity import Mode
from trio_argoagent.model.keys import Feed, Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync import digest, kinds, names, operations, projection

CASCADING = kinds.rows(Mode.MANAGED, Feed.DESIRED)[Kind.APPLICATION]
MIRROR = kinds.rows(Mode.AUTONOMOUS, Feed.OBSERVED)[Kind.APPLICATION]
HOOK = "post-delete-finalizer.argocd.argoproj.io"
PRIVATE = (
    "trio-argoagent/sync",
    "trio-argoagent/anything",
    "argocd.argoproj.io/source-uid",
    "argocd.argoproj.io/principal-uid",
    "argocd.argoproj.io/refresh",
    "argocd.argoproj.io/refresh-timestamp",
    "argocd.argoproj.io/hydrate",
    "argocd.argoproj.io/hydrate-timestamp",
    "kubectl.kubernetes.io/last-applied-configuration",
    "notified.notifications.argoproj.io",
)


def app(**meta: Any) -> Object:
    """An Application with that metadata."""
    return Object.of({"metadata": {"name": "web", "uid": "u"} | meta, "spec": {"project": "p"}})


def test_private_annotations_are_not_carried() -> None:
    """So they are never reverted either, and change no digest."""
    bare = app(annotations={"a": "1", "argocd.argoproj.io/deletion-approved": "true"})
    noisy = app(annotations=dict(bare.annotations) | dict.fromkeys(PRIVATE, "x"))
    assert projection.copy_projection(CASCADING, noisy)["annotations"] == bare.annotations
    assert projection.ap(CASCADING, noisy) == projection.ap(CASCADING, bare)


def test_finalizers_by_row() -> None:
    """Where a cascade travels, the family in its order; on a mirror all of Argo CD's; never others'."""
    family = [names.FAMILY + "/background", names.FAMILY]
    obj = app(finalizers=["example.com/x", family[0], HOOK, HOOK + "/cleanup", family[1]])
    assert projection.copy_projection(CASCADING, obj)["finalizers"] == family
    expected = [family[0], HOOK, HOOK + "/cleanup", family[1]]
    assert projection.copy_projection(MIRROR, obj)["finalizers"] == expected


def test_status_and_the_rest_of_the_metadata_are_not_of_a_copy() -> None:
    """Status, operation and versions are not the copy's to own."""
    value = app(labels={"l": "1"}).value()
    value["metadata"] |= {"resourceVersion": "9", "generation": 3}
    more = Object.of(value | {"status": {"health": {}}, "operation": {"sync": {}}})
    assert projection.ap(CASCADING, more) == projection.ap(CASCADING, app(labels={"l": "1"}))
    assert projection.copy_projection(CASCADING, Object.of({}))["spec"] == {}


@pytest.mark.parametrize(
    "change", [{"labels": {"l": "2"}}, {"annotations": {"a": "2"}}, {"finalizers": [names.FAMILY]}]
)
def test_every_owned_part_counts(change: dict[str, Any]) -> None:
    """A change of it is drift."""
    assert projection.ap(CASCADING, app(**change)) != projection.ap(CASCADING, app())


def test_our_entry_never_leaves_a_cluster() -> None:
    """A status with and without it have one digest; others' entries stay."""
    plain: dict[str, Any] = {"sync": {}, "info": [{"name": "n", "value": "v"}]}
    operations_seen: list[dict[str, Any]] = [plain, {"sync": {}}]
    for operation in operations_seen:
        stamped = operations.stamped(operation, "id")
        status = projection.status_of(Object.of({"status": {"operationState": {"operation": stamped}}}))
        assert status == {"operationState": {"operation": operation}}
    assert projection.status_of(Object.of({})) == {}


def test_substance_is_all_but_time_stamps() -> None:
    """``reconciledAt`` and ``observedAt`` alone are cosmetic."""
    status = {"health": {}, "reconciledAt": "t", "observedAt": "t"}
    assert projection.substance(status) == {"health": {}}


def test_digests_do_not_depend_on_the_order_of_members() -> None:
    """But on kind, uid and value; and no two splits of bytes are alike."""
    one, two = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
    assert digest.stored(one) == digest.stored(two) != digest.stored(one | {"a": 2})
    made = {
        digest.wanted(Kind.APPLICATION, "u", one),
        digest.wanted(Kind.STATUS, "u", one),
        digest.wanted(Kind.APPLICATION, "v", one),
        digest.wanted(Kind.APPLICATION, "u", {}),
    }
    assert len(made) == 4
    assert digest.of_bytes(b"ab", b"c") != digest.of_bytes(b"a", b"bc")


def test_every_carried_field_has_an_owner() -> None:
    """The table of authority: managed specs are the hub's; autonomous ones, and statuses, the spoke's."""
    sides = kinds.AUTHORITY
    assert sides[Mode.MANAGED, Kind.APPLICATION, "spec"] is kinds.Side.HUB
    assert sides[Mode.AUTONOMOUS, Kind.APPLICATION, "spec"] is kinds.Side.SPOKE
    for mode in Mode:
        assert sides[mode, Kind.STATUS, "status"] is kinds.Side.SPOKE
        assert sides[mode, Kind.INTENT, "sync"] is kinds.Side.HUB
        for feed, side in ((Feed.DESIRED, kinds.Side.HUB), (Feed.OBSERVED, kinds.Side.SPOKE)):
            owners = {s for (m, k, _), s in sides.items() if m is mode and k in kinds.rows(mode, feed)}
            assert owners == {side}
