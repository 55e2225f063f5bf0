"""The bodies that later ones may refer to: of each key one that has travelled before on this link.

Both ends keep them by the same rules, each for the records that it sends and for those that it receives. A
link is in order, so what was sent before has been received before: nobody has to ask what the other end still
has. One that has nevertheless given up what is referred to (its budget may be another one) says so, and gets
the body by itself.

They are kept compressed and live no longer than the link. There is no prefix across keys: how well two bodies
go together would show in the length of what travels, and with chosen content in one of them that tells the
other (as CRIME did of cookies).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

import attrs

from trio_argoagent.model.keys import Key
from trio_argoagent.stream.protocol.payload import SHORT, Encoding, Packed, pack, unpack

BUDGET: Final = 16 * 1024 * 1024
"""Bytes of packed bodies kept for one direction of one link: some 3,000 Applications of 40 KB."""
TOTAL: Final = 512 * 1024 * 1024
"""Bytes of packed bodies kept for all links of a principal: some 100,000 Applications of 40 KB."""
NEAR: Final = 128
"""Bytes of data that refer to a base. When it takes more, the body becomes the base of the next ones."""


@attrs.frozen
class Base:
    """A body that may be referred to, and the number of the record that brought it."""

    number: int
    packed: Packed

    @property
    def body(self) -> bytes:
        """As it was."""
        return unpack(self.packed)


class Pool:
    """What several links keep together. Where it is too much, who keeps most gives up first.

    So a thousand agents that send whatever they like cost a principal no more than ``budget``, and those who
    keep little lose nothing by it.

    Args:
        budget: bytes of packed bodies.
    """

    def __init__(self, budget: int = TOTAL) -> None:
        self._budget = budget
        self._sharers: dict[Bases, None] = {}
        self.size = 0
        """Bytes that are kept."""

    def changed(self, bases: Bases, by: int) -> None:
        """These keep so many bytes more, or less."""
        self.size += by
        if bases.size:
            self._sharers[bases] = None
        else:
            self._sharers.pop(bases, None)

    def fit(self) -> None:
        """Give up what is too much."""
        while self.size > self._budget:
            max(self._sharers, key=lambda bases: bases.size).drop_oldest()


class Bases:
    """The bases of one direction of one link. What was not used for longest goes first.

    Args:
        budget: bytes of packed bodies.
        pool: what they share with others; None: they share nothing.
    """

    def __init__(self, budget: int = BUDGET, pool: Pool | None = None) -> None:
        self._budget = budget
        self._pool = pool if pool is not None else Pool(budget)
        self._bases: OrderedDict[Key, Base] = OrderedDict()
        self.size = 0
        """Bytes that are kept."""

    def __len__(self) -> int:
        return len(self._bases)

    def travelled(self, key: Key, number: int, packed: Packed, body: bytes) -> int:
        """This body has travelled so. By itself, or when it is no longer near its base, it is the next one.

        Returns:
            How many others had to go for it.
        """
        if packed.encoding is Encoding.PREFIX:
            if len(packed.data) <= NEAR:
                return 0
            packed = pack(body)
        self.drop(key)
        if len(body) <= SHORT or len(packed.data) > self._budget:
            return 0
        self._bases[key] = Base(number, packed)
        self._grow(len(packed.data))
        before = len(self._bases)
        while self.size > self._budget:
            self.drop_oldest()
        self._pool.fit()
        return before - len(self._bases)

    def find(self, key: Key) -> Base | None:
        """What bodies of this key may refer to. It counts as used."""
        base = self._bases.get(key)
        if base is not None:
            self._bases.move_to_end(key)
        return base

    def drop(self, key: Key) -> None:
        """Nothing will refer to a body of this key."""
        base = self._bases.pop(key, None)
        if base is not None:
            self._grow(-len(base.packed.data))

    def drop_oldest(self) -> None:
        """Nothing will refer to the body that was not used for longest."""
        self.drop(next(iter(self._bases)))

    def clear(self) -> None:
        """The link has ended: nothing will refer to any of them."""
        self._bases.clear()
        self._grow(-self.size)

    def _grow(self, by: int) -> None:
        self.size += by
        self._pool.changed(self, by)
