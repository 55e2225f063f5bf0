"""One-time tokens for the first contact: ``<id>.<secret>.<fingerprint of the root>``.

The hub keeps the hash of the secret, whose token it is, until when it is good and which key has used it. The
agent finds the hub's root by the fingerprint, so that it trusts nobody before it has seen that root.

A token is good for one key: whoever comes again with the same key, because the answer was lost, gets the same
answer; whoever comes with another one is too late.
"""

from __future__ import annotations

import enum
import hashlib
import hmac
import re
from typing import Final

import attrs

from trio_argoagent.errors import UserError

ID_SIZE: Final = 8
"""Bytes of an id, which is no secret: it stands in the name of an object."""
SECRET_SIZE: Final = 32
"""Bytes of a secret: more than anybody can try, so that its hash needs no salt and no stretching."""
PIN_SIZE: Final = 32
"""Bytes of a fingerprint (SHA-256)."""
_TEXT: Final = re.compile(
    rf"([0-9a-f]{{{2 * ID_SIZE}}})\.([0-9a-f]{{{2 * SECRET_SIZE}}})\.([0-9a-f]{{{2 * PIN_SIZE}}})"
)
_DOMAIN: Final = b"trio-argoagent/token/1\0"


@attrs.frozen
class Token:
    """What an operator hands to an agent.

    Attributes:
        id: hexadecimal digits.
        secret: likewise; never shown by ``repr``.
        pin: SHA-256 of the root's certificate (DER), lower-case hexadecimal.
    """

    id: str
    secret: str = attrs.field(repr=False)
    pin: str

    @property
    def text(self) -> str:
        """As the agent is given it: the one place where the secret is shown."""
        return f"{self.id}.{self.secret}.{self.pin}"


@attrs.frozen
class Kept:
    """What the hub keeps of a token.

    Attributes:
        id: of the token.
        hash: of its secret, see ``hash_of``.
        agent: the only name that it is good for.
        expires: Unix time.
        replaces: may it take the name from a certificate that is still valid?
        used: SHA-256 of the public key that has used it; empty: nobody has.
        holder: the same of the key that was certified last before that; empty: none was known.
    """

    id: str
    hash: str = attrs.field(repr=False)
    agent: str
    expires: float
    replaces: bool = False
    used: str = ""
    holder: str = ""


class Verdict(enum.Enum):
    """What somebody who shows a token gets."""

    GRANTED = "granted"
    """A certificate, once the token is marked as used."""
    REPEATED = "repeated"
    """A certificate again: the same key has used the token before."""
    UNKNOWN = "unknown"
    """There is no token of this id."""
    WRONG = "wrong"
    """The secret is another one. Nobody outside may tell this from ``UNKNOWN``."""
    OTHER_NAME = "other-name"
    """It is for another agent than the one that shows it."""
    USED = "used"
    """Another key has used it, or has got the name since."""
    EXPIRED = "expired"
    """It came too late."""
    TAKEN = "taken"
    """The name has a certificate that is still valid, and the token was not made to replace one."""


def make(entropy: bytes, pin: str) -> Token:
    """A new token.

    Args:
        entropy: ``ID_SIZE + SECRET_SIZE`` unpredictable bytes.
        pin: the fingerprint of the root.
    """
    if len(entropy) != ID_SIZE + SECRET_SIZE:
        raise ValueError(f"a token takes {ID_SIZE + SECRET_SIZE} bytes")
    return Token(entropy[:ID_SIZE].hex(), entropy[ID_SIZE:].hex(), pin.lower())


def parse(text: str) -> Token:
    """The inverse of ``Token.text``; white space round it does not matter.

    Raises:
        UserError: it is no token. The text is not repeated: it may be another secret.
    """
    found = _TEXT.fullmatch(text.strip())
    if found is None:
        raise UserError(
            "this is no bootstrap token: it has three parts, <id>.<secret>.<fingerprint>, as printed by"
            " trio-argoagent ctl agent token"
        )
    return Token(*found.groups())


def hash_of(token_id: str, secret: str) -> str:
    """What the hub keeps of a secret: SHA-256, hexadecimal."""
    return hashlib.sha256(_DOMAIN + f"{token_id}\0{secret}".encode()).hexdigest()


def keep(token: Token, agent: str, expires: float, *, replaces: bool = False) -> Kept:
    """What the hub keeps of a new token."""
    return Kept(token.id, hash_of(token.id, token.secret), agent, expires, replaces)


_NOBODY: Final = Kept("", hash_of("", ""), "", 0.0)


def judge(
    kept: Kept | None, secret: str, *, claims: str, key: str, holder: str, taken: bool, now: float
) -> Verdict:
    """May whoever shows this secret have a certificate?

    Args:
        kept: of the token that it names; None: there is none.
        secret: as it is shown.
        claims: the name that it believes to have; empty: it has none yet.
        key: SHA-256 of the public key to be certified.
        holder: the same of the key that was certified last in this name; empty: none is known.
        taken: has the name a certificate that is still valid?
        now: Unix time.
    """
    # As much is computed for a token that does not exist as for one that does.
    shown = hash_of((kept or _NOBODY).id, secret)
    same = hmac.compare_digest(shown, (kept or _NOBODY).hash)
    if kept is None:
        return Verdict.UNKNOWN
    if not same:
        return Verdict.WRONG
    if claims not in ("", kept.agent):
        return Verdict.OTHER_NAME
    if kept.used and not hmac.compare_digest(kept.used, key):
        return Verdict.USED
    if now >= kept.expires:
        return Verdict.EXPIRED
    if kept.used:
        # Another one was certified since: what was lost is not asked for again, but taken back.
        return Verdict.REPEATED if holder in ("", key, kept.holder) else Verdict.USED
    return Verdict.TAKEN if taken and not kept.replaces else Verdict.GRANTED
