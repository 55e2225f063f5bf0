"""Bodies in protobuf."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_argoagent.apiserver.core import protobuf
from trio_argoagent.errors import BadRequest, UnsupportedMedia


def varint(number: int) -> bytes:
    """A number as protobuf writes it."""
    out = b""
    number &= (1 << 64) - 1
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, value: int | str | bytes) -> bytes:
    """One field of a message."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def entry(number: int, key: str, value: str | bytes) -> bytes:
    """One entry of a map."""
    return field(number, field(1, key) + field(2, value))


def body(kind: str, message: bytes, version: str = "v1") -> bytes:
    """A whole request body, as client-go writes it: empty encoding and content type included."""
    head = field(1, version) + field(2, kind)
    return protobuf.MAGIC + field(1, head) + field(2, message) + field(3, "") + field(4, "")


def test_secret() -> None:
    """Bytes become base64, what is empty is left out, an optional false stays."""
    meta = field(1, "s") + field(2, "") + field(3, "n") + field(7, 0) + field(8, b"") + entry(11, "a", "b")
    message = field(1, meta) + entry(2, "k", b"\x00\xff") + field(3, "Opaque") + field(5, 0)
    assert protobuf.decode(body("Secret", message)) == {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s", "namespace": "n", "labels": {"a": "b"}},
        "data": {"k": "AP8="},
        "type": "Opaque",
        "immutable": False,
    }


def test_times_and_negative_numbers() -> None:
    """Times become RFC 3339 (six digits where Kubernetes wants them), numbers keep their sign."""
    when = field(1, 1_700_000_000) + field(2, 5_000)
    meta = field(1, "l") + field(8, when)
    spec = field(1, "me") + field(2, -3) + field(4, when)
    value = protobuf.decode(
        body("Lease", field(1, meta) + field(2, spec), "coordination.k8s.io/v1")
    )  # fmt: skip
    assert value["metadata"]["creationTimestamp"] == "2023-11-14T22:13:20Z"
    assert value["spec"] == {
        "holderIdentity": "me",
        "leaseDurationSeconds": -3,
        "renewTime": "2023-11-14T22:13:20.000005Z",
    }


def test_delete_options() -> None:
    """What a typed client sends with a delete."""
    message = field(1, 0) + field(2, field(1, "u")) + field(4, "Background") + field(5, "All")
    assert protobuf.decode(body("DeleteOptions", message)) == {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "preconditions": {"uid": "u"},
        "propagationPolicy": "Background",
        "dryRun": ["All"],
    }


def test_unknown_fields_are_skipped() -> None:
    """A newer client's fields do no harm, of whichever wire type they are."""
    fixed = varint(99 << 3 | 1) + b"12345678" + varint(98 << 3 | 5) + b"1234"
    message = field(1, field(1, "c") + fixed) + fixed + field(97, 5) + field(96, "x")
    assert protobuf.decode(body("ConfigMap", message))["metadata"] == {"name": "c"}


def test_other_kinds_are_refused() -> None:
    """A kind that is not in the table is named, and JSON recommended."""
    with pytest.raises(UnsupportedMedia, match=r"Pod.*application/json"):
        protobuf.decode(body("Pod", b""))


def test_an_encoded_message_is_refused() -> None:
    """Nobody sends one, and we could not read it."""
    packed = protobuf.MAGIC + field(1, field(1, "v1") + field(2, "Secret")) + field(3, "gzip")
    with pytest.raises(UnsupportedMedia):
        protobuf.decode(packed)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        protobuf.MAGIC + b"\xff",
        protobuf.MAGIC + b"\x0a\x05ab",
        protobuf.MAGIC + b"\x0b",
        protobuf.MAGIC + b"\xff" * 11,
        body("Secret", field(1, 5)),
        body("Secret", field(1, field(1, b"\xff"))),
        body("Secret", field(5, "yes")),
        body("Lease", field(2, field(4, field(1, 1 << 60)))),
    ],
)
def test_nonsense(data: bytes) -> None:
    """What is not such a message is the client's fault."""
    with pytest.raises(BadRequest):
        protobuf.decode(data)


@settings(deadline=None)
@given(st.binary(max_size=200), st.sampled_from(["Secret", "Event", "Namespace", "DeleteOptions"]))
def test_any_bytes(data: bytes, kind: str) -> None:
    """Any bytes either decode or are refused; nothing else happens."""
    for candidate in (protobuf.MAGIC + data, body(kind, data)):
        with suppress(BadRequest, UnsupportedMedia):
            assert isinstance(protobuf.decode(candidate), dict)


@settings(deadline=None)
@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
def test_maps(data: dict[str, str]) -> None:
    """A map arrives as it was sent, empty keys and values included."""
    message = b"".join(entry(2, key, value) for key, value in data.items())
    assert protobuf.decode(body("ConfigMap", message)).get("data", {}) == data
