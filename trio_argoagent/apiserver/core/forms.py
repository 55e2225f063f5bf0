"""In which form an answer goes out: the objects themselves, only their metadata, or a Table.

A client lists the forms it takes in ``Accept``, best first. Source: Kubernetes' API concepts, "Receiving
resources as Tables"; k8s.io/apiserver pkg/endpoints/handlers/response.go.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from trio_argoagent.apiserver.core import tables, views
from trio_argoagent.apiserver.core.kinds import ResourceType
from trio_argoagent.apiserver.core.values import Event, EventKind, Page, Stored, encode
from trio_argoagent.errors import ApiError

JSON: Final = "application/json"
_ANY: Final = ("*/*", "application/*", JSON)
_GROUP: Final = "meta.k8s.io"
_VERSIONS: Final = ("v1", "v1beta1")
MAX_ACCEPT: Final = 4096  # characters of an Accept header
REMEMBERED: Final = 256  # Accept headers: each client sends the same few


class Form(enum.Enum):
    """What is made of an object."""

    WHOLE = ""
    TABLE = "Table"
    PARTIAL = "PartialObjectMetadata"


_BY_NAME: Final[Mapping[str, Form]] = {
    "": Form.WHOLE,
    "Table": Form.TABLE,
    "PartialObjectMetadata": Form.PARTIAL,
    "PartialObjectMetadataList": Form.PARTIAL,
}


def accepted(header: str) -> Iterator[tuple[str, Mapping[str, str]]]:
    """The media ranges of an Accept header with their parameters, in its order; ``q`` is not weighed."""
    for part in header[:MAX_ACCEPT].split(","):
        media, *rest = (piece.strip() for piece in part.split(";"))
        yield media.lower(), dict(piece.partition("=")[::2] for piece in rest)


@lru_cache(maxsize=REMEMBERED)
def negotiate(header: str) -> Form:
    """The first form in the header that we can make.

    Raises:
        ApiError: 406, there is none.
    """
    if not header.strip():
        return Form.WHOLE
    for media, parameters in accepted(header):
        form = _BY_NAME.get(parameters.get("as", ""))
        known = form is Form.WHOLE or (
            parameters.get("g", _GROUP) == _GROUP and parameters.get("v", "v1") in _VERSIONS
        )
        if media in _ANY and form is not None and known:
            return form
    raise ApiError(
        f"only the following media types are accepted: {JSON}", code=406, reason="NotAcceptable"
    )  # fmt: skip


class Renderer:
    """Makes the bytes of answers about one resource.

    Args:
        kind: the resource.
        form: what is made of each object.
        include: what each row of a Table carries.
    """

    def __init__(self, kind: ResourceType, form: Form, include: str) -> None:
        self._kind = kind
        self._form = form
        self._tables = tables.TableMaker.of(kind, include) if form is Form.TABLE else None
        self._headed = False

    def one(self, item: Stored, now: float) -> bytes:
        """One object."""
        if self._form is Form.WHOLE:
            return self._whole(item)
        if self._tables is None:
            return encode(tables.partial(item.value))
        metadata = {"resourceVersion": item.value["metadata"].get("resourceVersion", "")}
        return encode(self._tables.table(self._tables.rows([item], now), metadata))

    def _whole(self, item: Stored) -> bytes:
        return views.shown(self._kind, item).json

    def _listed(self, data: bytes) -> bytes:
        """An item of a list: those of a real server's own kinds do not say what they are."""
        head = self._kind.head
        return data if self._kind.custom or not data.startswith(head) else b"{" + data[len(head) :]

    def items(self, items: Sequence[Stored], rv: int, now: float) -> bytes:
        """Objects that are no page of a list: what a deletion of many has found."""
        return self.page(Page(items, rv), now)

    def page(self, page: Page, now: float) -> bytes:
        """One page of a list."""
        metadata: dict[str, Any] = {"resourceVersion": str(page.rv)}
        # A real server leaves out an empty one with its own kinds, and in Tables.
        if page.continue_token or (self._kind.custom and self._tables is None):
            metadata["continue"] = page.continue_token
        if page.remaining is not None:
            metadata["remainingItemCount"] = page.remaining
        if self._tables is not None:
            return encode(self._tables.table(self._tables.rows(page.items, now), metadata))
        if self._form is Form.PARTIAL:
            version, kind = tables.TABLE_VERSION, "PartialObjectMetadataList"
            items = [encode(tables.partial(item.value)) for item in page.items]
        else:
            version, kind = self._kind.resource.api_version, self._kind.list_kind
            items = [self._listed(self._whole(item)) for item in page.items]
        # The items are encoded already, each once a version: only the frame round them is made here.
        head = encode({"kind": kind, "apiVersion": version, "metadata": metadata})
        return b"".join([head[:-1], b',"items":[', b",".join(items), b"]}"])

    def event(self, event: Event, now: float) -> bytes:
        """One line of a watch."""
        return line(event.type.value, self._shown(event, now))

    def _shown(self, event: Event, now: float) -> bytes:
        if self._form is Form.WHOLE:
            return self._whole(event.object)
        if self._tables is None:
            return encode(tables.partial(event.object.value))
        metadata = {"resourceVersion": event.object.value["metadata"].get("resourceVersion", "")}
        items: Sequence[Stored] = [event.object]
        # The columns are named once: a follower knows them from its first event.
        first, self._headed = not self._headed, True
        rows = self._tables.rows(items, now)
        if event.type is EventKind.BOOKMARK:
            for row in rows:
                row["object"] = tables.partial(event.object.value)
        return encode(self._tables.table(rows, metadata, head=first))


def line(kind: str, value: bytes) -> bytes:
    """One line of a watch: the event's type, and its object as JSON."""
    return b"".join([b'{"type":"', kind.encode(), b'","object":', value, b"}\n"])
