"""Who is let in, and in what order."""

from __future__ import annotations

from collections import Counter

import pytest
import trio
import trio.testing

from trio_argoagent.net.admission import HANDSHAKE_TIMEOUT, SLOW, STEPS, Admission, Visitors
from trio_argoagent.net.errors import ConnectionBroken
from trio_argoagent.net.tls import TlsStream

from .identities import Authority, Identity
from .test_tls import contexts


async def test_room_is_made_for_who_comes_later(autojump_clock: trio.testing.MockClock) -> None:
    """When there are too many, the newest comes in vain at first, and takes the place of a slow one later."""
    admission = Admission(most=2)
    ends: list[tuple[str, float]] = []

    async def wait(name: str) -> None:
        with pytest.raises(ConnectionBroken) as caught:
            with admission.handshake():
                await trio.sleep_forever()
        ends.append((f"{name}: {caught.value}", trio.current_time()))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "first")
        await trio.sleep(1)
        nursery.start_soon(wait, "second")
        await trio.sleep(SLOW - 1.5)
        nursery.start_soon(wait, "too soon")
        await trio.sleep(0.5)
        nursery.start_soon(wait, "third")
    assert ends == [
        ("too soon: more than 2 connections in their TLS handshake", SLOW - 0.5),
        ("first: no TLS handshake within 2.0 s: others wait", SLOW),
        ("second: no TLS handshake within 10.0 s", 1 + HANDSHAKE_TIMEOUT),
        ("third: no TLS handshake within 10.0 s", SLOW + HANDSHAKE_TIMEOUT),
    ]


async def test_the_oldest_visitor_goes(autojump_clock: trio.testing.MockClock) -> None:
    """Whoever has left makes room; else it is who has been here for longest, and he is told why."""
    visitors = Visitors(2, "others wait")
    ends: list[tuple[str, float]] = []

    async def stay(name: str, seconds: float) -> None:
        try:
            with visitors.visit():
                await trio.sleep(seconds)
        except ConnectionBroken as exc:
            name = f"{name}: {exc}"
        ends.append((name, trio.current_time()))

    async with trio.open_nursery() as nursery:
        for name, seconds in (("a", 10.0), ("b", 0.5), ("c", 10.0), ("d", 10.0), ("e", 10.0)):
            nursery.start_soon(stay, name, seconds)
            await trio.sleep(1)
    assert ends == [("b", 1.5), ("a: others wait", 3.0), ("c: others wait", 4.0), ("d", 13.0), ("e", 14.0)]


async def test_a_few_steps_in_one_pass(
    authority: Authority, server_identity: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many shake hands at once, the scheduler comes round after a few steps of theirs."""
    admission = Admission()
    passes, steps = 0, Counter[int]()
    agree = TlsStream._agree

    def counted(stream: TlsStream) -> bool:
        if stream._tls.server_side:
            steps[passes] += 1
        return agree(stream)

    async def count() -> None:
        nonlocal passes
        while True:
            passes += 1
            await trio.lowlevel.checkpoint()

    monkeypatch.setattr(TlsStream, "_agree", counted)
    server, client = contexts(authority, server_identity)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(count)
        async with trio.open_nursery() as handshakes:
            for _ in range(40):
                near, far = trio.testing.memory_stream_pair()
                dialled = TlsStream(near, client, server_hostname="localhost")
                accepted = TlsStream(far, server, server_side=True)
                handshakes.start_soon(dialled.do_handshake)
                handshakes.start_soon(accepted.do_handshake, admission.steps)
        nursery.cancel_scope.cancel()
    assert max(steps.values()) <= STEPS and sum(steps.values()) >= 80
