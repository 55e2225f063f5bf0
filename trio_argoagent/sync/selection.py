"""Which objects take part at all: what a label keeps out, and what the label selectors choose.

The selectors are applied here, to objects that are seen, and not by the API servers: an object that merely
lost a label would look deleted, and what an agent or a principal has made itself without the label would be
invisible to it and be made again and again.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from trio_argoagent.model.objects import Object
from trio_argoagent.model.selectors import EVERYTHING, LabelSelector
from trio_argoagent.sync import names


def is_ignored(obj: Object) -> bool:
    """Does its label keep it out of replication?"""
    return obj.labels.get(names.IGNORE_SYNC) == "true"


def _choosing(selectors: Iterable[LabelSelector]) -> tuple[LabelSelector, ...]:
    return tuple(selector for selector in selectors if selector != EVERYTHING)


@attrs.frozen
class Selection:
    """The selectors of a source, and of whoever replicates it; all of them must choose an object.

    Attributes:
        selectors: those that do not choose everything.
    """

    selectors: tuple[LabelSelector, ...] = attrs.field(default=(), converter=_choosing)

    def leaves_out(self, obj: Object) -> bool:
        """Does this object take no part?"""
        return is_ignored(obj) or self.passes_over(obj)

    def passes_over(self, obj: Object) -> bool:
        """Is it none of those that are chosen?

        Unlike the label, that is nothing that the object says: another selector is another view.
        """
        return not all(selector.matches(obj.labels) for selector in self.selectors)

    def said(self) -> tuple[str, ...]:
        """The selectors as texts."""
        return tuple(selector.text for selector in self.selectors)


WHOLE = Selection()
"""Everything but what a label keeps out."""
