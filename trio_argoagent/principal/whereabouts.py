"""Which Applications of the hub may be an agent's, without a look at all the others.

A thousand agents come into being together when a principal starts: if each of them looked at every
Application, the start would take a thousand times as long.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from trio_argoagent.kube.protocol.cache import Change, Name
from trio_argoagent.model.keys import Kind
from trio_argoagent.model.objects import Object
from trio_argoagent.sync.destinations import DestinationMapping, destination_of
from trio_argoagent.sync.mapping import NamespaceMapping, Style

_Sign = tuple[str, str]
"""Something that an Application says of whose it is: its namespace, or the agent that it names."""
_UNREADABLE: Final = ("anybody's", "")


class Whereabouts:
    """See the module. It holds names, nothing of what the Applications say beside.

    Args:
        style: how managed agents are mapped.
    """

    def __init__(self, style: Style) -> None:
        self._style = style
        self._names: dict[_Sign, dict[Name, None]] = {}

    def changed(self, kind: Kind, change: Change) -> None:
        """An object of the hub has changed."""
        if kind is not Kind.APPLICATION:
            return
        before, after = self._signs(change.old), self._signs(change.new)
        if before == after:
            return
        for sign in before:
            self._names[sign].pop(change.name)
            if not self._names[sign]:
                del self._names[sign]
        for sign in after:
            self._names.setdefault(sign, {})[change.name] = None

    def _signs(self, app: Object | None) -> tuple[_Sign, ...]:
        if app is None:
            return ()
        namespace = ("namespace", app.meta.namespace)
        if self._style is Style.NAMESPACE:
            return (namespace,)
        return namespace, _UNREADABLE if app.unreadable else ("destination", destination_of(app))

    def near(self, mapping: NamespaceMapping) -> Iterator[Name]:
        """All Applications that this agent's mapping may find, or have anything to say on."""
        if isinstance(mapping, DestinationMapping):
            signs: tuple[_Sign, ...] = ("destination", mapping.agent), _UNREADABLE
        else:
            signs = (("namespace", mapping.home),)
        for sign in signs:
            yield from tuple(self._names.get(sign, ()))
