"""What the body of a nursery raises leaves it as it is, not in a group, and nothing else is lost for that."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import trio


class Apart:
    """See ``kept_apart``."""

    def __init__(self) -> None:
        self.failure: Exception | None = None

    @contextmanager
    def body(self) -> Iterator[None]:
        """Round the body, inside the nursery: its failure ends it, and does not reach the nursery."""
        try:
            yield
        except Exception as exc:
            self.failure = exc


@contextmanager
def kept_apart() -> Iterator[Apart]:
    """Round the nursery: the body's failure is raised here.

    Where the nursery has failed as well, both are, in a group. A cancellation beside the failure is not kept:
    it comes again at the next checkpoint.
    """
    kept, is_well = Apart(), False
    try:
        yield kept
        is_well = True
    finally:
        if kept.failure is not None:
            # Where all is well, what is being handled is our caller's.
            other = None if is_well else _uncancelled(sys.exception())
            if other is None:
                raise kept.failure
            text = "the body of a nursery has failed, and so has the nursery"
            raise BaseExceptionGroup(text, [kept.failure, other]) from None


def _uncancelled(exc: BaseException | None) -> BaseException | None:
    """The same without cancellations; None: it is nothing else."""
    if isinstance(exc, BaseExceptionGroup):
        return exc.split(trio.Cancelled)[1]
    return None if isinstance(exc, trio.Cancelled) else exc
