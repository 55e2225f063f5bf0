"""Where TLS material comes from: files that a user names, Secrets of the program's namespace, or memory."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.runtime.tlsvalues import Part, Parts

PATIENCE: Final = 10.0
"""Seconds for the API server to show a Secret, and for a file to be read."""
MAX_FILE: Final = 1024 * 1024
"""Bytes of one file: what a Secret may hold."""


class Unread(UserError):
    """It cannot be read now; the text is the whole message.

    Args:
        text: one line.
        missing: it is not there: trying again does not help.
    """

    def __init__(self, text: str, *, missing: bool = False) -> None:
        super().__init__(text)
        self.missing = missing


class Source(Protocol):
    """Something that can be read again and again.

    Attributes:
        where: for people.
    """

    @property
    def where(self) -> str:
        """For people."""

    async def read(self) -> Parts:
        """What it holds now.

        Raises:
            Unread: it cannot be read.
        """


@attrs.frozen
class Files:
    """Files.

    Args:
        paths: by what they are: the option that names each, and its path.
    """

    paths: Mapping[str, tuple[str, str]]
    _turn: trio.CapacityLimiter = attrs.field(
        factory=lambda: trio.CapacityLimiter(1), init=False, eq=False, repr=False
    )

    @property
    def where(self) -> str:
        """See ``Source``."""
        return " and ".join(path for _, path in self.paths.values())

    async def read(self) -> Parts:
        """See ``Source``. In a thread: a mounted file may hang, which must not hold up all the others."""
        try:
            with trio.fail_after(PATIENCE):
                return await trio.to_thread.run_sync(self._read, abandon_on_cancel=True, limiter=self._turn)
        except trio.TooSlowError as exc:
            raise Unread(f"{self.where} cannot be read: no answer") from exc

    def _read(self) -> Parts:
        return {
            name: Part(option, path, _content(option, path)) for name, (option, path) in self.paths.items()
        }


@attrs.frozen
class Secret:
    """A Secret.

    Args:
        cluster: where it is.
        namespace: likewise.
        name: its own.
        option: that names it.
        advice: what to do when it is not there.
        notes: annotations that are read as well, each as one more part.
    """

    cluster: Cluster
    namespace: str
    name: str
    option: str
    advice: str = ""
    notes: tuple[str, ...] = ()

    @property
    def where(self) -> str:
        """See ``Source``."""
        return f"Secret {self.namespace}/{self.name}"

    async def read(self) -> Parts:
        """See ``Source``. It is read by name: a watch of one would need rights to watch, and a connection."""
        head = f"{self.option}: {self.where}"
        try:
            with trio.fail_after(PATIENCE):
                found = await self.cluster.get(SECRETS, self.namespace, self.name)
        except errors.NotFound as exc:
            advice = f": {self.advice}" if self.advice else ""
            raise Unread(f"{head} is not there{advice}", missing=True) from exc
        except errors.Forbidden as exc:
            raise Unread(f"{head} cannot be read: {exc}", missing=True) from exc
        except (errors.ApiError, errors.RemoteProtocolError, trio.TooSlowError) as exc:
            raise Unread(f"{head} cannot be read: {str(exc) or 'no answer'}") from exc
        data = found.get("data") or {}
        parts = {name: self._part(name, str(text)) for name, text in data.items() if text}
        for note in self.notes:
            if said := found.annotations.get(note):
                where = f"annotation {note} of {self.where}"
                parts[note] = Part(self.option, where, said.encode())
        return parts

    def _part(self, name: str, text: str) -> Part:
        where = f"{name} of {self.where}"
        try:
            return Part(self.option, where, base64.b64decode(text, validate=True))
        except binascii.Error as exc:
            raise Unread(f"{self.option}: {where} is not base64") from exc


@attrs.frozen
class Fixed:
    """Made by the program itself, in memory."""

    parts: Parts
    where: str = "memory"

    async def read(self) -> Parts:
        """See ``Source``."""
        await trio.lowlevel.checkpoint()
        return self.parts


def _content(option: str, path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_FILE)
    except OSError as exc:
        raise Unread(f"{option}: cannot read {path}: {exc.strerror}", missing=True) from exc
