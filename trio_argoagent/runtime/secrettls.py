"""TLS from Secrets: an SSL context from each, made anew when what the Secret holds has changed.

Whatever connects, or is connected to, after that gets the new one; connections that are there stay. The
Secrets are read by name once a minute, and not watched: a watch would show every Secret there.
"""

from __future__ import annotations

import base64
import binascii
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
import trio

from trio_argoagent import errors
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.net.contexts import client_context, server_context
from trio_argoagent.ports.cluster import Cluster
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.runtime.rarely import Rarely

LOOK: Final = 60.0
"""Seconds between two looks at a Secret: a rotation takes that long at most to count."""
PATIENCE: Final = 10.0
"""Seconds for the API server to show one at the start."""
_ANSWERS: Final = (errors.ApiError, errors.RemoteProtocolError, trio.TooSlowError)

Current = Callable[[], ssl.SSLContext]
"""The newest context."""
Make = Callable[[Mapping[str, bytes]], ssl.SSLContext]
"""A context from the data of a Secret; KeyError and UserError: it cannot be made."""


@attrs.define(eq=False)
class _Followed:
    name: str
    make: Make
    data: Mapping[str, Any]
    context: ssl.SSLContext

    def current(self) -> ssl.SSLContext:
        return self.context


class TlsSecrets:
    """See the module.

    Args:
        cluster: where they are.
        namespace: likewise.
        observer: told of a rotation, and of a Secret that cannot be used any more.
    """

    def __init__(self, cluster: Cluster, namespace: str, observer: Observer) -> None:
        self._cluster, self._namespace, self._observer = cluster, namespace, observer
        self._line = Rarely(observer, "tls-secret-unusable")
        self._followed: list[_Followed] = []

    async def find(self, option: str, given: str, usual: str, make: Make) -> Current | None:
        """The context of a Secret; None: the user has named none, and the usual one is not there.

        Args:
            option: by which the user names it.
            given: its name; empty: it has not been named.
            usual: its name by default.
            make: the context.

        Raises:
            UserError: it cannot be used, or the one that was named cannot be read.
        """
        name = given or usual
        try:
            with trio.fail_after(PATIENCE):
                data = await self._read(name)
        except _ANSWERS as exc:
            text = f"Secret {self._namespace}/{name} cannot be read: {str(exc) or 'no answer'}"
            if given:
                raise UserError(f"{option}: {text}") from exc
            if not isinstance(exc, errors.NotFound):
                self._line.tell(text)
            return None
        try:
            found = _Followed(name, make, data, make(_decoded(data)))
        except (UserError, KeyError) as exc:
            raise UserError(f"{option}: {self._unusable(name, exc)}") from exc
        self._followed.append(found)
        return found.current

    async def run(self) -> None:
        """Follow what was found, until cancelled."""
        while True:
            await trio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Look at them once. What cannot be read or used leaves things as they are, and is told."""
        for each in self._followed:
            try:
                with trio.fail_after(PATIENCE):
                    data = await self._read(each.name)
                if data == each.data:
                    continue
                each.context = each.make(_decoded(data))
            except _ANSWERS as exc:
                where = f"Secret {self._namespace}/{each.name}"
                self._line.tell(f"{where} cannot be read, what it held last is used: {exc}")
            except (UserError, KeyError) as exc:
                self._line.tell(f"{self._unusable(each.name, exc)}; what it held before is used")
            else:
                each.data = data
                text = f"Secret {self._namespace}/{each.name} has changed: it counts for new connections"
                self._observer(Event("tls-rotated", "", text))

    async def _read(self, name: str) -> Mapping[str, Any]:
        return (await self._cluster.get(SECRETS, self._namespace, name)).get("data") or {}

    def _unusable(self, name: str, exc: Exception) -> str:
        what = f"it has no {exc.args[0]}" if isinstance(exc, KeyError) else str(exc)
        return f"Secret {self._namespace}/{name} cannot be used: {what}"


@asynccontextmanager
async def open_tls_secrets(cluster: Cluster, namespace: str, observer: Observer) -> AsyncIterator[TlsSecrets]:
    """Those of a namespace; they are followed while the context is open. For arguments see ``TlsSecrets``."""
    secrets = TlsSecrets(cluster, namespace, observer)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(secrets.run)
        yield secrets
        nursery.cancel_scope.cancel()


def identity(alpn: tuple[str, ...]) -> Make:
    """A server's context, from a Secret of the type kubernetes.io/tls."""

    def make(data: Mapping[str, bytes]) -> ssl.SSLContext:
        certificate, key = data["tls.crt"], data["tls.key"]
        return server_context(
            certificate=certificate, key=key, client_ca=None, require_client=False, alpn=alpn
        )

    return make


def authorities(data: Mapping[str, bytes]) -> ssl.SSLContext:
    """A client's context that trusts the ``ca.crt`` of a Secret."""
    return client_context(ca=data["ca.crt"], certificate=None, key=None, alpn=())


def answering(current: Current) -> ssl.SSLContext:
    """A server's context that answers each ClientHello with the newest one."""
    front = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    front.minimum_version, front.num_tickets = ssl.TLSVersion.TLSv1_2, 0

    def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        connection.context = current()

    front.sni_callback = choose
    return front


def _decoded(data: Mapping[str, Any]) -> dict[str, bytes]:
    try:
        return {name: base64.b64decode(str(text), validate=True) for name, text in data.items()}
    except binascii.Error as exc:
        raise UserError("its data are not base64") from exc
