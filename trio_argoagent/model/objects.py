"""A Kubernetes object as it was read from an API server.

Metadata is parsed; every other top-level field stays raw JSON until someone asks. A list of 5,000
Applications then is a few objects each for the garbage collector instead of a few hundred, and what is
only forwarded is never decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import msgspec

from trio_argoagent.errors import RemoteProtocolError
from trio_argoagent.model import nesting


class Meta(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The part of ``metadata`` that decisions need. ``managedFields`` is dropped on decoding."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: str | None = None
    deletion_timestamp: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    finalizers: tuple[str, ...] | None = None
    owner_references: tuple[dict[str, str | bool | None], ...] | None = None


_EMPTY = msgspec.Raw(b"{}")
_META = msgspec.json.Decoder(Meta)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
_VALUE = msgspec.json.Decoder()
_CANONICAL = msgspec.json.Encoder(order="deterministic")


def canonical(value: Any) -> bytes:
    """The one JSON encoding that digests are taken of: sorted keys, no white space."""
    return _CANONICAL.encode(value)


def decode(data: bytes | msgspec.Raw) -> Any:
    """Plain JSON decoding, into fresh dicts and lists that the caller may change."""
    return _VALUE.decode(data)


@attrs.frozen(eq=False)
class Object:
    """One object, immutable.

    Attributes:
        api_version: for instance ``argoproj.io/v1alpha1``.
        kind: for instance ``Application``.
        meta: its metadata.
        fields: every other top-level field, raw.
        unreadable: why the fields are left out, in one line for people; empty if they are not. There is such
            an object, and nothing may be concluded from what it seems to lack.
    """

    api_version: str
    kind: str
    meta: Meta
    fields: Mapping[str, msgspec.Raw]
    unreadable: str = ""

    @classmethod
    def parse(cls, data: bytes | msgspec.Raw, *, api_version: str = "", kind: str = "") -> Object:
        """Decode one object. One that is nested deeper than ``nesting.MAX_DEPTH`` is ``unreadable``.

        Args:
            data: its JSON.
            api_version: what to assume where the JSON has none (items of a list carry none).
            kind: likewise.

        Raises:
            RemoteProtocolError: this is not the JSON of a Kubernetes object.
        """
        try:
            fields = nesting.decode(_FIELDS, data)
            meta = nesting.decode(_META, fields.pop("metadata", _EMPTY))
            raw_version, raw_kind = fields.pop("apiVersion", None), fields.pop("kind", None)
            deep = [name for name, raw in fields.items() if nesting.is_deeper(raw, nesting.MAX_DEPTH - 1)]
            return cls(
                _TEXT.decode(raw_version) if raw_version is not None else api_version,
                _TEXT.decode(raw_kind) if raw_kind is not None else kind,
                meta,
                {} if deep else fields,
                f"{deep[0]} is nested deeper than {nesting.MAX_DEPTH} levels" if deep else "",
            )
        except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
            raise RemoteProtocolError(f"not a Kubernetes object: {exc}") from exc

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Object:
        """The object of a plain JSON value."""
        return cls.parse(msgspec.json.encode(value))

    def get(self, field: str) -> Any:
        """A top-level field decoded afresh (None if absent): the caller may change what it gets."""
        raw = self.fields.get(field)
        return None if raw is None else _VALUE.decode(raw)

    @property
    def labels(self) -> Mapping[str, str]:
        """``metadata.labels``, never None."""
        return self.meta.labels or {}

    @property
    def annotations(self) -> Mapping[str, str]:
        """``metadata.annotations``, never None."""
        return self.meta.annotations or {}

    @property
    def finalizers(self) -> tuple[str, ...]:
        """``metadata.finalizers``, never None."""
        return self.meta.finalizers or ()

    @property
    def deleting(self) -> bool:
        """Does it carry a deletionTimestamp?"""
        return self.meta.deletion_timestamp is not None

    def value(self) -> dict[str, Any]:
        """The whole object as a plain JSON value (without managedFields)."""
        head = {"apiVersion": self.api_version, "kind": self.kind, "metadata": msgspec.to_builtins(self.meta)}
        return head | {name: _VALUE.decode(raw) for name, raw in self.fields.items()}

    def __repr__(self) -> str:
        # Never the fields: a Secret must not reach a log by accident.
        meta = self.meta
        return f"<{self.kind} {meta.namespace}/{meta.name} uid={meta.uid} rv={meta.resource_version}>"
