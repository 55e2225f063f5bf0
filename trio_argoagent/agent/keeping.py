"""Where an agent keeps its certificate, its key and the hub's roots: Secrets of its namespace, or files.

The names within are those of a Secret (``tls.crt``, ``tls.key``, ``ca.crt``), wherever it is. Whoever follows
them notices a change by himself, so nobody is told here.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import Cluster, MergePatch

CERTIFICATE: Final = "tls.crt"
KEY: Final = "tls.key"
ROOTS: Final = "ca.crt"
PATIENCE: Final = 10.0
"""Seconds for the API server."""
_ANSWERS: Final = (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError, trio.TooSlowError)


class CannotKeep(Exception):
    """It cannot be read or written now; the text says where and why."""


@attrs.frozen
class Kept:
    """What an agent has, PEM; empty: it has not got that.

    Attributes:
        certificate: its own, with the chain.
        key: of that.
        roots: that the hub's certificate must come from.
    """

    certificate: bytes = b""
    key: bytes = attrs.field(default=b"", repr=False)
    roots: bytes = b""

    @property
    def is_whole(self) -> bool:
        """Is everything there that a link needs?"""
        return bool(self.certificate and self.key and self.roots)


class Drawer(Protocol):
    """One place."""

    async def read(self) -> Mapping[str, bytes]:
        """What is there; nothing, if it does not exist.

        Raises:
            CannotKeep: it cannot be read.
        """

    async def write(self, content: Mapping[str, bytes]) -> None:
        """Put that there, in place of what is called the same.

        Raises:
            CannotKeep: it cannot be written.
        """


@attrs.frozen
class SecretDrawer:
    """A Secret.

    Attributes:
        cluster: where it is.
        namespace: likewise.
        name: its own.
        kind: its type, if it is made here.
    """

    cluster: Cluster
    namespace: str
    name: str
    kind: str = "Opaque"

    async def read(self) -> Mapping[str, bytes]:
        """See ``Drawer``."""
        try:
            with trio.fail_after(PATIENCE):
                found = await self.cluster.get(SECRETS, self.namespace, self.name)
            return {name: base64.b64decode(str(text)) for name, text in (found.get("data") or {}).items()}
        except errors.NotFound:
            return {}
        except (*_ANSWERS, ValueError) as exc:
            raise self._failed("read", exc) from exc

    async def write(self, content: Mapping[str, bytes]) -> None:
        """See ``Drawer``."""
        data = {name: base64.b64encode(value).decode() for name, value in content.items()}
        head = {"name": self.name, "namespace": self.namespace}
        value = {"apiVersion": "v1", "kind": "Secret", "metadata": head, "type": self.kind, "data": data}
        try:
            with trio.fail_after(PATIENCE):
                try:
                    await self.cluster.patch(SECRETS, self.namespace, self.name, MergePatch({"data": data}))
                except errors.NotFound:
                    await self.cluster.create(SECRETS, value)
        except _ANSWERS as exc:
            raise self._failed("written", exc) from exc

    def _failed(self, what: str, exc: Exception) -> CannotKeep:
        return CannotKeep(f"Secret {self.namespace}/{self.name} cannot be {what}: {str(exc) or 'no answer'}")


@attrs.frozen
class FileDrawer:
    """Files; each is replaced as a whole, and nobody but us may read it.

    Attributes:
        paths: by name.
    """

    paths: Mapping[str, str]

    async def read(self) -> Mapping[str, bytes]:
        """See ``Drawer``."""
        return await trio.to_thread.run_sync(self._read, abandon_on_cancel=True)

    async def write(self, content: Mapping[str, bytes]) -> None:
        """See ``Drawer``."""
        await trio.to_thread.run_sync(self._write, content)

    def _read(self) -> Mapping[str, bytes]:
        found = {}
        for name, path in self.paths.items():
            try:
                found[name] = Path(path).read_bytes()
            except FileNotFoundError:
                continue
            except OSError as exc:
                raise CannotKeep(f"cannot read {path}: {exc.strerror}") from exc
        return found

    def _write(self, content: Mapping[str, bytes]) -> None:
        for name, value in content.items():
            path = self.paths[name]
            try:
                _replace(path, value)
            except OSError as exc:
                raise CannotKeep(f"cannot write {path}: {exc.strerror}") from exc


def _replace(path: str, value: bytes) -> None:
    temporary = f"{path}.new"
    Path(temporary).unlink(missing_ok=True)
    file = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(value)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@attrs.frozen
class Store:
    """All that an agent keeps.

    Attributes:
        identity: where its certificate and key are.
        trust: where the hub's roots are.
    """

    identity: Drawer
    trust: Drawer

    async def read(self) -> Kept:
        """What there is.

        Raises:
            CannotKeep: it cannot be read.
        """
        own, roots = await self.identity.read(), await self.trust.read()
        # As whoever follows them takes it: argocd-agent's CA may be in tls.crt alone.
        return Kept(
            own.get(CERTIFICATE, b""), own.get(KEY, b""), roots.get(ROOTS, b"") or roots.get(CERTIFICATE, b"")
        )

    async def write(self, kept: Kept) -> None:
        """Keep that instead. The roots come first: with them alone nothing is broken.

        Raises:
            CannotKeep: it cannot be written.
        """
        if kept.roots != (await self.read()).roots:
            await self.trust.write({ROOTS: kept.roots})
        await self.identity.write({CERTIFICATE: kept.certificate, KEY: kept.key})
