"""RFC 7541 (HPACK): header blocks that no encoder makes."""

from __future__ import annotations

from hpack import Encoder

from tests.unit.net.conformance.case import COMPRESSION, PROTOCOL, Answer, Case, Outcome, dies
from tests.unit.net.rawpeer import REQUEST, frame


def block(before: bytes = b"", after: bytes = b"") -> bytes:
    """A request whose header block has these bytes before and after the usual ones."""
    encoder = Encoder()
    encoder.header_table_size = 0
    return frame(1, 1, before + encoder.encode(list(REQUEST))[1:] + after, 0x05)


def case(
    section: str, what: str, *, before: bytes = b"", after: bytes = b"", outcome: Outcome | None = None
) -> Case:
    """A case; compression errors end a connection (RFC 9113 section 4.3)."""
    return Case(section, what, (block(before, after),), outcome or dies(COMPRESSION, PROTOCOL))


CASES = (
    case("2.3.3", "an indexed field that is in no table", after=b"\xc6"),
    case("2.3.3", "a name that is in no table", after=b"\x7f\x80\x01\x01a"),
    case("4.2", "a change of the table's size at the end", after=b"\x20"),
    case("4.2", "a change of the table's size at the beginning", before=b"\x20", outcome=Answer()),
    case("5.1", "an integer without an end", after=b"\x7f" + b"\x80" * 12),
    case("5.1", "an integer that is cut off", after=b"\xff"),
    case(
        "5.2",
        "Huffman padding of more than 7 bits",
        after=b"\x00\x85\xf2\xb2\x4a\x84\xff\x84\x49\x50\x9f\xff",
    ),
    case("5.2", "Huffman padding of zeros", after=b"\x00\x85\xf2\xb2\x4a\x84\xff\x83\x49\x50\x90"),
    case(
        "5.2",
        "Huffman with EOS inside",
        after=b"\x00\x85\xf2\xb2\x4a\x84\xff\x87\x49\x51\xff\xff\xff\xfa\x7f",
    ),
    case("5.2", "a string longer than the block", after=b"\x00\x7fab"),
    case("6.1", "index 0", after=b"\x80"),
    case("6.3", "a table larger than allowed", before=b"\x3f\xe2\x1f"),
    case("6.2.2", "a field without indexing", after=b"\x00\x01x\x01y", outcome=Answer()),
    case("6.2.3", "a field that is never indexed", after=b"\x10\x01x\x01y", outcome=Answer()),
    case("6.2.1", "a field with indexing", after=b"\x40\x01x\x01y", outcome=Answer()),
)
