"""The newest known state: never behind our own writes, never a ghost."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest

from trio_argoagent.kube.protocol.cache import Cache, Change
from trio_argoagent.model.objects import Object
from trio_argoagent.ports.cluster import EventType, WatchEvent
from trio_argoagent.replication.known import Known


def app(version: int, uid: str = "u1") -> Object:
    """An Application at that version."""
    meta = {"namespace": "argocd", "name": "web", "uid": uid, "resourceVersion": str(version)}
    return Object.of({"apiVersion": "v1", "kind": "Application", "metadata": meta})


class Informer:
    """The part of an informer that Known reads, over the real cache."""

    def __init__(self) -> None:
        self.cache = Cache()
        self.cache.apply_list([], "1")
        self._handlers: list[Callable[[Change], None]] = []

    def on_change(self, handler: Callable[[Change], None]) -> None:
        """See ``kube.informer``."""
        self._handlers.append(handler)

    @property
    def resource_version(self) -> str:
        """See ``kube.informer``."""
        return self.cache.resource_version

    def get(self, namespace: str, name: str) -> Object | None:
        """See ``kube.informer``."""
        return self.cache.objects.get((namespace, name))

    def hears(self, type_: EventType, obj: Object) -> None:
        """One watch event."""
        for change in self.cache.apply_event(WatchEvent(type_, obj)):
            for handler in self._handlers:
                handler(change)


@pytest.fixture
def informer() -> Informer:
    """One that has listed nothing, at version 1."""
    return Informer()


@pytest.fixture
def known(informer: Informer) -> Known:
    """A view of it."""
    return Known(informer)  # type: ignore[arg-type]


def version(known: Known) -> str | None:
    """What is known of the one object."""
    obj = known.get("argocd", "web")
    return obj.meta.resource_version if obj is not None else None


def test_own_write_is_seen_before_the_informer_hears_of_it(known: Known, informer: Informer) -> None:
    """What we wrote counts until the informer shows it or something newer."""
    informer.hears(EventType.ADDED, app(2))
    known.wrote(app(3))
    assert version(known) == "3"
    informer.hears(EventType.MODIFIED, app(3))
    informer.hears(EventType.MODIFIED, app(4))
    assert version(known) == "4"


def test_own_creation_is_seen_before_the_informer_hears_of_it(known: Known, informer: Informer) -> None:
    """A created object exists although the informer has not shown it, until it is past that version."""
    known.wrote(app(3))
    assert version(known) == "3"
    informer.hears(EventType.BOOKMARK, app(5))
    assert version(known) is None


def test_a_late_answer_does_not_bring_back_what_is_deleted(known: Known, informer: Informer) -> None:
    """An answer that the informer has overtaken, deletion included, is not believed."""
    informer.hears(EventType.ADDED, app(2))
    informer.hears(EventType.DELETED, app(6))
    known.wrote(app(3))
    assert version(known) is None


def test_answers_that_overtake_each_other(known: Known, informer: Informer) -> None:
    """Two workers write one hub object; the older answer arriving last does not win."""
    informer.hears(EventType.ADDED, app(2))
    known.wrote(app(5))
    known.wrote(app(4))
    assert version(known) == "5"


def test_a_late_answer_after_our_own_deletion(known: Known, informer: Informer) -> None:
    """An answer from before our deletion makes no ghost."""
    informer.hears(EventType.ADDED, app(2))
    known.gone("argocd", "web", "u1", "5")
    known.wrote(app(4))
    assert version(known) is None


def test_gone_until_another_uid_comes(known: Known, informer: Informer) -> None:
    """What we deleted stays gone while the informer still shows it, and a successor is seen at once."""
    informer.hears(EventType.ADDED, app(2))
    known.gone("argocd", "web", "u1", "2")
    assert version(known) is None
    informer.hears(EventType.DELETED, app(3))
    assert version(known) is None
    informer.hears(EventType.ADDED, app(4, "u2"))
    assert version(known) == "4"


def test_gone_before_the_informer_told_of_its_birth(known: Known, informer: Informer) -> None:
    """Created and deleted by us while the informer lags: its birth, told late, is no object."""
    known.wrote(app(3))
    known.gone("argocd", "web", "u1", "3")
    informer.hears(EventType.ADDED, app(3))
    assert version(known) is None


def test_nothing_is_remembered_once_the_informer_has_caught_up(known: Known, informer: Informer) -> None:
    """Memory is bounded by what is under way."""
    known.wrote(app(3))
    informer.hears(EventType.ADDED, app(3))
    version(known)
    known.gone("argocd", "web", "u1", "3")
    informer.hears(EventType.DELETED, app(4))
    version(known)
    assert known._own == {}


def test_an_answer_is_not_kept_longer_than_it_is_needed(known: Known, informer: Informer) -> None:
    """It goes when the informer shows it, whether anybody asks for that object or not."""
    answer = app(3)
    held = weakref.ref(answer)
    informer.hears(EventType.ADDED, app(2))
    known.wrote(answer)
    del answer
    gc.collect()
    assert held() is not None
    informer.hears(EventType.MODIFIED, app(3))
    gc.collect()
    assert held() is None
