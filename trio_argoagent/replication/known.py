"""The newest known state of each object: the informer's, or what the API server answered to our own write.

An informer lags behind our own writes by a moment. To plan from its cache then would undo them; to read the
object again before each step would double the load. So answers are kept until the informer has caught up.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from trio_argoagent.kube.informer import Informer
from trio_argoagent.kube.protocol.cache import Change
from trio_argoagent.model import rv
from trio_argoagent.model.objects import Object

Name = tuple[str, str]


@attrs.frozen
class _Gone:
    """We were told that this object is gone; the informer may still show it, or may yet have to."""

    uid: str
    version: str
    """The newest resourceVersion that we know it to have had."""


class Known:
    """A view of one informer's collection that never goes back behind our own writes.

    Args:
        informer: of the collection.
        selects: does its selector select this object? What it does not is never told of: it is known only as
            long as one attempt lasts (``doubt``), and without its content, which is none of our business.
    """

    def __init__(self, informer: Informer, selects: Callable[[Object], bool] = lambda obj: True) -> None:
        self.informer, self._selects = informer, selects
        self._own: dict[Name, Object | _Gone] = {}
        informer.on_change(self._heard)

    def _heard(self, change: Change) -> None:
        """Drop what the informer knows itself now: nobody may ask for that object for a long time."""
        if change.name in self._own:
            self.get(*change.name)

    def get(self, namespace: str, name: str) -> Object | None:
        """The newest known state of one object; None: it does not exist."""
        cached = self.informer.get(namespace, name)
        own = self._own.get((namespace, name))
        if own is None:
            return cached
        if isinstance(own, _Gone):
            if self._is_unheard(own, cached):
                return None
        elif self._is_ahead(own, cached):
            return own
        del self._own[namespace, name]
        return cached

    def _is_ahead(self, own: Object, cached: Object | None) -> bool:
        version = own.meta.resource_version
        if cached is not None:
            return rv.is_newer(version, cached.meta.resource_version)
        if not self._selects(own):
            return True
        return not rv.at_least(self.informer.resource_version, version)

    def _is_unheard(self, own: _Gone, cached: Object | None) -> bool:
        """Has the informer yet to tell of this deletion? A lagging one has yet to tell even of its birth."""
        if cached is None:
            return rv.is_newer(own.version, self.informer.resource_version)
        return cached.meta.uid == own.uid or rv.is_newer(own.version, cached.meta.resource_version)

    def wrote(self, obj: Object) -> None:
        """The API server has just answered with this state."""
        name = (obj.meta.namespace, obj.meta.name)
        own = self._own.get(name)
        if own is not None and rv.is_newer(_version(own), obj.meta.resource_version):
            return  # Answers of several workers may overtake each other.
        if self._is_ahead(obj, self.informer.get(*name)):
            self._own[name] = obj if self._selects(obj) else attrs.evolve(obj, fields={})
        else:
            self._own.pop(name, None)

    def gone(self, namespace: str, name: str, uid: str, version: str) -> None:
        """The API server has just said that this object is gone, which was at ``version`` when we knew it."""
        self._own[namespace, name] = _Gone(uid, version)
        self.get(namespace, name)

    def doubt(self, namespace: str, name: str) -> None:
        """Begin anew with an object that no informer would tell of: who changes it now tells nobody."""
        own = self._own.get((namespace, name))
        if own is not None and not isinstance(own, _Gone) and not self._selects(own):
            del self._own[namespace, name]


def _version(own: Object | _Gone) -> str:
    return own.version if isinstance(own, _Gone) else own.meta.resource_version
