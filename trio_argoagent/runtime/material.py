"""TLS material that is followed: read again every few seconds, checked, and swapped for new connections only.

What is worse than what is in use is not taken: a certificate that a peer would refuse, where the one in use
would be accepted. It is told once, and judged again with each look, because what it depends on (a CA bundle,
the clock) may come later.

Everything is looked at, and nothing watched: a Secret is read by name, which is the least right there is, and
files on a mounted volume are replaced in ways that no notification covers alike.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, Generic, TypeVar

import attrs
import trio

from trio_argoagent.errors import UserError
from trio_argoagent.net.certificates import Facts, timestamp
from trio_argoagent.net.contexts import Current
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.backoff import Backoff
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.rarely import Rarely
from trio_argoagent.runtime.rehearsal import Doubt, doubts_of, doubts_of_trust
from trio_argoagent.runtime.tlssources import Source, Unread
from trio_argoagent.runtime.tlsvalues import KEY, Identity, Parts, Trust, read_identity, read_trust

LOOK: Final = 10.0
"""Seconds between two looks at everything: a rotation takes that long at most to count."""
SETTLE: Final = 2.0
"""Seconds until what looks bad is looked at again, and told: two files are not written at once."""

T = TypeVar("T", Trust, Identity)


@attrs.frozen
class InUse:
    """A certificate that is in use, for metrics.

    Attributes:
        use: what for, such as ``link``.
        where: it came from.
        subject: whose it is.
        fingerprint: SHA-256, upper-case hexadecimal.
        not_before: its first second (Unix time).
        not_after: its last one.
    """

    use: str
    where: str
    subject: str
    fingerprint: str
    not_before: float
    not_after: float


class Held(Generic[T]):
    """One piece of material.

    Args:
        use: what it is for.
        source: where it comes from.
        parse: what it is, from all that is there.
        judge: what may be wrong with that.
        without: what of the source is not even kept.

    Attributes:
        use: what it is for.
        value: in use.
        parts: that it is from, with what else is there.
        version: grows with each change of the value.
        changed: set, and replaced by another one, with each change of the parts.
    """

    def __init__(
        self,
        use: str,
        source: Source,
        parse: Callable[[Parts], T],
        judge: Callable[[T], tuple[Doubt, ...]],
        without: str = "",
    ) -> None:
        self.use, self.source, self._without = use, source, without
        self.version = 0
        self.value: T
        self._parse: Callable[[Parts], T] = parse
        self._judge: Callable[[T], tuple[Doubt, ...]] = judge
        self.parts: Parts = {}
        self._refused: Parts | None = None
        self._told = False
        self.changed = trio.Event()

    async def begin(self) -> tuple[Doubt, ...]:
        """Read it for the first time; what may be wrong with it.

        Raises:
            UserError: it cannot be read or used.
        """
        self.parts = await self._read()
        self.value = self._parse(self.parts)
        return self._judge(self.value)

    async def _read(self) -> Parts:
        return {name: part for name, part in (await self.source.read()).items() if name != self._without}

    async def wait_newer(self, version: int) -> None:
        """Return once there is a newer version than this one."""
        await wait_changed([self], lambda: self.version > version)

    @property
    def is_unsettled(self) -> bool:
        """Is something to be looked at again soon?"""
        return self._refused is not None and not self._told

    async def look(self, tell: Callable[[str], None]) -> bool:
        """Read it again; has the value changed? What is wrong is told at the second look, and once.

        Args:
            tell: for people: why it is not taken.

        Raises:
            Unread: it cannot be read.
        """
        parts = await self._read()
        if parts == self.parts:
            self._refused = None
            return False
        try:
            value = self._parse(parts)
            worse = self._worse(value)
        except UserError as exc:
            worse = str(exc)
        else:
            if not worse:
                return self._take(parts, value)
        if parts != self._refused:
            self._refused, self._told = parts, False
        elif not self._told:
            self._told = True
            tell(f"{self.source.where} has changed and is not taken: {worse}; what it held before is used")
        return False

    def _worse(self, value: T) -> str:
        """What this has against it that what is in use has not; empty: nothing."""
        doubts = self._judge(value)
        if not doubts:
            return ""
        known = {doubt.fault for doubt in self._judge(self.value)}
        return "; ".join(doubt.text for doubt in doubts if doubt.fault not in known)

    def _take(self, parts: Parts, value: T) -> bool:
        differs = value != self.value
        self.parts, self._refused = parts, None
        if differs:
            self.value = value
            self.version += 1
        changed, self.changed = self.changed, trio.Event()
        changed.set()
        return differs


class Material:
    """All TLS material of a program. ``run`` follows it.

    Args:
        env: time, and chance for retries.
        observer: told of each change, and of what cannot be read or used.
    """

    def __init__(self, env: Env, observer: Observer) -> None:
        self._env, self._observer = env, observer
        self._line = Rarely(observer, "tls-unreadable")
        self._held: list[Held[Any]] = []

    async def trust(self, use: str, source: Source) -> Held[Trust]:
        """Follow CA certificates.

        Args:
            use: what they are for.
            source: of them.

        Raises:
            UserError: they are not there, or cannot be used.
        """

        def judge(value: Trust) -> tuple[Doubt, ...]:
            return doubts_of_trust(value, self._env.now())

        # The hub's Secret holds the key of its CA, which nobody needs for this.
        return await self._follow(Held(use, source, read_trust, judge, KEY))

    async def identity(
        self, use: str, source: Source, purpose: str, trust: Held[Trust] | None = None
    ) -> Held[Identity]:
        """Follow a certificate and its key.

        Args:
            use: what it is for.
            source: of both.
            purpose: ``net.certificates.CLIENTS`` or ``SERVERS``.
            trust: that the peers are taken to have, as long as that fits the one in use.

        Raises:
            UserError: it is not there, or cannot be used.
        """

        def judge(value: Identity) -> tuple[Doubt, ...]:
            known = trust.value if trust is not None else None
            return doubts_of(value, purpose, known, self._env.now())

        return await self._follow(Held(use, source, read_identity, judge))

    async def _follow(self, held: Held[T]) -> Held[T]:
        backoff = Backoff(self._env.random)
        while True:
            try:
                doubts = await held.begin()
                break
            except Unread as exc:
                if exc.missing:
                    raise
                self._line.tell(str(exc))
            await trio.sleep(backoff.next_wait())
        for doubt in doubts:
            text = f"the certificate for {held.use} ({held.source.where}): {doubt.text}"
            self._observer(Event("tls-doubtful", "", text, "warning"))
        self._held.append(held)
        return held

    async def run(self) -> None:
        """Follow everything, until cancelled."""
        while True:
            unsettled = any(held.is_unsettled for held in self._held)
            await trio.sleep(SETTLE if unsettled else LOOK)
            await self.look()

    async def look(self) -> None:
        """Look at everything once."""
        for held in tuple(self._held):
            try:
                if await held.look(self._refuse):
                    self._rotated(held)
            except Unread as exc:
                self._line.tell(f"{exc}; what it held last is used")

    def statistics(self) -> tuple[InUse, ...]:
        """The certificates in use now, those of CAs included."""
        return tuple(
            InUse(
                held.use, held.source.where, each.subject, each.fingerprint, each.not_before, each.not_after
            )
            for held in self._held
            for each in _shown(held.value)
        )

    def _refuse(self, text: str) -> None:
        self._observer(Event("tls-refused", "", text, "error"))

    def _rotated(self, held: Held[Any]) -> None:
        facts = ", ".join(f"{each.subject} until {timestamp(each.not_after)}" for each in _shown(held.value))
        text = f"{held.source.where} has changed: new connections for {held.use} have {facts}"
        self._observer(Event("tls-rotated", "", text))


async def wait_changed(held: Sequence[Held[Any]], differs: Callable[[], bool]) -> None:
    """Return once this is so; it is asked again whenever one of these has changed.

    Args:
        held: with nothing among them nothing changes.
        differs: is it so?
    """
    while not differs():
        async with trio.open_nursery() as nursery:
            for each in held:
                nursery.start_soon(_wait_one, each.changed, nursery.cancel_scope)
            await trio.sleep_forever()


async def _wait_one(event: trio.Event, scope: trio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


@asynccontextmanager
async def open_material(env: Env, observer: Observer) -> AsyncIterator[Material]:
    """Material that is followed while the context is open; for arguments see ``Material``."""
    material = Material(env, observer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(material.run)
        yield material
        nursery.cancel_scope.cancel()


def renewed(make: Callable[[], ssl.SSLContext], *held: Held[Any]) -> Current:
    """A context that is made anew when the material that it comes from has changed.

    Args:
        make: from the values that are in use.
        held: where those come from.

    Raises:
        UserError: it cannot be made.
    """
    known, context = [each.version for each in held], make()

    def current() -> ssl.SSLContext:
        nonlocal known, context
        versions = [each.version for each in held]
        if versions != known:
            known, context = versions, make()
        return context

    return current


def _shown(value: Trust | Identity) -> tuple[Facts, ...]:
    return value.roots if isinstance(value, Trust) else value.chain[:1]
