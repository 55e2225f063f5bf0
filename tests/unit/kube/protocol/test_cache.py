"""The informer's memory: what changes a list or an event makes."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.kube.protocol.cache import Cache, Change
from trio_argoagent.model.objects import Object

from ..fakes import bookmark, event, thing


def shape(changes: list[Change]) -> list[tuple[str | None, str | None, bool]]:
    """The versions of old and new, and the evidence."""
    return [
        (
            change.old.meta.resource_version if change.old else None,
            change.new.meta.resource_version if change.new else None,
            change.witnessed,
        )
        for change in changes
    ]


def listed(*items: Object, at: str = "10") -> Cache:
    """A cache after its first list."""
    cache = Cache()
    cache.apply_list(items, at)
    return cache


def test_the_first_list_is_initial() -> None:
    """Each object of it is an initial add; those of a later one are not."""
    cache = Cache()
    first = cache.apply_list([thing("a", 3), thing("b", 4)], "10")
    assert [(change.name, change.initial) for change in first] == [(("ns", "a"), True), (("ns", "b"), True)]
    later = cache.apply_list([thing("a", 3), thing("b", 4), thing("c", 11)], "12")
    assert [(change.name, change.initial) for change in later] == [(("ns", "c"), False)]


def test_a_relist_reports_only_differences() -> None:
    """Vanished first (inferred), then changed, and nothing for what is the same."""
    cache = listed(thing("a", 3), thing("b", 4), thing("c", 5))
    changes = cache.apply_list([thing("b", 4), thing("c", 11), thing("d", 12)], "13")
    assert shape(changes) == [("3", None, False), ("5", "11", True), (None, "12", True)]
    assert sorted(cache.objects) == [("ns", "b"), ("ns", "c"), ("ns", "d")]
    assert cache.resource_version == "13"


def test_an_unchanged_object_stays_the_same_value() -> None:
    """A relist does not replace what it only repeats: nobody holds two copies."""
    a = thing("a", 3)
    cache = listed(a)
    cache.apply_list([thing("a", 3)], "11")
    assert cache.objects["ns", "a"] is a


def test_another_uid_in_a_list_is_a_delete_and_an_add() -> None:
    """The delete is inferred: nobody saw it."""
    cache = listed(thing("a", 3, "one"))
    changes = cache.apply_list([thing("a", 12, "two")], "13")
    assert shape(changes) == [("3", None, False), (None, "12", True)]


def test_another_uid_in_an_event_is_a_delete_and_an_add() -> None:
    """Likewise when a watch shows it."""
    cache = listed(thing("a", 3, "one"))
    assert shape(cache.apply_event(event("ADDED", thing("a", 12, "two")))) == [
        ("3", None, False),
        (None, "12", True),
    ]


def test_a_seen_delete_is_witnessed() -> None:
    """DELETED of the very uid that is held."""
    cache = listed(thing("a", 3))
    assert shape(cache.apply_event(event("DELETED", thing("a", 11)))) == [("3", None, True)]
    assert not cache.objects
    assert cache.resource_version == "11"


def test_a_delete_of_a_later_uid_infers_that_of_the_held_one() -> None:
    """The held object went before it, unseen."""
    cache = listed(thing("a", 3, "one"))
    assert shape(cache.apply_event(event("DELETED", thing("a", 12, "two")))) == [("3", None, False)]


def test_a_delete_of_the_unknown_changes_nothing() -> None:
    """What was never held cannot go; the version moves on all the same."""
    cache = listed()
    assert cache.apply_event(event("DELETED", thing("a", 12))) == []
    assert cache.resource_version == "12"


def test_replays_are_dropped() -> None:
    """Equal to what is held, older than it, or older than the last list of a key that is not held."""
    cache = listed(thing("a", 3), thing("b", 10))
    for replay in (
        event("ADDED", thing("b", 10)),
        event("MODIFIED", thing("a", 2)),
        event("DELETED", thing("a", 2)),
        event("ADDED", thing("gone", 9)),
    ):
        assert cache.apply_event(replay) == []
    assert cache.dropped == 4
    assert cache.resource_version == "10"
    assert len(cache.objects) == 2


def test_two_objects_of_one_commit_are_both_taken() -> None:
    """An equal version of another object is no replay."""
    cache = listed(at="10")
    assert cache.apply_event(event("ADDED", thing("a", 11)))
    assert cache.apply_event(event("ADDED", thing("b", 11)))


def test_a_bookmark_only_advances() -> None:
    """It moves the version forward, never back, and an empty one is no version."""
    cache = listed(thing("a", 3))
    assert cache.apply_event(bookmark(20)) == []
    assert cache.resource_version == "20"
    cache.apply_event(bookmark(15))
    cache.apply_event(bookmark(""))
    assert cache.resource_version == "20"
    assert cache.is_behind("19")
    assert not cache.is_behind("20")


def test_versions_without_an_order() -> None:
    """Where versions are opaque, only equality drops an event, and nothing is ever behind."""
    cache = Cache()
    cache.apply_list([thing("a", "x1")], "xx")
    assert not cache.is_behind("ww")
    assert cache.apply_event(event("MODIFIED", thing("a", "x1"))) == []
    assert shape(cache.apply_event(event("MODIFIED", thing("a", "x0")))) == [("x1", "x0", True)]
    assert cache.resource_version == "x0"


_NAMES = st.sampled_from("abc")


@settings(deadline=None, max_examples=80)
@given(st.lists(st.tuples(_NAMES, st.booleans()), max_size=30), st.data())
def test_any_replay_leaves_the_truth(writes: list[tuple[str, bool]], data: st.DataObject) -> None:
    """Events may be replayed from any earlier point any number of times: the cache ends as the store is."""
    store: dict[str, Object] = {}
    history = []
    for version, (name, delete) in enumerate(writes, 1):
        if delete and name in store:
            history.append(event("DELETED", thing(name, version, store.pop(name).meta.uid)))
        elif not delete:
            uid = store[name].meta.uid if name in store else f"{name}{version}"
            history.append(event("MODIFIED" if name in store else "ADDED", thing(name, version, uid)))
            store[name] = history[-1].object
    cache = listed(at="0")
    mirror: dict[str, str] = {}
    position = 0
    while position < len(history):
        start = data.draw(st.integers(0, position))
        position = data.draw(st.integers(position + 1, len(history)))
        for change in [c for e in history[start:position] for c in cache.apply_event(e)]:
            # The changes alone rebuild the cache, and each continues from what was there.
            assert mirror.get(change.name[1]) == (change.old.meta.uid if change.old else None)
            mirror.pop(change.name[1], None)
            if change.new:
                mirror[change.name[1]] = change.new.meta.uid
    found = {name: item.meta.resource_version for (_, name), item in cache.objects.items()}
    assert found == {name: item.meta.resource_version for name, item in store.items()}
    assert mirror == {name: item.meta.uid for name, item in store.items()}
