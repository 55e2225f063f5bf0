"""Snapshots hold every object of every cluster, compare, and say what differs."""

from __future__ import annotations

from trio_argoagent.testing import Fleet, Snapshot
from trio_argoagent.testing.snapshot import MAX_SHOWN

from .stories import move, play

NAME = ("hub", "Application", "east", "web")


def test_a_snapshot_holds_every_cluster() -> None:
    """Objects of the hub and of the spoke, of custom and core kinds, without their definitions."""

    async def story(fleet: Fleet) -> None:
        found = fleet.snapshot().objects
        for name in (
            NAME,
            ("east", "Application", "argocd", "web"),
            ("east", "AppProject", "argocd", "default"),
            ("hub", "Namespace", "", "east"),
        ):
            assert name in found
        assert not any(kind == "CustomResourceDefinition" for _, kind, _, _ in found)
        assert "resourceVersion" not in found[NAME]["metadata"]
        assert found[NAME]["metadata"]["uid"] == fleet.hub.log[-1].subject.metadata["uid"]

    play(story)


def test_equal_seeds_give_equal_snapshots() -> None:
    """The same story with the same seed ends in the same objects, uids and times included."""
    taken: list[Snapshot] = []

    async def story(fleet: Fleet) -> None:
        taken.append(fleet.snapshot())

    for seed in (1, 1, 2):
        play(story, seed=seed)
    assert taken[0] == taken[1]
    assert taken[0] != taken[2]


def test_a_snapshot_stays_as_it_was() -> None:
    """What happens afterwards changes nothing in it."""

    async def story(fleet: Fleet) -> None:
        before = fleet.snapshot()
        await move(fleet, "helm-guestbook")
        assert before.objects[NAME]["spec"]["source"]["path"] == "guestbook"
        assert [
            line
            for line in before.diff(fleet.snapshot())
            if line.startswith("~ hub Application east/web: spec")
        ] == ['~ hub Application east/web: spec.source.path: "guestbook" -> "helm-guestbook"']

    play(story)


def snapshot(**more: object) -> Snapshot:
    """One Application with these fields."""
    return Snapshot({NAME: {"metadata": {"name": "web"}, **more}})


def test_a_diff_names_what_came_went_and_changed() -> None:
    """One line for each object and each field, in the order of names."""
    before = Snapshot({NAME: {"a": 1, "b": {"c": [1]}, "same": 0}, ("hub", "Namespace", "", "old"): {}})
    later = Snapshot({NAME: {"b": {"c": [2]}, "same": 0, "x": "new"}, ("hub", "Namespace", "", "new"): {}})
    assert before.diff(later) == [
        "~ hub Application east/web: a: 1 -> nothing",
        "~ hub Application east/web: b.c: [1] -> [2]",
        '~ hub Application east/web: x: nothing -> "new"',
        "+ hub Namespace new",
        "- hub Namespace old",
    ]
    assert before.diff(before) == []


def test_long_values_are_cut() -> None:
    """A line stays a line."""
    [line] = snapshot(a="").diff(snapshot(a="x" * 1000))
    assert line.endswith("x…")
    assert len(line) < 2 * MAX_SHOWN


def test_parts_of_a_snapshot() -> None:
    """One cluster, one kind, and without fields that do not matter."""
    whole = Snapshot({NAME: {"status": {"a": 1, "b": 2}}, ("east", "Secret", "argocd", "s"): {"data": {}}})
    assert [*whole.only(cluster="east").objects] == [("east", "Secret", "argocd", "s")]
    assert [*whole.only(kind="Application").objects] == [NAME]
    assert not whole.only(cluster="east", kind="Application").objects
    assert whole.without("status.a", "data").objects == {
        NAME: {"status": {"b": 2}},
        ("east", "Secret", "argocd", "s"): {},
    }
    assert str(whole.without("status")) == "east Secret argocd/s\nhub Application east/web"
