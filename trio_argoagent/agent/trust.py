"""Which authorities the agent takes the principal's certificate from: it says so, and follows a rotation.

The principal says which roots there are while one takes over from another. The new one is added to the Secret
that the agent's CA bundle comes from; whoever follows that Secret uses it from then on, and the principal is
told. A bundle in files belongs to whoever mounts them: then a person is told.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

import trio

from trio_argoagent import errors
from trio_argoagent.errors import UserError
from trio_argoagent.model.resources import SECRETS
from trio_argoagent.ports.cluster import MergePatch
from trio_argoagent.runtime import tlsvalues
from trio_argoagent.runtime.material import Held
from trio_argoagent.runtime.tlssources import Secret
from trio_argoagent.stream.protocol import messages

RETRY: Final = 30.0
"""Seconds after which a Secret that could not be written is tried again."""
PATIENCE: Final = 10.0
"""Seconds for the API server."""
_ANSWERS: Final = (errors.ApiError, errors.OutcomeUnknown, errors.RemoteProtocolError, trio.TooSlowError)


class Trust:
    """See the module.

    Args:
        held: the CA bundle that links use; None: any certificate is taken, and nothing is said.
        report: told what happens: name, text, level.
        issues: told which root issues now: its fingerprint; empty: the principal says none.
    """

    def __init__(
        self,
        held: Held[tlsvalues.Trust] | None,
        report: Callable[[str, str, str], None],
        issues: Callable[[str], None] = lambda signer: None,
    ) -> None:
        self._held, self._report, self._issues = held, report, issues
        self._said: messages.Authorities | None = None
        self._news = trio.Event()

    @property
    def signer(self) -> str:
        """Fingerprint of the root that issues now, upper-case hexadecimal; empty: the principal says none."""
        return self._said.signer.hex().upper() if self._said is not None else ""

    def link_up(self) -> None:
        """Another link: what the principal does not say again does not hold any more."""
        self._said = None

    def said(self) -> messages.Trusted | None:
        """What the principal is told."""
        if self._held is None:
            return None
        names = self._held.value.fingerprints[: messages.MAX_ROOTS]
        return messages.Trusted(tuple(map(bytes.fromhex, names)))

    def hear(self, said: messages.Authorities) -> None:
        """The principal says which roots there are."""
        self._said = said
        self._issues(self.signer)
        self._news.set()

    async def watch(self, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever ``said`` has changed, until cancelled."""
        if self._held is None:
            await trio.sleep_forever()
        while True:
            await self._held.wait_newer(self._held.version)
            wake()

    async def run(self) -> None:
        """Follow what the principal says, until cancelled."""
        while True:
            await self._news.wait()
            self._news = trio.Event()
            while self._said is not None and not await self._follow(self._said):
                with trio.move_on_after(RETRY):
                    await self._news.wait()

    async def _follow(self, said: messages.Authorities) -> bool:
        """Is there nothing more to be done about it?"""
        if self._held is None:
            return True
        names = tuple(each.hex().upper() for each in said.dropped)
        source = self._held.source
        try:
            if not isinstance(source, Secret):
                self._tell_whose_files(said, names)
                return True
            with trio.fail_after(PATIENCE):
                return await self._write(source, said, names)
        except UserError as exc:
            self._report("ca-not-followed", f"the hub's CAs are not followed: {exc}", "error")
            return True
        except _ANSWERS as exc:
            text = f"{source.where} cannot be written, so the hub's CA is not followed: {exc or 'no answer'}"
            self._report("ca-not-followed", text, "warning")
            return False

    async def _write(self, source: Secret, said: messages.Authorities, dropped: tuple[str, ...]) -> bool:
        from trio_argoagent.pki.following import followed

        found = await source.cluster.get(SECRETS, source.namespace, source.name)
        data = found.get("data") or {}
        before = base64.b64decode(data.get(tlsvalues.CA) or data.get(tlsvalues.CERTIFICATE) or "")
        after = followed(before, said.pem, dropped)
        if after == before:
            return True
        content = {tlsvalues.CA: base64.b64encode(after).decode()}
        metadata = {"uid": found.meta.uid, "resourceVersion": found.meta.resource_version}
        patch = MergePatch({"metadata": metadata, "data": content})
        await source.cluster.patch(SECRETS, source.namespace, source.name, patch)
        self._report("ca-followed", f"{source.where} has the roots that the hub names", "info")
        return True

    def _tell_whose_files(self, said: messages.Authorities, dropped: tuple[str, ...]) -> None:
        from trio_argoagent.pki.bundles import Bundle

        assert self._held is not None
        now, wanted = self._held.value.fingerprints, Bundle.read(said.pem).fingerprints
        if any(each not in now for each in wanted) or any(each in now for each in dropped):
            text = f"the hub changes its CA: put its new bundle into {self._held.source.where}"
            self._report("ca-not-followed", f"{text} (trio-argoagent ctl pki dump --bundle)", "warning")
