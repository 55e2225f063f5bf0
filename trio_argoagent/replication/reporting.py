"""What a replica reports, as messages: its own order is kept, and neighbours of one kind travel together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from trio_argoagent.model.records import Result
from trio_argoagent.stream.protocol import messages
from trio_argoagent.sync.replica import Listing, Report, Root

BATCH: Final = messages.MAX_ENTRIES
"""Entries of one message."""


def as_messages(reports: Iterable[Report]) -> Iterator[messages.Message]:
    """Reports as messages, in their order; neighbours of one kind travel together."""
    batch: list[Report] = []
    for report in reports:
        if batch and type(batch[0]) is not type(report):
            yield _batched(batch)
            batch = []
        if isinstance(report, Listing):
            yield from _leaves(report)
        elif isinstance(report, Root):
            yield messages.Mark(report.root)
        else:
            batch.append(report)
    if batch:
        yield _batched(batch)


def _batched(batch: list[Report]) -> messages.Message:
    if isinstance(batch[0], Result):
        return messages.Results(tuple(r for r in batch if isinstance(r, Result)))
    return messages.Have(tuple(r for r in batch if isinstance(r, tuple)))


def _leaves(listing: Listing) -> Iterator[messages.Message]:
    """A listing in as many leaves as it takes; the last one says so."""
    indices, entries = bytes(listing.indices), listing.entries
    chunks = [entries[at : at + BATCH] for at in range(0, len(entries), BATCH)] or [()]
    for number, chunk in enumerate(chunks):
        yield messages.Leaf(indices if number == 0 else b"", chunk, number == len(chunks) - 1)
