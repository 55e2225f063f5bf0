"""Messages: made, encoded, decoded and validated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from trio_argoagent.model.keys import Key, Kind
from trio_argoagent.model.records import Record
from trio_argoagent.stream.protocol import codec
from trio_argoagent.stream.protocol.messages import RecordMessage

KEYS: Final = 100
"""Objects that they are about, one after the other."""
UID: Final = "6f1c0b5e-3d0a-4c5e-9a43-1f2f0e6f7a11"
DIGEST: Final = "b1946ac92492d2347c6235b4d2611184"
BODY: Final = b'{"health":{"status":"Healthy"},"sync":{"status":"Synced"}}'


def records(count: int) -> None:
    """So many, each of an object's status."""
    keys = [Key(Kind.STATUS, "argocd", f"guestbook-{number:04}") for number in range(KEYS)]
    for number in range(count):
        record = Record(keys[number % KEYS], UID, DIGEST, str(number), BODY)
        assert codec.decode(codec.encode(RecordMessage(number + 1, record))) is not None


WORK: Final[Mapping[str, Callable[[int], None]]] = {"message": records}
"""By case: does so many of it."""
