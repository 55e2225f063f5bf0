"""What is shown of values that may hold a secret."""

import pytest
from rich.pretty import pretty_repr

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Record
from trio_argoagent.stream.protocol.messages import Part, RecordMessage

RECORD = Record(Key(Kind.REPOSITORY, "argocd", "repo"), "u", "D", "7", b"hunter2")


@pytest.mark.parametrize("value", [RECORD, RecordMessage(1, RECORD), Part(1, b"hunter2")])
def test_bytes_are_counted(value: object) -> None:
    """They may be a Secret's: neither ``repr`` nor rich shows any of them."""
    for shown in (repr(value), str(value), pretty_repr(value)):
        assert "hunter2" not in shown
        assert "<7 bytes>" in shown


def test_nothing_is_no_bytes() -> None:
    """The rest is shown as it is."""
    gone = Record(RECORD.key, "u", "", "7", None)
    assert "body=None" in repr(gone)
    assert "asof='7'" in repr(gone)
