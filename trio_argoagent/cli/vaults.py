"""Where the Secrets of one installation are: in its cluster, or as files.

As files each Secret is a folder with one file a key, as Kubernetes mounts them: ``--root-ca-path`` and its
like take them as they are, and ``kubectl create secret generic NAME --from-file=FOLDER`` makes a Secret.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final, Protocol

import attrs
import trio

from trio_argoagent.cli.contexts import Place
from trio_argoagent.cli.secretdata import NO_ANSWER, data_of, encoded, find, opaque
from trio_argoagent.errors import AlreadyExists, Conflict, NotFound, UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import Cluster, MergePatch

CA: Final = "argocd-agent-ca"
PRINCIPAL: Final = "argocd-agent-principal-tls"
RESOURCE_PROXY: Final = "argocd-agent-resource-proxy-tls"
CLIENT: Final = "argocd-agent-client-tls"
"""The Secrets, by argocd-agent's names."""
TLS: Final = "kubernetes.io/tls"
OPAQUE: Final = "Opaque"


@attrs.frozen
class Kept:
    """A Secret as it was read.

    Attributes:
        data: its content.
        annotations: of its metadata; files have none.
        version: that it is written over; empty: any.
    """

    data: Mapping[str, bytes] = attrs.field(repr=False)
    annotations: Mapping[str, str] = attrs.field(factory=dict)
    version: str = ""


class Vault(Protocol):
    """Secrets, by name. Every method raises UserError when it is not let do what it does."""

    def called(self, name: str) -> str:
        """What people call this Secret."""

    async def read(self, name: str) -> Kept | None:
        """Its content; None: there is none."""

    async def write(
        self,
        name: str,
        data: Mapping[str, bytes],
        *,
        over: Kept | None,
        kind: str = TLS,
        annotations: Mapping[str, str | None] | None = None,
    ) -> None:
        """Make it so that it holds exactly this.

        Args:
            name: of the Secret.
            data: its content.
            over: what was read; None: there was none, and somebody else's is never overwritten.
            kind: of a new one.
            annotations: to set, or None to take away; the others stay.
        """

    async def delete(self, name: str) -> None:
        """Take it away."""


@attrs.frozen
class ClusterVault:
    """In a namespace of a cluster."""

    cluster: Cluster
    namespace: str

    def called(self, name: str) -> str:
        """See ``Vault``."""
        return f"Secret {self.namespace}/{name}"

    async def read(self, name: str) -> Kept | None:
        """See ``Vault``."""
        found = await find(self.cluster, self.namespace, name)
        if found is None:
            return None
        return Kept(data_of(found), found.annotations, found.meta.resource_version)

    async def write(
        self,
        name: str,
        data: Mapping[str, bytes],
        *,
        over: Kept | None,
        kind: str = TLS,
        annotations: Mapping[str, str | None] | None = None,
    ) -> None:
        """See ``Vault``."""
        try:
            if over is None:
                value = opaque(self.namespace, name, data, kind)
                value["metadata"]["annotations"] = dict(annotations or {})
                await self.cluster.create(SECRETS, value)
                return
            metadata = {"resourceVersion": over.version, "annotations": dict(annotations or {})}
            content = dict.fromkeys(over.data) | encoded(data)
            patch = MergePatch({"metadata": metadata, "data": content})
            await self.cluster.patch(SECRETS, self.namespace, name, patch)
        except (AlreadyExists, Conflict, NotFound) as exc:
            raise UserError(f"{self.called(name)} has changed just now: run it again") from exc
        except NO_ANSWER as exc:
            raise UserError(f"cannot write {self.called(name)}: {exc}") from exc

    async def delete(self, name: str) -> None:
        """See ``Vault``."""
        try:
            await self.cluster.delete(SECRETS, self.namespace, name)
        except NotFound as exc:
            raise UserError(f"there is no {self.called(name)}") from exc
        except NO_ANSWER as exc:
            raise UserError(f"cannot delete {self.called(name)}: {exc}") from exc


@attrs.frozen
class FolderVault:
    """As files; for whoever has no way to the cluster. They know no annotations."""

    root: Path

    def called(self, name: str) -> str:
        """See ``Vault``."""
        return str(self.root / name)

    async def read(self, name: str) -> Kept | None:
        """See ``Vault``."""
        await trio.lowlevel.checkpoint()
        return _read(self.root / name)

    async def write(
        self,
        name: str,
        data: Mapping[str, bytes],
        *,
        over: Kept | None,
        kind: str = TLS,
        annotations: Mapping[str, str | None] | None = None,
    ) -> None:
        """See ``Vault``."""
        await trio.lowlevel.checkpoint()
        try:
            _write(self.root / name, data, over)
        except OSError as exc:
            raise UserError(f"cannot write {self.called(name)}: {exc.strerror}") from exc

    async def delete(self, name: str) -> None:
        """See ``Vault``."""
        await trio.lowlevel.checkpoint()
        try:
            shutil.rmtree(self.root / name)
        except FileNotFoundError as exc:
            raise UserError(f"there is no {self.called(name)}") from exc
        except OSError as exc:
            raise UserError(f"cannot delete {self.called(name)}: {exc.strerror}") from exc


@asynccontextmanager
async def open_hub(hub: Place, folder: str) -> AsyncIterator[Vault]:
    """The hub's Secrets.

    Args:
        hub: its cluster.
        folder: instead of that; empty: none.
    """
    if folder:
        yield FolderVault(Path(folder) / "principal")
        return
    async with hub.open() as cluster:
        yield ClusterVault(cluster, hub.namespace)


@asynccontextmanager
async def open_spoke(spoke: Place | None, folder: str) -> AsyncIterator[Vault]:
    """A spoke's Secrets.

    Args:
        spoke: its cluster; needed where no folder is given.
        folder: instead of that, see ``agent_folder``; empty: none.
    """
    if folder or spoke is None:
        yield FolderVault(Path(folder))
        return
    async with spoke.open() as cluster:
        yield ClusterVault(cluster, spoke.namespace)


def agent_folder(folder: str, name: str) -> str:
    """Where an agent's Secrets are among the files of a whole installation."""
    return str(Path(folder) / "agents" / name)


def _read(folder: Path) -> Kept | None:
    try:
        files = sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith("."))
        return Kept({each.name: each.read_bytes() for each in files}) if files else None
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise UserError(f"cannot read {folder}: {exc.strerror}") from exc


def _write(folder: Path, data: Mapping[str, bytes], over: Kept | None) -> None:
    """All of it is on the disk before any of it counts; readable for its owner alone."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    ready: list[tuple[str, Path]] = []
    try:
        for name, content in data.items():
            handle, path = tempfile.mkstemp(dir=folder, prefix=f".{name}")  # made with mode 0600
            ready.append((path, folder / name))
            with os.fdopen(handle, "wb") as stream:
                stream.write(content)
        for path, target in ready:
            os.replace(path, target)
    finally:
        for path, _ in ready:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(path)
    for gone in [name for name in (over.data if over else ()) if name not in data]:
        (folder / gone).unlink(missing_ok=True)
