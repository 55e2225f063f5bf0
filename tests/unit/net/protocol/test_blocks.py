"""Header blocks that are written and read without the library are those of the library."""

from __future__ import annotations

import pytest
from h2.exceptions import DenialOfServiceError, ProtocolError
from hpack import Decoder, Encoder, HeaderTuple, HPACKError, NeverIndexedHeaderTuple, OversizedHeaderListError
from hypothesis import example, given, settings
from hypothesis import strategies as st

from trio_argoagent.net.protocol.blocks import CompressionError, PlainDecoder, PlainEncoder

NAME = st.sampled_from([b":status", b":path", b"content-length", b"x", b"authorization", b"via", b"n" * 200])
VALUE = st.sampled_from(
    [b"200", b"/", b"", b"v", b"v" * 126, b"v" * 127, b"v" * 254, b"v" * 255, b"v" * 3000]
)
FIELD = st.builds(lambda kind, *field: kind(*field), st.sampled_from([HeaderTuple, NeverIndexedHeaderTuple]),
                  NAME, VALUE)  # fmt: skip
FIELDS = st.lists(FIELD, max_size=5)


@settings(deadline=None)
@given(st.lists(FIELDS | st.integers(0, 4096), max_size=12))
@example([[HeaderTuple(b"x", b"v")], [HeaderTuple(b"x", b"v")], 0, 0, [HeaderTuple(b"x", b"v")]])
def test_as_the_library_writes_them(lists: list[list[HeaderTuple] | int]) -> None:
    """The same bytes, whatever has been sent before; a number is a new size of the table."""
    ours, theirs = PlainEncoder(), Encoder()
    for each in lists:
        if isinstance(each, int):
            ours.header_table_size = theirs.header_table_size = each
        else:
            assert ours.encode(each) == theirs.encode(each, huffman=False)
            assert ours.header_table.dynamic_entries == theirs.header_table.dynamic_entries


@settings(deadline=None)
@given(st.lists(st.tuples(FIELDS, st.booleans(), st.integers(0, 4096)), max_size=8), st.binary(max_size=40),
       st.integers(0, 30))  # fmt: skip
@example([], b"\xff\x01", 0)
@example([], b"\x80", 0)
@example([], b"\x1f\xff\xff", 0)
@example([], b"\x04\x7f\xff\x80\x01", 0)
@example([([HeaderTuple(b"x", b"v")], False, 4096)], b"\xbe\xbe\xbf", 0)
def test_as_the_library_reads_them(
    lists: list[tuple[list[HeaderTuple], bool, int]], last: bytes, cut: int
) -> None:
    """The same fields, table and refusals: of any encoder's blocks, of nonsense, and of what is cut short."""
    encoder, ours, theirs = Encoder(), PlainDecoder(9_000), Decoder(9_000)
    blocks = []
    for fields, huffman, size in lists:
        encoder.header_table_size = size
        blocks.append(encoder.encode(fields, huffman=huffman))
    for block in [*blocks, *(block[:-cut] for block in blocks[-1:]), last]:
        try:
            expected = [*theirs.decode(block, raw=True)]
        except HPACKError as exc:
            wanted = DenialOfServiceError if isinstance(exc, OversizedHeaderListError) else CompressionError
            with pytest.raises(ProtocolError) as caught:
                ours.decode(block)
            assert type(caught.value) is wanted and "0x" not in str(caught.value)
            return
        assert ours.decode(block) == expected
        assert ours.header_table.dynamic_entries == theirs.header_table.dynamic_entries


def test_what_is_known_needs_no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """The third time nothing is searched; a token as long as a ServiceAccount's is no exception."""
    encoder, decoder = PlainEncoder(), PlainDecoder()
    fields = [
        HeaderTuple(b":method", b"PATCH"),
        NeverIndexedHeaderTuple(b":path", b"/api/v1/namespaces/team/configmaps/c"),
        NeverIndexedHeaderTuple(b"authorization", b"Bearer " + b"t" * 900),
        HeaderTuple(b"user-agent", b"ours/1"),
    ]
    for _ in range(2):
        assert decoder.decode(encoder.encode(fields)) == fields
    monkeypatch.setattr(Encoder, "add", None)
    monkeypatch.setattr(Decoder, "decode", None)
    assert decoder.decode(encoder.encode(fields)) == fields
    assert decoder.decode(b"\x10\x01x\x01v") == [(b"x", b"v")]
