"""One link's life: a reader, a writer and a keepalive in one nursery.

A disconnect *is* the end of that nursery. What exists only because of the link (numbers in flight, queued
frames) goes with it; what must survive (dirty keys, wanted records) lives in the outlet and the workers, and
needs no clean-up.

The writer waits for room first and chooses afterwards, so that it always sends newest values: control frames,
then what the replica reports, then the source's records by rank.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import trio
from msgspec import structs

from trio_argoagent.errors import LinkBroken, LocalProtocolError, RemoteProtocolError
from trio_argoagent.model.keys import Key
from trio_argoagent.model.records import Outcome, Record, Result
from trio_argoagent.replication.announcing import Announcements
from trio_argoagent.replication.bell import Bell
from trio_argoagent.replication.feeds import Feeds, Tunnelling
from trio_argoagent.replication.handover import Greeting
from trio_argoagent.replication.parting import ANSWER, FINISH, Parting
from trio_argoagent.replication.reporting import BATCH, as_messages
from trio_argoagent.stream.protocol import codec, messages
from trio_argoagent.stream.protocol.bases import Pool
from trio_argoagent.stream.protocol.freight import Loader, Unloaded, Unloader, Unreadable
from trio_argoagent.sync import kinds

ALONE: Final = frozenset(kind for kind, row in kinds.BASE.items() if row.secret)
"""The kinds whose bodies refer to no other: what a secret has in common with an earlier one is nobody's."""

MAX_UNHEARD: Final = 65_536
"""Reports that wait to be said. An honest peer has no more objects than that to make us report of, and takes
reports as fast as it can; one that goes on talking without listening ends its link."""


class Session:
    """The conversation after the handshake.

    Args:
        greeting: the link after its handshake, with what came early.
        feeds: the two feeds.
        keepalive: seconds between marks, and of silence before a ping.
        tunnels: what is done about those of this link.
        pool: what is kept of bodies for all links together; None: this is the only one.
    """

    def __init__(
        self,
        greeting: Greeting,
        feeds: Feeds,
        keepalive: float,
        tunnels: Tunnelling,
        pool: Pool | None = None,
    ) -> None:
        self._tunnels = tunnels
        self._link, self._conversation, self._early = greeting.link, greeting.conversation, greeting.early
        self._feeds, self._keepalive = feeds, keepalive
        self._loader = Loader(greeting.terms, ALONE, counts=feeds.outlet.freight, pool=pool)
        self._unloader = Unloader(greeting.terms, ALONE, pool=pool)
        self._control: deque[messages.Message] = deque()
        self._asking: messages.Buckets | None = None
        """What is still to be asked: until it is there is no answer, and so no reason to ask again."""
        self._pong: messages.Pong | None = None
        self._listing = False
        self._news, self._settled = (
            Announcements(feeds.view, feeds.info, feeds.workers.guard, feeds.trust),
            False,
        )
        self.goodbye: messages.Goodbye | None = None
        """What the peer ended the link with, if it said so."""
        self._bell = Bell()
        feeds.outlet.bell = feeds.workers.bell = self._bell
        self._heard = trio.current_time()
        self._awaited: trio.Event | None = None
        self._parting, self._drain_said = Parting(feeds.outlet, feeds.workers), False
        self._reading, self._written = trio.CancelScope(), trio.Event()
        self.drained = trio.Event()
        """Set when another connection is wanted: the principal has asked for it, or the agent's own side."""
        self.ended = trio.Event()
        """Set when nothing of this session is left."""

    async def run(self, their_root: bytes) -> None:
        """Talk until either side ends the link cleanly.

        Args:
            their_root: the root of what the peer holds of our feed, from its hello or welcome.

        Raises:
            LinkBroken: the link ended without a goodbye, or fell silent.
            RemoteProtocolError: the peer broke the protocol.
        """
        self._feeds.workers.new_link()
        hashes = self._feeds.outlet.core.link_up(their_root, trio.current_time())
        if hashes is not None:
            self._asking = messages.Buckets(hashes)
        else:
            self._compared()
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                nursery.start_soon(self._keep_alive)
                nursery.start_soon(self._tunnels.run, self._link, self._bell.ring)
                await self._read_to_the_end()
                nursery.cancel_scope.cancel()
        finally:
            self.ended.set()
            self._loader.end()
            self._unloader.end()
            self._feeds.outlet.link_down()
            self._feeds.workers.core.link_down()

    def _say(self, message: messages.Message) -> None:
        self._control.append(message)
        self._bell.ring()

    def leave(self, goodbye: messages.Goodbye) -> None:
        """End this session in order, within ``FINISH`` and ``ANSWER``; ``run`` returns then."""
        until = trio.current_time() + FINISH
        self._parting.begin(goodbye, until)
        self._reading.deadline = min(self._reading.deadline, until + ANSWER)
        self._bell.ring()

    def drain(self) -> None:
        """Ask the agent to go on over another connection; until it has one this one works as before."""
        if not self._drain_said:
            self._drain_said = True
            self._say(messages.Drain())
            self._link.retire()

    # Reading

    async def _read_to_the_end(self) -> None:
        try:
            with self._reading:
                await self._read()
        except LinkBroken:
            if not self._parting.said:
                raise
        if self.goodbye is not None:
            self._parting.begin(structs.replace(self.goodbye, detail=""), trio.current_time())
            self._bell.ring()
            with trio.move_on_after(FINISH):
                await self._written.wait()

    async def _read(self) -> None:
        frames: Sequence[bytes] = tuple(self._early)
        while frames or (frames := await self._link.receive()):
            self._heard = trio.current_time()
            if self._awaited is not None:
                self._awaited.set()
                self._awaited = None
            for frame in frames:
                message = codec.decode(frame)
                if message is None:
                    continue  # Of a later version, and marked as one that may be ignored.
                self._conversation.received(message)
                if isinstance(message, messages.Goodbye):
                    self.goodbye = message
                    return
                self._hear(message)
                if self._feeds.workers.core.unsaid > MAX_UNHEARD:
                    raise RemoteProtocolError("the peer goes on talking, and takes none of the answers")
            frames = ()

    def _hear(self, message: messages.Message) -> None:
        if isinstance(message, messages.RecordMessage):
            self._unload(self._unloader.message(message))
        elif isinstance(message, messages.Part):
            self._unload(self._unloader.part(message))
        else:
            self._hear_control(message)
            self._bell.ring()

    def _hear_control(self, message: messages.Message) -> None:
        """What brings no body: most of it is to be answered."""
        now, source = trio.current_time(), self._feeds.outlet.core
        match message:
            case messages.Results(results):
                self._take_results(results)
            case messages.Have(entries):
                self._feeds.outlet.have(entries)
            case messages.Leaf(indices, entries, last):
                if self._asking is not None:
                    raise RemoteProtocolError("leaf: nobody has asked for it yet")
                source.leaf(indices, entries, last, now)
                if last:
                    self._compared()
            case messages.Buckets(hashes):
                self._list(hashes)
            case messages.Mark(root):
                if (hashes_now := source.mark(root, now)) is not None:
                    self._asking = messages.Buckets(hashes_now)
            case messages.Ping(token):
                self._pong = messages.Pong(token)  # One is enough for a peer that asks faster than it reads.
            case _:
                self._hear_aside(message)

    def _compared(self) -> None:
        self._feeds.outlet.compared()
        self._feeds.compared()

    def _hear_aside(self, message: messages.Message) -> None:
        """What belongs to neither feed's records."""
        match message:
            case messages.View():
                self._feeds.viewed(message)
            case messages.Held():
                self._feeds.held(message)
            case messages.Confirm(name):
                self._feeds.workers.confirm(name)
            case messages.ClusterInfo():
                self._feeds.informed(message)
            case messages.Trusted() | messages.Authorities():
                self._feeds.entrusted(message)
            case messages.Open() | messages.Decline():
                self._tunnels.hear(message)
            case messages.Drain():
                self.drained.set()
            case _:
                pass  # Pong: hearing it is all there is to it.

    def _take_results(self, results: Iterable[Result]) -> None:
        source = self._feeds.outlet.core
        for result in results:
            key = source.asked(result.number)
            if key is not None:
                self._feeds.outlet.answered(key, result)
            ticket = source.result(result, trio.current_time())
            if key is not None and result.outcome is Outcome.UNREADABLE:
                self._loader.unreadable(key)  # Nobody's fault, and nobody needs to know.
            elif key is not None:
                self._feeds.heard(key, result)
            if ticket is not None:
                self._feeds.answered(ticket, result)

    def _list(self, hashes: bytes) -> None:
        if self._listing:
            # A source asks again only after the last leaf. Else asking would cost us more than the peer.
            raise RemoteProtocolError("buckets: the listing asked for before is still on its way")
        self._listing = True
        self._feeds.workers.core.compare(hashes)

    def _unload(self, come: Unloaded) -> None:
        if isinstance(come, Unreadable):
            self._feeds.workers.core.refuse(come.number, come.key, "", Outcome.UNREADABLE)
        elif come is not None:
            self._take(*come)
        self._feeds.workers.ring()

    def _take(self, number: int, record: Record) -> None:
        if self._parting.said:
            return  # Nobody would hear what became of it: it is sent again, if it is still wanted.
        try:
            if not self._feeds.workers.accepts(record):
                self._feeds.foreign(record.key)
                raise RemoteProtocolError(f"{record.key.kind} does not travel this way in this mode")
            record = self._feeds.inlet(record)
        except RemoteProtocolError as exc:
            self._feeds.workers.core.refuse(number, record.key, str(exc))
            return
        self._feeds.workers.record(number, record)

    # Writing

    async def _write(self) -> None:
        try:
            while True:
                await self._link.wait_room()
                message = self._next()
                if message is None:
                    due = self._feeds.outlet.core.next_deadline()
                    await self._bell.wait(min(self._parting.until, math.inf if due is None else due))
                    continue
                self._send(message)
                if isinstance(message, messages.Goodbye):
                    break
            self._parting.said = True
            self._reading.deadline = min(self._reading.deadline, trio.current_time() + ANSWER)
            await self._link.close()
        except LinkBroken:
            # The reader tells of it once it has heard all that was said before: a goodbye says why.
            pass
        self._written.set()

    def _send(self, message: messages.Message) -> None:
        try:
            frame = codec.encode(message)
        except LocalProtocolError as exc:
            if not isinstance(message, messages.RecordMessage):
                raise
            self._cannot_carry(message.number, message.record.key, exc)
            return
        self._conversation.sent(message)
        self._link.send_nowait(frame)
        if isinstance(message, messages.Leaf) and message.last:
            self._listing = False

    def _cannot_carry(self, number: int, key: Key, why: LocalProtocolError) -> None:
        """One object that the wire cannot carry (its body is too large) must not break every link."""
        held = self._feeds.outlet.core.held(key)
        self._take_results((Result(number, Outcome.REJECTED, str(why), held),))

    def _next(self) -> messages.Message | None:
        """The next thing to say, or None for now."""
        self._look_whether_settled()
        if self._pong is not None:
            pong, self._pong = self._pong, None
            return pong
        if self._parting.begun:
            return self._next_at_the_end()
        # Before any record, and again when it has become another one.
        view = self._news.view(settled=self._settled)
        if view is not None:
            return view
        if self._asking is not None:
            asking, self._asking = self._asking, None
            return asking
        if self._control:
            return self._control.popleft()
        said = self._news.held() or self._tunnels.next() or self._news.trust()
        if said is not None:
            return said
        if self._feeds.workers.core.has_reports:
            self._control.extend(as_messages(self._feeds.workers.core.reports(BATCH)))
            return self._control.popleft()
        info = self._news.info()
        if info is not None:
            return info
        return self._next_freight()

    def _next_freight(self) -> messages.Message | None:
        """A record, or a part of one that is under way: by turns."""
        while self._loader.takes and (taken := self._feeds.outlet.take()) is not None:
            number, record = taken
            try:
                message = self._loader.load(number, record)
            except LocalProtocolError as exc:
                self._cannot_carry(number, record.key, exc)
            else:
                if message is not None:
                    return message
        return self._loader.part()

    def _next_at_the_end(self) -> messages.Message | None:
        """Answers, as far as they may still be said, and then goodbye."""
        reports = self._feeds.workers.core
        while self._control or reports.has_reports:
            if not self._control:
                self._control.extend(as_messages(reports.reports(BATCH)))
            message = self._control.popleft()
            if self._conversation.may_send(type(message)):
                return message
        # What is under way in parts comes to its end, if there is time.
        return self._parting.due(trio.current_time()) or self._loader.part()

    def _look_whether_settled(self) -> None:
        if self._feeds.outlet.is_proven() and not self._settled:
            self._settled = True
            self._feeds.in_step()

    def wake(self) -> None:
        """What is to be said may have changed."""
        self._bell.ring()

    async def lives(self, within: float) -> bool:
        """Does the other side say anything, if only that it is there, within so many seconds?"""
        if self._awaited is None:
            self._awaited = trio.Event()
            self._say(messages.Ping(b""))
        said = self._awaited
        with trio.move_on_after(within):
            await said.wait()
        return said.is_set()

    def confirm(self, name: str) -> None:
        """Tell the other side that a person wants the deletions of this set."""
        self._say(messages.Confirm(name))

    # Staying alive

    async def _keep_alive(self) -> None:
        """Mark at each interval; ping when the peer was silent for one, and give up after two and a bit."""
        token = 0
        while True:
            await trio.sleep(self._keepalive)
            self._feeds.workers.core.mark()
            self._bell.ring()
            silent = trio.current_time() - self._heard
            if silent >= 2 * self._keepalive:
                raise LinkBroken(f"the peer has been silent for {silent:.0f} s")
            if silent >= self._keepalive:
                token += 1
                self._say(messages.Ping(token.to_bytes(8, "big")))
