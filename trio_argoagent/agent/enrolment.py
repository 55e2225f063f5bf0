"""An agent's first contact: from a one-time token to a certificate, before there is any link.

The token names the hub's root by its fingerprint. The root itself is read from whoever answers; it is the
right one if its fingerprint is, and nobody is trusted but who has a certificate of it. Only then the token is
shown.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
from typing import Final

import trio

from trio_argoagent.agent.applying import Applicant, Certificate, NotIssued, read_certificate
from trio_argoagent.agent.keeping import CannotKeep, Kept
from trio_argoagent.agent.office import Office
from trio_argoagent.errors import LinkError, LinkRefused, UserError
from trio_argoagent.pki.tokens import Token
from trio_argoagent.ports.env import Env
from trio_argoagent.runtime.backoff import Backoff
from trio_argoagent.runtime.events import Event, Observer
from trio_argoagent.stream.protocol.enrolment import PASSING, Shown
from trio_argoagent.stream.protocol.messages import Reason

MAX_ROOTS: Final = 64
"""Certificates that are looked through for the root."""


class Step(enum.Enum):
    """What an agent with a token does when it starts."""

    IGNORE = "ignore"
    """It has a certificate: the token has done its work, or was never needed."""
    USE = "use"
    """It has none."""
    TRY = "try"
    """It has one that has expired: if the token is not good, the last key may be."""


def first_step(kept: Kept, own: Certificate | None, now: float) -> Step:
    """What to do with a token.

    Args:
        kept: what there is.
        own: the certificate in it, if it can be read.
        now: Unix time.
    """
    if own is None or not kept.is_whole:
        return Step.USE
    return Step.TRY if own.validity.is_over(now) else Step.IGNORE


async def use_token(token: Token, applicant: Applicant, office: Office, env: Env, observer: Observer) -> None:
    """Have a certificate afterwards, if a token can help; returns when it has done what it can.

    Args:
        token: the one that the agent was started with.
        applicant: asks for certificates.
        office: the same hub's.
        env: time and chance.
        observer: told what happens.

    Raises:
        UserError: there is no certificate, and will be none by this token.
    """
    backoff = Backoff(env.random)
    while True:
        told = 0.0
        step = Step.USE
        try:
            kept = await applicant.store.read()
            own = read_certificate(kept.certificate)
            step = first_step(kept, own, env.now())
            if step is Step.IGNORE:
                text = "there is a certificate: the bootstrap token is not used, take it out of the settings"
                observer(Event("token-ignored", own.name if own is not None else "", text))
                return
            trusted = Kept(roots=pinned(await office.roots(), token.pin))
            name = own.name if own is not None else ""
            new = await applicant.by_token(Shown(token.id, token.secret), trusted, name)
            observer(Event("enrolled", new.name, f"the hub knows us as {new.name}: the token is used up"))
            return
        except NotIssued as exc:
            if exc.denied.reason not in PASSING:
                if step is Step.TRY:
                    observer(Event("token-ignored", "", f"the token is of no use: {exc}", "warning"))
                    return
                raise UserError(f"--bootstrap-token: {exc}") from exc
            told, text = min(exc.denied.retry_after, 60.0), str(exc)
        except (LinkError, CannotKeep) as exc:
            if isinstance(exc, LinkRefused) and exc.reason == Reason.IDENTITY:
                alone = "" if isinstance(exc, WrongPin) else "trusting nothing but the root that it names: "
                raise UserError(f"--bootstrap-token: {alone}{exc.detail}") from exc
            text = str(exc)
        observer(Event("enrolment-failed", "", f"{text}; it is tried again", "warning"))
        await trio.sleep(backoff.next_wait(told))


class WrongPin(LinkRefused):
    """Whoever answers is not the hub that the token names."""


def pinned(roots: bytes, pin: str) -> bytes:
    """The one certificate (PEM) with this fingerprint among those that somebody has sent.

    Args:
        roots: PEM, from anybody.
        pin: SHA-256, hexadecimal.

    Raises:
        WrongPin: it is not among them.
    """
    head, tail = b"-----BEGIN CERTIFICATE-----", b"-----END CERTIFICATE-----"
    for part in roots.split(head)[1 : MAX_ROOTS + 1]:
        pem = head + part.partition(tail)[0] + tail + b"\n"
        if hmac.compare_digest(_fingerprint(pem), pin):
            return pem
    raise WrongPin(
        Reason.IDENTITY,
        "whoever answers there does not have the root that the token names: check --server-address, whether a"
        " proxy in between ends TLS, and whether the token is this hub's",
    )


def _fingerprint(pem: bytes) -> str:
    import ssl

    try:
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(pem.decode("ascii"))).hexdigest()
    except ValueError:
        return ""
