"""What is done over a channel, held against a channel that counts."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trio_argoagent.bench import loads
from trio_argoagent.bench.figures import CPU
from trio_argoagent.bench.loads import END, OUTSTANDING, payload
from trio_argoagent.bench.place import Place
from trio_argoagent.bench.usage import Server, answering, ask_usage, kernels, peak, usage_of
from trio_argoagent.errors import UserError


class Echo:
    """Sends back all that was sent, when it is asked for more.

    Attributes:
        sent: everything, in order.
        most: messages that were ever on their way at once.
    """

    def __init__(self, at_once: int = 1000) -> None:
        self.sent: list[bytes] = []
        self.most = 0
        self._waiting: list[bytes] = []
        self._at_once = at_once

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        self.sent += messages
        self._waiting += messages
        self.most = max(self.most, len(self._waiting))

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        taken, self._waiting = self._waiting[: self._at_once], self._waiting[self._at_once :]
        return taken


class Scripted:
    """Receives what is written here."""

    def __init__(self, *batches: Sequence[bytes]) -> None:
        self._batches = list(batches)
        self.sent: list[bytes] = []

    async def send(self, messages: Sequence[bytes]) -> None:
        """See ``Channel``."""
        self.sent += messages

    async def receive(self) -> Sequence[bytes]:
        """See ``Channel``."""
        return self._batches.pop(0) if self._batches else ()


@given(st.integers(1, 3000))
def test_payload(size: int) -> None:
    """As long as asked for, and the end of a burst is nowhere in it."""
    assert len(payload(size)) == size
    assert END not in payload(size)


@pytest.mark.parametrize(("size", "count"), [(200, 1), (200, 327), (200, 328), (200, 1000), (20480, 7)])
async def test_pour(size: int, count: int) -> None:
    """So many messages of that size; only the last says that it is."""
    channel = Echo()
    await loads._pour(channel, size, count)
    assert {len(message) for message in channel.sent} == {size}
    assert [message.endswith(END) for message in channel.sent] == [False] * (count - 1) + [True]


@pytest.mark.parametrize("at_once", [1, 7, 1000])
@pytest.mark.parametrize("count", [1, OUTSTANDING, OUTSTANDING + 1, 1000])
async def test_juggle(count: int, at_once: int) -> None:
    """Exactly so many, and never more than agreed on their way."""
    channel = Echo(at_once)
    await loads._juggle(channel, 10, count)
    assert len(channel.sent) == count
    assert channel.most == min(count, OUTSTANDING)


async def test_rally() -> None:
    """One at a time, each timed."""
    channel, times = Echo(), [0.0]
    await loads._rally(channel, 10, times, 5)
    assert (len(channel.sent), channel.most, len(times)) == (5, 1, 5)


async def test_sink() -> None:
    """Nothing comes back but one word for each end of a burst."""
    channel = Scripted([b"a", b"b"], [b"c", b"d\n"], [b"e"], [b"f\n"])
    await loads.sink(channel)
    assert channel.sent == [END, END]


async def test_echo() -> None:
    """Everything comes back as it came."""
    channel = Scripted([b"a", b"b"], [b"c"])
    await loads.echo(channel)
    assert channel.sent == [b"a", b"b", b"c"]


@pytest.fixture
def server() -> Iterator[Server]:
    """This process answers for what it has used."""
    with answering() as told:
        yield told


def test_usage(server: Server) -> None:
    """A process tells what it has used, its memory only when it is asked for that."""
    first, second = ask_usage(server), ask_usage(server, memory=True)
    assert server.pid == os.getpid()
    assert (first.rss, first.objects) == (0, 0)
    assert second.objects > 1000
    assert second.cpu >= first.cpu > 0
    assert second.wall > first.wall


def test_peak() -> None:
    """Of this process: what its parent had in memory does not count."""
    ballast = b"x" * (300 * 2**20)
    code = "from trio_argoagent.bench.usage import peak; print(peak())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert len(ballast) / 2**20 > float(done.stdout) > 5
    assert peak() > 300


def test_usage_of_another() -> None:
    """As the kernel tells it; of a process that has ended there is nothing to tell."""
    found = usage_of(os.getpid())
    assert found.cpu > 0
    assert found.mib == found.rss / 2**20 > 1
    for pid in (0, 2**22 + 1):
        with pytest.raises(UserError, match="has ended"):
            usage_of(pid)
    with pytest.raises(UserError, match=rf"does not tell .*: cannot read /proc/{os.getpid()}/moods$"):
        kernels(os.getpid(), "moods")


async def test_measured(server: Server, tmp_path: Path) -> None:
    """What is measured is one burst after those that find out how long it must be."""
    bursts: list[int] = []

    async def burst(count: int) -> None:
        bursts.append(count)

    place = Place(str(tmp_path), pid=server.pid, control=server.control)
    values = await loads._measured(place, burst, 1e-9)
    assert bursts == [loads.FIRST] * 2
    assert list(values) == ["rate", "client", "server", CPU]
    assert values[CPU][1] == pytest.approx(values["client"][1] + values["server"][1])
