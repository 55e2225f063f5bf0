"""Who an agent is, by the option ``--auth``; its values are argocd-agent's.

=====================  ======================================================================================
without it             the certificate's common name, and its URI where it has one of ours; both must agree
``mtls:<regex>``       the first group, found in the certificate's subject as Go prints it (``mtls:subject:``)
``mtls:uri:<regex>``   the first group, found in exactly one of its URIs, such as a SPIFFE ID
``header:<h>:<regex>`` the first group, found in the one header ``<h>``, which a mesh's proxy has set
=====================  ======================================================================================

argocd-agent takes what an expression finds first. Here it must find one name only: subjects are printed
without escapes for ``=``, so whoever chooses another part of his could put a second ``CN=`` before his own.
"""

from __future__ import annotations

import enum

import attrs

from trio_argoagent.errors import UserError
from trio_argoagent.model.extraction import Extraction
from trio_argoagent.model.identity import Peer, is_dns_label
from trio_argoagent.runtime.creds import HEADER, USERPASS
from trio_argoagent.stream.admission import Identify, Refusal, Shown, by_certificate


class Source(enum.Enum):
    """What is searched."""

    NAMES = "the certificate"
    SUBJECT = "the certificate's subject"
    URI = "the certificate's URIs"
    HEADER = "the header"


@attrs.frozen
class Method:
    """One value of ``--auth``.

    Attributes:
        source: what is searched.
        extraction: what for; None with ``Source.NAMES`` alone.
        header: which header, in lower case; empty for all other sources.
    """

    source: Source = Source.NAMES
    extraction: Extraction | None = None
    header: str = ""

    @classmethod
    def parse(cls, text: str) -> Method:
        """Read it; empty is none.

        Raises:
            UserError: it cannot be used; the text says what to write instead.
        """
        kind, colon, rest = text.partition(":")
        if not text:
            return cls()
        if kind == "userpass":
            raise UserError("--auth " + USERPASS.format(instead="--auth 'mtls:CN=([^,]+)'"))
        if kind not in ("mtls", "header") or not colon:
            raise UserError(
                "--auth: write mtls:<regex>, mtls:uri:<regex> or header:<name>:<regex>; the first group of"
                " the regular expression is the agent's name, as in mtls:CN=([^,]+)"
            )
        if kind == "header":
            name, _, expression = (each.strip() for each in rest.partition(":"))
            if HEADER.fullmatch(name.lower()) is None:
                raise UserError(f"--auth header: {name!r} is no header's name; write header:<name>:<regex>")
            return cls(Source.HEADER, _extraction(expression), name.lower())
        source, expression = Source.SUBJECT, rest
        if rest.startswith(("subject:", "uri:")):
            prefix, _, expression = rest.partition(":")
            source = Source.URI if prefix == "uri" else source
        return cls(source, _extraction(expression))

    def identify(self, namespace: str, *, matches_subject: bool = False) -> Identify:
        """Who asks.

        Args:
            namespace: the principal's own, after which no agent may be called.
            matches_subject: the certificate's common name must be the agent's, too.
        """
        if self.source is Source.HEADER:
            return lambda shown: self._by_header(shown, namespace)
        return by_certificate(lambda der: self._by_certificate(der, namespace, matches_subject))

    def _by_header(self, shown: Shown, namespace: str) -> Peer | Refusal:
        values = [value for name, value in shown.headers if name == self.header]
        if len(values) != 1:
            what = "there is none" if not values else f"there are {len(values)} of them"
            return Refusal(401, f"the mesh's proxy says who an agent is in {self.header}, and {what}")
        try:
            return Peer(self._name(values, namespace), "", shown.address)
        except UserError as exc:
            return Refusal(403, str(exc))

    def _by_certificate(self, der: bytes, namespace: str, matches_subject: bool) -> str:
        # Here: an agent, which imports this module's neighbours, need not carry what reads certificates.
        from trio_argoagent.pki import names, subject

        certificate = subject.read(der)
        if self.source is Source.NAMES:
            name = _checked(names.agent_name(certificate), namespace, "the certificate's common name")
        elif self.source is Source.URI:
            name = self._name(subject.uris(certificate), namespace)
        else:
            name = self._name([subject.subject_text(certificate)], namespace)
        if matches_subject and subject.common_names(certificate) != [name]:
            raise UserError(f"the certificate's common name is not {name} (--client-cert-subject-match)")
        return name

    def _name(self, texts: list[str], namespace: str) -> str:
        assert self.extraction is not None  # each source but NAMES has one
        what = f"{self.source.value} {self.header}".rstrip()
        try:
            name = self.extraction.name(texts)
        except ValueError as exc:
            raise UserError(f"the principal's --auth {exc}: {what}") from None
        return _checked(name, namespace, what)


def _checked(name: str, namespace: str, what: str) -> str:
    if not is_dns_label(name):
        raise UserError(f"{what}: what --auth finds there is no agent's name: that is a DNS label")
    if name == namespace:
        raise UserError(f"{what}: {name} is the principal's own namespace, and cannot be an agent's name")
    return name


def _extraction(expression: str) -> Extraction:
    try:
        return Extraction.parse(expression)
    except ValueError as exc:
        raise UserError(f"--auth: the regular expression {expression!r}: {exc}") from exc
