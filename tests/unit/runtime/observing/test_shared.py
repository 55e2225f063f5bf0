"""What takes long to write down, and is written once for many."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock

from trio_argoagent.runtime.observing.shared import FRESH, SLICE, Shared


class Book:
    """Ten pages; each takes so long to write.

    Attributes:
        begun: how often the first page was written.
        pages: all that were written.
    """

    def __init__(self, clock: MockClock, takes: float = 0.0) -> None:
        self.begun = self.pages = 0
        self.broken = False
        self._clock, self._takes = clock, takes
        self.shared = Shared(self._write, trio.current_time)

    def _write(self) -> Iterator[bytes]:
        self.begun += 1
        for page in range(10):
            self.pages += 1
            self._clock.jump(self._takes)
            if self.broken and page == 5:
                raise ValueError("a bug")
            yield b"%d" % self.begun


@pytest.mark.parametrize("askers", [1, 50])
async def test_what_takes_long_lets_others_work(askers: int, mock_clock: MockClock) -> None:
    """Ten pages, of which a slice has room for two: others have had five turns before all have it."""
    turns, book = 0, Book(mock_clock, 0.6 * SLICE)

    async def others() -> None:
        nonlocal turns
        while True:
            await trio.lowlevel.checkpoint()
            turns += 1

    async with trio.open_nursery() as nursery:
        nursery.start_soon(others)
        for _ in range(askers):
            nursery.start_soon(book.shared.whole)
        while book.pages < 10:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()
    assert 3 <= turns <= 7  # Who begins, and who is last, is chance.


async def test_all_who_ask_get_the_same(mock_clock: MockClock) -> None:
    """Those who ask while it is written, and those who ask a little later; then it is written anew."""
    book = Book(mock_clock, SLICE)
    heard: list[bytes] = []

    async def ask() -> None:
        heard.append(await book.shared.whole())

    async with trio.open_nursery() as nursery:
        for _ in range(50):
            nursery.start_soon(ask)
    mock_clock.jump(0.9 * FRESH)
    await ask()
    assert heard == [b"1" * 10] * 51 and book.pages == 10
    mock_clock.jump(0.2 * FRESH)
    assert await book.shared.whole() == b"2" * 10


async def leave(book: Book, pages: int) -> None:
    """Ask, and give up once so many pages are written."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(book.shared.whole)
        while book.pages < pages:
            await trio.lowlevel.checkpoint()
        nursery.cancel_scope.cancel()


async def test_who_goes_leaves_the_rest_to_the_next(mock_clock: MockClock) -> None:
    """Nothing is written twice, however many give up before the end."""
    book = Book(mock_clock, SLICE)
    for pages in (2, 4, 6):
        await leave(book, pages)
    assert book.pages < 10
    assert await book.shared.whole() == b"1" * 10
    assert book.pages == 10


async def test_what_was_left_long_ago_is_begun_anew(mock_clock: MockClock) -> None:
    """Half of it would be of then, and half of now."""
    book = Book(mock_clock, SLICE)
    await leave(book, 1)
    mock_clock.jump(FRESH)
    assert await book.shared.whole() == b"2" * 10


async def test_a_bug(mock_clock: MockClock) -> None:
    """Whoever asks sees it; the next one has it written anew."""
    book = Book(mock_clock)
    book.broken = True
    for _ in range(2):
        with pytest.raises(ValueError, match="a bug"):
            await book.shared.whole()
    book.broken = False
    assert await book.shared.whole() == b"3" * 10
