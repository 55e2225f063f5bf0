"""How an agent gets its certificate: ``POST /v1/enroll``, one frame each way.

A frame is what it is on a link (``framing``): four bytes of length, and a msgpack array
``[number, field, ...]``. Numbers and bounds are of this conversation alone; it is spoken before there is a
link, by whoever has got through the TLS handshake, so a request is small and is read strictly. Fields are
only ever added, at the end.
"""

from __future__ import annotations

import enum
import re
from typing import Any, Final

import attrs
import msgpack  # type: ignore[import-untyped]
import msgspec

from trio_argoagent.errors import LocalProtocolError, RemoteProtocolError
from trio_argoagent.stream.protocol.fields import Fields
from trio_argoagent.stream.protocol.framing import PREFIX, prefix
from trio_argoagent.stream.protocol.shapes import (
    Blob,
    Choice,
    Line,
    Mismatch,
    Optional,
    Seconds,
    Text,
    broken,
)
from trio_argoagent.stream.protocol.vocabulary import NAMESPACE

PATH: Final = "/v1/enroll"
"""Where a request is posted to."""
ROOTS_PATH: Final = "/v1/roots"
"""Where the hub's roots are, in PEM, for whoever knows the fingerprint of the one that he wants."""
MAX_REQUEST: Final = 32 * 1024
"""Bytes of a request's frame."""
MAX_ANSWER: Final = 512 * 1024
"""Bytes of an answer's frame: a chain, and every root that is trusted."""
MAX_RETRY: Final = 86_400.0
"""Seconds: the longest that a refusal names."""

_MAX_DER: Final = 8 * 1024
_MAX_PEM: Final = 240 * 1024
_MAX_DETAIL: Final = 512


class Denial(enum.StrEnum):
    """Why there is no certificate, for machines. A value that we do not know is read as ``OTHER``."""

    TOKEN = "token"
    """There is no such token, or its secret is another one."""
    USED = "used"
    """The token has been used, with another key."""
    EXPIRED = "expired"
    """The token came too late."""
    NAME = "name"
    """The token is another agent's."""
    TAKEN = "taken"
    """The name has a valid certificate, and the token was not made to replace it."""
    NOBODY = "nobody"
    """Neither token nor certificate nor proof, or a certificate that names no agent."""
    PROOF = "proof"
    """The last certificate is not one of this hub's agents, or its key has not signed."""
    LATE = "late"
    """The last certificate expired too long ago."""
    REVOKED = "revoked"
    """The certificate or the name is blocked, or banned."""
    UNKNOWN_AGENT = "unknown-agent"
    """The hub has no agent of that name."""
    REQUEST = "request"
    """The certificate signing request is none."""
    WEAK_KEY = "weak-key"
    """The key in it is not taken."""
    NOT_ISSUING = "not-issuing"
    """This principal issues no certificates."""
    BUSY = "busy"
    """Not now: too many ask, or the hub does not answer."""
    OTHER = "other"
    """A reason of a later version: the detail says what it is."""


PASSING: Final = frozenset([Denial.BUSY, Denial.NOT_ISSUING])
"""What may be otherwise later, without anybody having to do something on the agent's side."""


@attrs.frozen
class Shown:
    """A token, without its third part.

    Attributes:
        id: hexadecimal digits.
        secret: likewise.
    """

    id: str
    secret: str = attrs.field(repr=False)


@attrs.frozen
class Proof:
    """Of having the key of a certificate that TLS takes no more.

    Attributes:
        certificate: the last one (DER).
        signature: of the request, by its key, see ``pki.rejoin``.
    """

    certificate: bytes
    signature: bytes


@attrs.frozen
class Enrol:
    """An agent wants a certificate. Who it is follows from the token, the connection or the proof.

    Attributes:
        request: PKCS #10 (DER); of it the key counts, and that it is signed with that.
        name: what the sender believes to be called; empty: nothing yet. It is compared, never believed.
        token: for the first contact.
        proof: for one that was off for too long.
    """

    request: bytes
    name: str = ""
    token: Shown | None = None
    proof: Proof | None = None


@attrs.frozen
class Issued:
    """The certificate.

    Attributes:
        chain: PEM, the leaf first.
        roots: PEM of all authorities that the agent is to trust from now on.
    """

    chain: bytes
    roots: bytes


@attrs.frozen
class Denied:
    """There is none.

    Attributes:
        reason: for machines.
        detail: one line for people: what is wrong and what to do.
        retry_after: seconds after which it may be otherwise; 0: not said.
    """

    reason: Denial
    detail: str
    retry_after: float = 0.0


Answer = Issued | Denied


def _one_way(message: Enrol) -> None:
    if message.token is not None and message.proof is not None:
        raise broken("a token or a proof, not both", "proof")


_DER: Final = Blob(_MAX_DER, 1)
_HEX: Final = Text(128, 1, re.compile("[0-9a-f]+"), "hexadecimal digits")
"""The id stands in the name of an object, and so in the path of a request: nobody else's text does."""
_TYPES: Final[dict[int, tuple[type[Any], Fields[Any]]]] = {
    1: (
        Enrol,
        Fields(
            Enrol,
            _one_way,
            request=_DER,
            name=NAMESPACE,
            token=Optional(Fields(Shown, id=_HEX, secret=_HEX)),
            proof=Optional(Fields(Proof, certificate=_DER, signature=Blob(2048, 1))),
        ),
    ),
    2: (Issued, Fields(Issued, chain=Blob(_MAX_PEM, 1), roots=Blob(_MAX_PEM, 1))),
    3: (
        Denied,
        Fields(
            Denied,
            reason=Choice(Denial, Denial.OTHER),
            detail=Line(_MAX_DETAIL),
            retry_after=Seconds(MAX_RETRY),
        ),
    ),
}
_NUMBERS: Final = {made: number for number, (made, _) in _TYPES.items()}
_LIMITS: Final[dict[str, Any]] = {
    "max_array_len": 16,
    "max_str_len": 4 * _MAX_DETAIL,
    "max_bin_len": _MAX_PEM,
    "max_map_len": 0,
    "max_ext_len": 0,
}


def encode(message: Enrol | Issued | Denied) -> bytes:
    """The body of a request or of an answer: one frame, with its length.

    Raises:
        LocalProtocolError: a value is out of bounds; the text names the path.
    """
    number = _NUMBERS[type(message)]
    try:
        frame = msgspec.msgpack.encode((number, *_TYPES[number][1].write(message)))
    except (Mismatch, ValueError) as exc:
        raise LocalProtocolError(f"{type(message).__name__}: {exc}") from exc
    return prefix(frame) + frame


def decode_request(body: bytes) -> Enrol:
    """What an agent asks for.

    Raises:
        RemoteProtocolError: it is not one frame of ours; the text names the path, never the value.
    """
    message = _decode(body, MAX_REQUEST)
    if not isinstance(message, Enrol):
        raise RemoteProtocolError(f"{type(message).__name__}: expected a request")
    return message


def decode_answer(body: bytes) -> Answer:
    """What the principal says to it.

    Raises:
        RemoteProtocolError: likewise.
    """
    message = _decode(body, MAX_ANSWER)
    if isinstance(message, Enrol):
        raise RemoteProtocolError("Enrol: expected an answer")
    return message


def _decode(body: bytes, most: int) -> Enrol | Answer:
    size, frame = int.from_bytes(body[:PREFIX]), body[PREFIX:]
    if len(body) <= PREFIX or size != len(frame) or size > most:
        raise RemoteProtocolError("not one frame")
    try:
        value = msgpack.unpackb(frame, use_list=False, **_LIMITS)
    except (ValueError, msgpack.UnpackException) as exc:
        raise RemoteProtocolError(f"not a frame: {exc}") from exc
    if type(value) is not tuple or not value or type(value[0]) is not int or value[0] not in _TYPES:
        raise RemoteProtocolError("not a frame: expected the number of a message")
    made, fields = _TYPES[value[0]]
    try:
        message: Enrol | Answer = fields.read(value[1:])
    except Mismatch as exc:
        raise RemoteProtocolError(f"{made.__name__}: {exc}") from exc
    return message
