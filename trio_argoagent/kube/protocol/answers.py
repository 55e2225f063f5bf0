"""Objects and lists out of the bodies of answers."""

from __future__ import annotations

from typing import Any, Final

import attrs
import msgspec

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model import nesting
from trio_argoagent.model.objects import Object
from trio_argoagent.model.resources import Resource


class _ListMeta(msgspec.Struct, rename="camel"):
    resource_version: str = ""
    # "continue" is a keyword here.
    continue_token: str = msgspec.field(default="", name="continue")


class _List(msgspec.Struct):
    # Both are required: an object that is no list must not pass for an empty one, which would read as
    # "everything is gone". Go writes an empty list as [] or null.
    metadata: _ListMeta
    items: list[msgspec.Raw] | None


UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError)
"""What decoding raises on bytes that are not JSON of the expected shape, or not text."""

_LIST = msgspec.json.Decoder(_List)


@attrs.frozen
class RawPage:
    """A page whose items are still to be parsed: a caller may rest in between."""

    items: list[msgspec.Raw]
    resource_version: str
    continue_token: str


def parse_object(data: bytes | msgspec.Raw, resource: Resource) -> Object:
    """One object of that resource, keeping nothing of ``data`` alive.

    Raises:
        RemoteProtocolError: it is none.
    """
    try:
        # Fields stay raw: what is no text would else come to light later, where nobody expects it.
        str(bytes(data), "utf-8")
    except UnicodeDecodeError as exc:
        raise RemoteProtocolError(f"a {resource.kind} that is not UTF-8: {exc}") from exc
    found = Object.parse(data, api_version=resource.api_version, kind=resource.kind)
    if found.kind != resource.kind:
        raise RemoteProtocolError(f"a {found.kind or 'thing'} where a {resource.kind} was expected")
    return detached(found)


def parse_page(data: bytes) -> RawPage:
    """A page of a list.

    Raises:
        RemoteProtocolError: it is none.
    """
    try:
        page = nesting.decode(_LIST, data)
    except UNREADABLE as exc:
        raise RemoteProtocolError(f"not a Kubernetes list: {exc}") from exc
    if not page.metadata.resource_version:
        raise RemoteProtocolError("a Kubernetes list without a resourceVersion")
    return RawPage(page.items or [], page.metadata.resource_version, page.metadata.continue_token)


def detached(thing: Object) -> Object:
    """The same object, with fields of its own.

    A Raw is a view of the buffer it was decoded from. One object of a page of 500 would keep the whole page
    in memory for as long as it lives, and every object its managedFields.
    """
    fields: dict[str, Any] = {name: raw.copy() for name, raw in thing.fields.items()}
    # In full: attrs.evolve looks up every field by its name, and took a tenth of reading a collection.
    return Object(thing.api_version, thing.kind, thing.meta, fields, thing.unreadable)
