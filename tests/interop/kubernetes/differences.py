"""Where the embedded server answers otherwise than a real one, on purpose: the case, the request, and why.

An entry whose difference is gone makes its test fail, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

_GO: Final = "the text is that of Go's JSON library; status and reason are the same"
_TYPE: Final = "the text names the field as a schema does, not as Go's structures do"
_STATUS: Final = (
    "a Status, where a real server writes '404 page not found': a client need not tell two kinds of 404"
)
_CAUSES: Final = "the causes tell why the patch does not apply; a real server leaves them out"
_STORE: Final = "the text leaves out the key in etcd"
_ACCEPTED: Final = "the text says which media types are accepted"
_SELECTOR: Final = "the text of another parser"
_EMPTY: Final = "what is empty in one view of an Event is shown as empty in the other, too, not left out"
_ONCE: Final = "a field that is missing is named once, without the further checks that nothing fails, too"
_VALUE: Final = "the value in the text is JSON, not a structure of Go's"
_VERB: Final = "a verb that a path does not have is refused as such; a real server takes some for another one"
_DETAILS: Final = "empty details are left out"
_WHEN: Final = "a question about oneself has no time of its creation"

_TABLE: Final[Mapping[str, Mapping[str, tuple[int, ...]]]] = {
    "no such resource": {_STATUS: (0, 1)},
    "bad bodies": {_GO: (0, 1, 2, 3, 5)},
    "wrong types": {_TYPE: (1, 3, 4)},
    "replace with an old version": {_STORE: (2,)},
    "merge patch of what may not change": {_GO: (5,)},
    "json patch": {_CAUSES: (3, 4, 5)},
    "an unknown kind of patch": {_ACCEPTED: (1,)},
    "lists": {_SELECTOR: (7,), _GO: (12,)},
    "events, old and new": {_EMPTY: (1, 5, 16)},
    "events that are not": {_ONCE: (2,), _VALUE: (7,)},
    "rights": {_DETAILS: (20,)},
    "reviews": {_WHEN: (5,)},
    "roles that make no sense": {_GO: (7,)},
    "bindings that make no sense": {_VALUE: (9,)},
    "verbs that are not": {_VERB: (0, 1, 2)},
}


def _flat() -> Iterator[tuple[tuple[str, int], str]]:
    for case, reasons in _TABLE.items():
        for reason, numbers in reasons.items():
            yield from (((case, number), reason) for number in numbers)


KNOWN: Final[Mapping[tuple[str, int], str]] = dict(_flat())
"""Why that answer of that case differs."""
