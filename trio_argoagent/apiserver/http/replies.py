"""Answers in one piece, and the bodies of requests."""

from __future__ import annotations

import gzip
from typing import Any, Final

import attrs
import msgspec

from trio_argoagent.apiserver.core import failures, protobuf, statuses
from trio_argoagent.apiserver.core.values import encode
from trio_argoagent.errors import ApiError, BadRequest
from trio_argoagent.model import yamltext
from trio_argoagent.model.objects import decode
from trio_argoagent.net.errors import BodyTooLarge
from trio_argoagent.net.http import Exchange, Headers, Request

BODY: Final = 3 * 1024 * 1024  # bytes of a request body
PACK_MIN: Final = 128 * 1024  # bytes of an answer that is compressed
PACK_MAX: Final = 4 * 1024 * 1024  # more would keep everybody else waiting
JSON_HEADER: Final = ("content-type", "application/json")
YAML: Final = "application/yaml"
_JSON_TYPES: Final = ("", "application/json")
_YAML_TYPES: Final = (YAML, "application/x-yaml", "text/yaml")


@attrs.frozen
class Reply:
    """An answer in one piece."""

    body: bytes
    status: int = 200
    headers: Headers = (JSON_HEADER,)

    @classmethod
    def of(cls, value: Any, status: int = 200) -> Reply:
        """A JSON value."""
        return cls(encode(value), status)

    def packed_for(self, request: Request) -> Reply:
        """The same, compressed if that is worth it and the client takes it, as a real server has it."""
        takes = "gzip" in request.header("accept-encoding")
        if not takes or self.status != 200 or not PACK_MIN <= len(self.body) <= PACK_MAX:
            return self
        headers = (*self.headers, ("content-encoding", "gzip"), ("vary", "accept-encoding"))
        return Reply(gzip.compress(self.body, compresslevel=1, mtime=0), self.status, headers)

    @classmethod
    def refusal(cls, error: ApiError) -> Reply:
        """The Status of an error."""
        headers = (JSON_HEADER, *statuses.retry_after(error))
        return cls(encode(statuses.failure(error)), error.status_code, headers)


def media_type(request: Request) -> str:
    """What the request's body is, without parameters; empty if it does not say."""
    return request.header("content-type").partition(";")[0].strip().lower()


async def read_bytes(exchange: Exchange) -> bytes:
    """The body of a request as it came.

    Raises:
        ApiError: 413, it is longer than ``BODY``.
    """
    try:
        return await exchange.body(BODY)
    except BodyTooLarge as exc:
        text = f"Request entity too large: limit is {BODY}"
        raise ApiError(text, code=413, reason="RequestEntityTooLarge") from exc


async def read_value(exchange: Exchange, *, optional: bool = False) -> Any:
    """The body of a request, whatever its form, as a JSON value; None where it may be left out and is.

    Raises:
        UnsupportedMedia: it is neither JSON nor YAML nor protobuf of a kind that we take.
        BadRequest: it is not what it says it is.
        ApiError: 413, it is too long.
    """
    data = await read_bytes(exchange)
    if not data and optional:
        return None
    media = media_type(exchange.request)
    if media == protobuf.MEDIA_TYPE:
        return protobuf.decode(data)
    if media in _YAML_TYPES:
        return from_yaml(data, "body")
    if media not in _JSON_TYPES:
        raise failures.unsupported_media(["application/json", YAML, protobuf.MEDIA_TYPE])
    return decoded(data, "body")


def from_yaml(data: bytes, what: str) -> Any:
    """A YAML document, or JSON, which is one; ``what`` it is, for the text of the error.

    Raises:
        BadRequest: it is none.
    """
    if data.lstrip()[:1] == b"{":
        # Almost always: kubectl and the client libraries send JSON under YAML's name, and this is quicker.
        try:
            return decode(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # YAML has flow mappings that JSON has not.
    try:
        return yamltext.load_one(data)
    except ValueError as exc:
        raise BadRequest(f"the {what} of the request is not YAML: {exc}") from None


def decoded(data: bytes, what: str) -> Any:
    """A JSON value; ``what`` it is, for the text of the error.

    Raises:
        BadRequest: it is none, or nested too deeply.
    """
    try:
        return decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise BadRequest(f"the {what} of the request is not JSON: {exc}") from None
